"""What can be wrong with a setting."""

from __future__ import annotations

from broker.errors import BrokerError


class SettingError(BrokerError):
    """A setting is unknown or its value is none. The message names the setting, the place, and the cure."""
