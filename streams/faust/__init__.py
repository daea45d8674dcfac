"""Runs a headrace application in a Faust worker: agents and web views read its stores. Needs the extra `faust`."""

from streams.faust.bridge import Bridge as Bridge
from streams.faust.bridge import mount as mount

__all__ = ("Bridge", "mount")
