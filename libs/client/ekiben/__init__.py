"""The SDK and the command line of Ekiben."""

from ekiben.client import Ekiben
from ekiben.errors import EkibenError

__all__ = ["Ekiben", "EkibenError"]
