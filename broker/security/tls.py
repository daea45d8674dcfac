"""What a listener needs for TLS: its certificate and key, and whom of the clients it believes.

Source: `ssl.keystore.*` and `ssl.truststore.*` of Apache Kafka with type PEM, `ssl.client.auth`,
`ssl.principal.mapping.rules`.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from broker.errors import BrokerError

if TYPE_CHECKING:
    import ssl

ClientAuthentication = Literal["none", "requested", "required"]
PEM_MARK = "-----BEGIN"


def split_rules(text: str) -> list[str]:
    """Imported when somebody asks: a broker without client certificates needs no rules."""
    from broker.security.principal_mapping import rules_of

    return rules_of(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """Each PEM is a path, or the text itself: what has "-----BEGIN" in it is text. At least TLS 1.2 is spoken."""

    certificate: str | Path = field(repr=False)
    """`ssl.keystore.certificate.chain` or `ssl.keystore.location`: the certificate, then those between it and the
    authority that clients trust."""
    key: str | Path | None = field(default=None, repr=False)
    """`ssl.keystore.key`; None: the key stands beside the certificate."""
    key_password: str | None = field(default=None, repr=False)
    """`ssl.key.password` of an encrypted key."""
    client_authorities: str | Path | None = field(default=None, repr=False)
    """`ssl.truststore.certificates` or `ssl.truststore.location`: who signs the certificates of clients."""
    client_authentication: ClientAuthentication = "none"
    """`ssl.client.auth`. "requested": a client without a certificate is anonymous, one with a bad one is refused."""
    principal_mapping_rules: tuple[str, ...] = field(default=("DEFAULT",), metadata={"split": split_rules})
    """`ssl.principal.mapping.rules`, see `broker.security.principal_mapping`."""

    def context(self) -> ssl.SSLContext:
        """Raises BrokerError: something is missing or is not what it should be."""
        import ssl

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            with ExitStack() as stack:
                certificate = as_file(self.certificate, stack)
                key = None if self.key is None else as_file(self.key, stack)
                context.load_cert_chain(certificate, key, self.password)
        except (OSError, ssl.SSLError) as error:
            raise BrokerError(
                f"cannot use the TLS certificate {shown(self.certificate)} with the key "
                f"{'beside it' if self.key is None else shown(self.key)} ({error}): both must be PEM, belong together, "
                "and the key's password must be right. Of a JKS or PKCS12 store: openssl pkcs12 -in STORE -out PEM"
            ) from error
        if self.client_authentication == "none":
            return context
        if self.client_authorities is None:
            raise BrokerError(
                f"TLS with client_authentication={self.client_authentication!r} needs client_authorities, a PEM of "
                "those who sign the clients' certificates"
            )
        required = self.client_authentication == "required"
        context.verify_mode = ssl.CERT_REQUIRED if required else ssl.CERT_OPTIONAL
        try:
            if is_text(self.client_authorities):
                context.load_verify_locations(cadata=str(self.client_authorities))
            else:
                context.load_verify_locations(cafile=str(self.client_authorities))
        except (OSError, ssl.SSLError) as error:
            raise BrokerError(
                f"cannot use the TLS client_authorities {shown(self.client_authorities)} ({error}): they must be PEM "
                "certificates"
            ) from error
        return context

    def password(self) -> str:
        """Never asked on a terminal, which a key with a password and none given would do."""
        return self.key_password or ""


def is_text(pem: str | Path) -> bool:
    return isinstance(pem, str) and PEM_MARK in pem


def shown(pem: str | Path) -> str:
    """For messages: a path, but never what a PEM holds."""
    return "(given as text)" if is_text(pem) else str(pem)


def as_file(pem: str | Path, stack: ExitStack) -> str:
    """A path of the PEM while the stack is open: OpenSSL reads keys from files only. Only the owner can read it."""
    if not is_text(pem):
        return str(pem)
    directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="headrace-"))
    file = Path(directory, "pem")
    file.touch(mode=0o600)
    file.write_text(str(pem))
    return str(file)
