"""The public keys that sign tokens, from a PEM or from a JSON Web Key Set that is read again now and then.

A key id that is not known has the key set read again soon; the client that brought it is refused until then and comes
again, as with Kafka. Signatures are joserfc's work: `pip install headrace[oauth]`.
"""

from __future__ import annotations

import asyncio
import json
import logging
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from broker.errors import BrokerError
from broker.security.json_web_token import Claims, TokenRefusedError
from broker.security.sasl import OAuth
from broker.security.tls import is_text

LOG = logging.getLogger("broker.security")
READ_TIMEOUT_S = 10.0
MAX_KEY_SET_BYTES = 1_048_576
EXPEDITED_MS = 10_000
"""Unknown key ids have the set read at most that often."""


class SigningKeys:
    """Owned by the server; reads in a thread, everything else in the event loop's."""

    def __init__(self, options: OAuth, clock: Callable[[], int]) -> None:
        try:
            from joserfc import errors, jwk, jwt
        except ImportError as error:
            raise BrokerError("OAUTHBEARER with signed tokens needs joserfc: pip install 'headrace[oauth]'") from error
        self._jwt: Any = jwt
        self._jwk: Any = jwk
        self._refusal: type[Exception] = errors.JoseError
        self._options = options
        self._clock = clock
        self._keys: Any = None
        self._read_at = 0
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """The keys are there when it returns. Raises BrokerError."""
        source = "jwks" if self._options.jwks is not None else "key"
        try:
            self._keys = await asyncio.to_thread(self._read)
        except Exception as error:  # joserfc raises many kinds for what is no key
            raise BrokerError(f"cannot read the keys of OAUTHBEARER ({source}): {error}") from error
        self._read_at = self._clock()
        if self._options.jwks is not None:
            self._task = asyncio.create_task(self._keep_fresh(), name="signing keys")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))

    def claims_of(self, token: str) -> Claims:
        """The claims of a token that one of the keys signed. Raises TokenRefusedError."""
        try:
            return cast(Claims, self._jwt.decode(token, self._keys, algorithms=list(self._options.algorithms)).claims)
        except self._refusal as error:
            if "Key" in type(error).__name__ and self._options.jwks is not None:
                self._wanted.set()
            raise TokenRefusedError("its signature is not of a key and algorithm this broker believes") from error
        except (ValueError, TypeError, KeyError) as error:
            raise TokenRefusedError("it is not a JSON Web Token") from error

    async def _keep_fresh(self) -> None:
        while True:
            try:
                await asyncio.wait_for(self._wanted.wait(), self._options.jwks_refresh_ms / 1000)
            except TimeoutError:
                pass
            else:
                await asyncio.sleep(max(0, self._read_at + EXPEDITED_MS - self._clock()) / 1000)
            self._wanted.clear()
            try:
                self._keys = await asyncio.to_thread(self._read)
            except Exception as error:
                LOG.warning("cannot read the key set %s again, the keys of before stay: %s", self._options.jwks, error)
            self._read_at = self._clock()

    def _read(self) -> Any:
        key, jwks = self._options.key, self._options.jwks
        if jwks is None:
            assert key is not None
            text = str(key) if is_text(key) else Path(key).read_text()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # that its type is looked up; it is checked here
                found = self._jwk.import_key(text)
            if found.key_type not in ("RSA", "EC"):
                raise ValueError("it is not a PEM of a public RSA or EC key")
            return found
        content = json.loads(read_limited(str(jwks)))
        return self._jwk.KeySet.import_key_set(content)


def read_limited(source: str) -> bytes:
    """The key set's bytes, from a URL or a path."""
    if not source.startswith(("http://", "https://", "file://")):
        return Path(source).read_bytes()
    from urllib.request import urlopen

    with urlopen(source, timeout=READ_TIMEOUT_S) as answer:
        content = cast(bytes, answer.read(MAX_KEY_SET_BYTES + 1))
    if len(content) > MAX_KEY_SET_BYTES:
        raise ValueError(f"{source} is longer than {MAX_KEY_SET_BYTES} bytes")
    return content
