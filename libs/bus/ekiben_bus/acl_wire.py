"""Access control lists as Kafka's protocol numbers them. aiokafka has the messages, and no calls for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from aiokafka.protocol.admin import CreateAclsRequest_v1, DescribeAclsRequest
from aiokafka.protocol.api import Request

from ekiben_bus.acl_plan import Binding, Operation, Pattern, Resource

if TYPE_CHECKING:
    from aiokafka.protocol.admin import DescribedAcls

# https://github.com/apache/kafka/tree/trunk/clients/src/main/java/org/apache/kafka/common/acl and …/resource
_ANY: Final = 1
_RESOURCES: Final = {
    Resource.TOPIC: 2,
    Resource.GROUP: 3,
    Resource.CLUSTER: 4,
    Resource.TRANSACTIONAL_ID: 5,
}
_OPERATIONS: Final = {
    Operation.ALL: 2,
    Operation.READ: 3,
    Operation.WRITE: 4,
    Operation.CREATE: 5,
    Operation.DELETE: 6,
    Operation.ALTER: 7,
    Operation.DESCRIBE: 8,
    Operation.DESCRIBE_CONFIGS: 10,
}
_ALLOW: Final = 3
_PATTERNS: Final = {Pattern.LITERAL: 3, Pattern.PREFIXED: 4}

_RESOURCE_OF: Final = {number: resource for resource, number in _RESOURCES.items()}
_OPERATION_OF: Final = {number: operation for operation, number in _OPERATIONS.items()}
_PATTERN_OF: Final = {number: pattern for pattern, number in _PATTERNS.items()}

EVERY_ACL: Final = DescribeAclsRequest(_ANY, None, _ANY, None, None, _ANY, _ANY)
"""Asks for all there are: for every resource, principal and operation."""


class CreateAcls(Request[CreateAclsRequest_v1]):
    """All of them in one request, where aiokafka's own takes one at a time."""

    API_KEY = 30

    def __init__(self, bindings: Sequence[Binding]) -> None:
        self._bindings = bindings

    def build(self, request_struct_class: type[CreateAclsRequest_v1]) -> CreateAclsRequest_v1:
        return request_struct_class([_creation(binding) for binding in self._bindings])


def _creation(binding: Binding) -> tuple[int, str, int, str, str, int, int]:
    return (
        _RESOURCES[binding.resource],
        binding.name,
        _PATTERNS[binding.pattern],
        binding.principal,
        binding.host,
        _OPERATIONS[binding.operation],
        _ALLOW,
    )


def bindings_in(answer: DescribedAcls) -> tuple[Binding, ...]:
    """What a DescribeAcls response holds. What we have no word for is still told, as `other`."""
    return tuple(
        Binding(
            acl["principal"],
            _RESOURCE_OF.get(resource["resource_type"], Resource.OTHER),
            resource["resource_name"],
            _OPERATION_OF.get(acl["operation"], Operation.OTHER),
            _PATTERN_OF[resource["resource_pattern_type"]],
            acl["host"],
            acl["permission_type"] == _ALLOW,
        )
        for resource in answer["resources"]
        for acl in resource["acls"]
    )
