"""What can be wrong with a model on its way to being served.

MlopsError
 ├─ UntrustedModelError     outside the configured registry: loading a model runs its code
 ├─ UnknownModelError       the registry has no such model, version or alias
 ├─ UnservableModelError    it can be loaded, but our service templates cannot serve it
 └─ PackagingError          building its Bento failed
"""

from __future__ import annotations


class MlopsError(Exception):
    """Its message says what was expected, what was found, and what to try."""


class UntrustedModelError(MlopsError):
    """Register the model in the configured registry, and name it as models:/NAME/VERSION."""


class UnknownModelError(MlopsError):
    """Check the name, the version or the alias; another registry may be configured."""


class UnservableModelError(MlopsError):
    """Log it with Registry.log_model, or as the message says."""


class PackagingError(MlopsError):
    """The message ends with what BentoML said."""
