from typing import Any

MemoryRecords: type[Any]
