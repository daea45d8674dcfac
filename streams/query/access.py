"""Who may ask: on loopback everybody on this host, beyond it those with the token."""

from __future__ import annotations

import hmac
import ipaddress
import ssl
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec

from streams.errors import ConfigError
from streams.query.peers import FORWARDED
from streams.runtime.options import WorkerOptions

AsgiScope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
AsgiApp = Callable[[AsgiScope, Receive, Send], Awaitable[None]]

OPEN_PATHS = "/health/"
"""What orchestrators ask without credentials."""
SITE_PATHS = ("/ui", "/ui/")
"""The dashboard, and where its files are. They tell nothing; the pages ask people for the token."""
FORWARDED_HEADER = FORWARDED.lower().encode()


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def is_any(host: str) -> bool:
    """Whether the host stands for all addresses."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_unspecified
    except ValueError:
        return host == ""


def check_exposure(options: WorkerOptions) -> None:
    """Raises ConfigError: other hosts could ask without a token, or half of what TLS needs is there."""
    if not is_loopback(options.query_host) and options.query_token is None and not options.query_open:
        raise ConfigError(
            f"the query server would listen on {options.query_host}, where other hosts can read all stores: set "
            "query_token (HEADRACE_QUERY_TOKEN), or query_open (HEADRACE_QUERY_OPEN=true) if that is wanted",
            setting="query_token",
        )
    if (options.query_tls_certificate is None) != (options.query_tls_key is None):
        raise ConfigError(
            "TLS needs a certificate and its key: set both query_tls_certificate and query_tls_key",
            setting="query_tls_key",
        )


def client_tls(options: WorkerOptions) -> ssl.SSLContext | None:
    """How workers check each other's certificates; None where queries are not encrypted. Raises ConfigError."""
    if options.query_tls_certificate is None:
        return None
    try:
        context = ssl.create_default_context()
        context.load_verify_locations(options.query_tls_ca or options.query_tls_certificate)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"the certificate in {options.query_tls_ca or options.query_tls_certificate} cannot be used ({error}): "
            "it has to be a PEM file",
            setting="query_tls_ca" if options.query_tls_ca else "query_tls_certificate",
        ) from error
    return context


class Access:
    """Lets requests through to `app`, or refuses them with 401 or 421.

    Where there is no token, a request has to name a host of ours: a web page that has its own name resolve to this
    machine (DNS rebinding) must not read stores through its visitor's browser. A question of another application's
    worker is refused: it was meant for one that listened here before.
    """

    def __init__(self, app: AsgiApp, options: WorkerOptions) -> None:
        self._app = app
        self._application = options.application_id.encode()
        self._expected = None if options.query_token is None else f"Bearer {options.query_token}".encode()
        self._check_host = self._expected is None and not options.query_open
        self._own = {options.query_host.strip("[]").lower(), (options.advertised_host or "").lower()}

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is None:
            await self._app(scope, receive, send)
        else:
            status, reason, detail = refusal
            headers = [(b"content-type", b"application/json")]
            if status == 401:
                headers.append((b"www-authenticate", b"Bearer"))
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send(
                {"type": "http.response.body", "body": msgspec.json.encode({"detail": detail, "reason": reason})}
            )

    def _refusal(self, scope: AsgiScope) -> tuple[int, str, str] | None:
        if scope["path"].startswith(OPEN_PATHS):
            return None
        given = host = forwarded = b""
        for name, value in scope["headers"]:
            if name == b"authorization":
                given = value
            elif name == b"host":
                host = value
            elif name == FORWARDED_HEADER:
                forwarded = value
        is_site = scope["path"] == SITE_PATHS[0] or scope["path"].startswith(SITE_PATHS[1])
        if self._expected is not None and not is_site and not hmac.compare_digest(given, self._expected):
            what = "the token is not the one" if given else "a token is needed"
            return 401, "unauthorized", f"{what}: send Authorization: Bearer with the application's query_token"
        if self._check_host:
            name = host.decode("latin-1").rpartition(":")[0] or host.decode("latin-1")
            if not is_loopback(name) and name.strip("[]").lower() not in self._own:
                return 421, "misdirected", f"this server is not {name!r}: ask it as localhost"
        if forwarded and forwarded != self._application:
            return (
                421,
                "misdirected",
                f"this is a worker of {self._application.decode()!r}, not of {forwarded.decode('latin-1')!r}",
            )
        return None
