from abc import ABC, abstractmethod
from typing import ClassVar, Generic, TypeVar

class RequestStruct: ...

_T = TypeVar("_T", bound=RequestStruct)

class Request(ABC, Generic[_T]):
    API_KEY: ClassVar[int]
    @abstractmethod
    def build(self, request_struct_class: type[_T]) -> _T: ...
