"""What can go wrong with a broker as a whole; one clear line each."""

from __future__ import annotations


class BrokerError(Exception):
    """A broker cannot start, or went down. The message names the thing and the cure."""


class AddressInUseError(BrokerError):
    """Something already listens on the wanted host and port."""


class DataDirectoryError(BrokerError):
    """The data directory cannot be used: not writable, of another program, of a newer format."""


class DataDirectoryLockedError(DataDirectoryError):
    """Another live broker uses the data directory."""
