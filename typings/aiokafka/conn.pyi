from asyncio import AbstractEventLoop, StreamWriter
from ssl import SSLContext
from typing import Any

from aiokafka.abc import AbstractTokenProvider

class AIOKafkaConnection:
    _loop: AbstractEventLoop
    _writer: StreamWriter | None
    _ssl_context: SSLContext | None
    _sasl_oauth_token_provider: AbstractTokenProvider
    def __init__(self, host: str, port: int, **options: Any) -> None: ...
    async def connect(self) -> object: ...
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
