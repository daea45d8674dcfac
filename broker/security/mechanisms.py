"""Which conversations a SASL listener can have, out of its options and of what is stored."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from functools import partial

from broker.errors import BrokerError
from broker.security.credential_store import CredentialStore
from broker.security.mechanism import Mechanism
from broker.security.plain import PlainConversation
from broker.security.sasl import MECHANISMS, Sasl
from broker.security.scram import ScramConversation
from broker.security.scram_credential import DIGESTS, MIN_ITERATIONS, SALT_SIZE, ScramCredential
from broker.security.signing_keys import SigningKeys


class Mechanisms:
    """Of one listener. Raises BrokerError where the options contradict themselves."""

    def __init__(self, sasl: Sasl, store: CredentialStore, clock: Callable[[], int], listener: str) -> None:
        self._sasl = sasl
        self._store = store
        self._clock = clock
        self._pepper = secrets.token_bytes(32)
        self._of_settings: dict[tuple[str, str], ScramCredential] = {}
        """Made when first asked for: it takes milliseconds."""
        self._keys: SigningKeys | None = None
        if not sasl.mechanisms:
            raise BrokerError(f"listener {listener} has SASL without mechanisms; choose of {', '.join(MECHANISMS)}")
        unknown = [name for name in sasl.mechanisms if name not in MECHANISMS]
        if unknown:
            raise BrokerError(
                f"SASL mechanism {unknown[0]!r} of listener {listener} is none of {', '.join(MECHANISMS)}"
            )
        self._users = sasl.passwords()
        for user, password in self._users.items():
            if not user or not password:
                raise BrokerError(f"SASL user {user!r} of listener {listener} needs a name and a password")
        self.by_name: Mapping[str, Mechanism] = {name: self._mechanism(name, listener) for name in sasl.mechanisms}
        """In the order they are told to clients."""

    async def start(self) -> None:
        """Raises BrokerError."""
        if self._keys is not None:
            await self._keys.start()

    async def close(self) -> None:
        if self._keys is not None:
            await self._keys.close()

    def _mechanism(self, name: str, listener: str) -> Mechanism:
        if name in DIGESTS:
            return lambda: ScramConversation(
                name, partial(self._credential, name), nonce=secrets.token_urlsafe(24), pepper=self._pepper
            )
        if name == "PLAIN":
            return partial(PlainConversation, self._users)
        return self._oauthbearer(listener)

    def _credential(self, mechanism: str, user: str) -> ScramCredential | None:
        stored = self._store.find(user, mechanism)
        if stored is not None:
            return stored
        made = self._of_settings.get((mechanism, user))
        password = self._users.get(user)
        if made is None and password is not None:
            made = ScramCredential.from_password(mechanism, password, secrets.token_bytes(SALT_SIZE), MIN_ITERATIONS)
            self._of_settings[mechanism, user] = made
        return made

    def _oauthbearer(self, listener: str) -> Mechanism:
        from broker.security.json_web_token import TokenValidator, unsecured_claims
        from broker.security.oauthbearer import OAuthBearerConversation

        options = self._sasl.oauth
        ways = [] if options is None else [options.jwks is not None, options.key is not None, options.unsecured]
        if options is None or sum(ways) != 1:
            raise BrokerError(
                f"OAUTHBEARER of listener {listener} needs exactly one of jwks, key and unsecured=True in its OAuth "
                "options, to know whose tokens to believe"
            )
        if options.unsecured:
            validator = TokenValidator(options, unsecured_claims, self._clock)
        else:
            self._keys = SigningKeys(options, self._clock)
            validator = TokenValidator(options, self._keys.claims_of, self._clock)
        return lambda: OAuthBearerConversation(validator.validate)
