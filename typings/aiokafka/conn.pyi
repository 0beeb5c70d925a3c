from ssl import SSLContext
from typing import Any

from aiokafka.abc import AbstractTokenProvider

class AIOKafkaConnection:
    async def send(self, request: object) -> Any: ...
    def close(self, reason: object = ..., exc: BaseException | None = ...) -> object: ...

class OAuthAuthenticator:
    def __init__(self, *, sasl_oauth_token_provider: AbstractTokenProvider) -> None: ...
    async def step(self, payload: bytes | None) -> tuple[bytes, bool] | None: ...

def collect_hosts(hosts: str, randomize: bool = ...) -> list[tuple[str, int, int]]: ...
async def create_conn(
    host: str,
    port: int,
    *,
    request_timeout_ms: int = ...,
    security_protocol: str = ...,
    ssl_context: SSLContext | None = ...,
    sasl_mechanism: str | None = ...,
    sasl_plain_username: str | None = ...,
    sasl_plain_password: str | None = ...,
    sasl_oauth_token_provider: AbstractTokenProvider | None = ...,
) -> AIOKafkaConnection: ...
