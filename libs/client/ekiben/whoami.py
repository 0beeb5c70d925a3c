"""Who asks for something, unless they say another name."""

from __future__ import annotations

from contextlib import suppress
from getpass import getuser


def user_name() -> str:
    """The name of the user of this process."""
    with suppress(OSError, KeyError):  # a container may run us as a user without a name
        return getuser()
    return "unknown"
