"""Why a connection is closed instead of answered."""

from __future__ import annotations


class MalformedRequestError(Exception):
    """The bytes do not form the request their header announces."""


class UnanswerableError(Exception):
    """The request failed, and the protocol has no answer to it. The message continues "closing …: it "."""
