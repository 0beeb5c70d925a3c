from collections.abc import Sequence
from typing import TypedDict

from aiokafka.protocol.api import Request, RequestStruct

class DescribedAcl(TypedDict):
    principal: str
    host: str
    operation: int
    permission_type: int

class DescribedAclsOfOne(TypedDict):
    resource_type: int
    resource_name: str
    resource_pattern_type: int
    acls: list[DescribedAcl]

class DescribedAcls(TypedDict):
    error_code: int
    error_message: str | None
    resources: list[DescribedAclsOfOne]

class AclCreation(TypedDict):
    error_code: int
    error_message: str | None

class AclCreations(TypedDict):
    creation_responses: list[AclCreation]

class DescribeAclsResponse:
    def to_object(self) -> DescribedAcls: ...

class CreateAclsResponse:
    def to_object(self) -> AclCreations: ...

class DescribeAclsRequest_v1(RequestStruct): ...

class DescribeAclsRequest(Request[DescribeAclsRequest_v1]):
    def __init__(
        self,
        resource_type: int,
        resource_name: str | None,
        resource_pattern_type_filter: int,
        principal: str | None,
        host: str | None,
        operation: int,
        permission_type: int,
    ) -> None: ...
    def build(self, request_struct_class: type[DescribeAclsRequest_v1]) -> DescribeAclsRequest_v1: ...

class CreateAclsRequest_v1(RequestStruct):
    def __init__(self, creations: Sequence[tuple[int, str, int, str, str, int, int]]) -> None: ...
