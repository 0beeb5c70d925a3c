"""The administration client. Answers are told as far as Ekiben reads them."""

from collections.abc import Mapping, Sequence
from ssl import SSLContext
from typing import TypedDict, overload

from aiokafka import TopicPartition
from aiokafka.abc import AbstractTokenProvider
from aiokafka.admin.config_resource import ConfigResource
from aiokafka.admin.records_to_delete import RecordsToDelete
from aiokafka.protocol.admin import (
    CreateAclsRequest_v1,
    CreateAclsResponse,
    DescribeAclsRequest,
    DescribeAclsResponse,
)
from aiokafka.protocol.api import Request

class DescribedBroker(TypedDict):
    node_id: int
    host: str
    port: int

class DescribedCluster(TypedDict):
    brokers: list[DescribedBroker]

class DescribedPartition(TypedDict):
    partition: int
    leader: int

class DescribedTopic(TypedDict):
    error_code: int
    topic: str
    partitions: list[DescribedPartition]

class ConfigEntry(TypedDict):
    config_names: str
    config_value: str

class DescribedResource(TypedDict):
    error_code: int
    error_message: str | None
    resource_name: str
    config_entries: list[ConfigEntry]

class DescribedConfigs(TypedDict):
    resources: list[DescribedResource]

class DescribeConfigsResponse:
    def to_object(self) -> DescribedConfigs: ...

class TopicOutcome(TypedDict):
    topic: str
    error_code: int
    error_message: str | None

class TopicOutcomes(TypedDict):
    topic_errors: list[TopicOutcome]

class CreateTopicsResponse:
    def to_object(self) -> TopicOutcomes: ...

class NewTopic:
    def __init__(
        self,
        name: str,
        num_partitions: int,
        replication_factor: int,
        replica_assignments: Mapping[int, Sequence[int]] | None = ...,
        topic_configs: Mapping[str, str] | None = ...,
    ) -> None: ...

class AIOKafkaAdminClient:
    def __init__(
        self,
        *,
        bootstrap_servers: str | Sequence[str] = ...,
        client_id: str = ...,
        request_timeout_ms: int = ...,
        security_protocol: str = ...,
        ssl_context: SSLContext | None = ...,
        sasl_mechanism: str = ...,
        sasl_plain_username: str | None = ...,
        sasl_plain_password: str | None = ...,
        sasl_oauth_token_provider: AbstractTokenProvider | None = ...,
    ) -> None: ...
    async def start(self) -> None: ...
    async def close(self) -> None: ...
    async def create_topics(
        self, new_topics: Sequence[NewTopic], timeout_ms: int | None = ..., validate_only: bool = ...
    ) -> CreateTopicsResponse: ...
    async def delete_topics(self, topics: Sequence[str], timeout_ms: int | None = ...) -> object: ...
    async def list_topics(self) -> list[str]: ...
    async def describe_topics(self, topics: Sequence[str] | None = ...) -> list[DescribedTopic]: ...
    async def describe_cluster(self) -> DescribedCluster: ...
    async def delete_records(
        self, records_to_delete: Mapping[TopicPartition, RecordsToDelete], timeout_ms: int | None = ...
    ) -> Mapping[TopicPartition, int]: ...
    async def describe_configs(
        self, config_resources: Sequence[ConfigResource], include_synonyms: bool = ...
    ) -> list[DescribeConfigsResponse]: ...
    @overload
    async def _send_request(self, request: DescribeAclsRequest) -> DescribeAclsResponse: ...
    @overload
    async def _send_request(self, request: Request[CreateAclsRequest_v1]) -> CreateAclsResponse: ...
