"""What keeps a client from connecting, before it has tried."""

from __future__ import annotations


class ConnectionSettingsError(ValueError):
    """The settings cannot reach any cluster. Mend the variable that the message names."""
