from collections.abc import Iterator

class DefaultRecord:
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]
    def __init__(
        self,
        offset: int,
        timestamp: int,
        timestamp_type: int,
        key: bytes | None,
        value: bytes | None,
        headers: list[tuple[str, bytes | None]],
    ) -> None: ...

class DefaultRecordBatch:
    CODEC_ZSTD: int
    def __init__(self, buffer: bytes) -> None: ...
    def __iter__(self) -> Iterator[DefaultRecord]: ...

class _DefaultRecordBatchPy:
    _buffer: bytearray
    _pos: int
    def __init__(self, buffer: bytes | bytearray | memoryview) -> None: ...
    @property
    def base_offset(self) -> int: ...
    @property
    def timestamp_type(self) -> int: ...
    @property
    def first_timestamp(self) -> int: ...
    @property
    def max_timestamp(self) -> int: ...
    def _read_msg(self) -> DefaultRecord: ...
    def __iter__(self) -> _DefaultRecordBatchPy: ...
    def __next__(self) -> DefaultRecord: ...
