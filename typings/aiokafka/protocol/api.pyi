from abc import ABC, abstractmethod
from typing import ClassVar, Generic, TypeVar

class RequestStruct: ...

T = TypeVar("T", bound=RequestStruct)

class Request(ABC, Generic[T]):
    API_KEY: ClassVar[int]
    @abstractmethod
    def build(self, request_struct_class: type[T]) -> T: ...
