"""A certificate authority of a test, and what it signs. Keys are of elliptic curves: they are made in a millisecond."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID, ObjectIdentifier

Attribute = tuple[ObjectIdentifier, str]
CN, OU, O, C = (  # noqa: E741
    NameOID.COMMON_NAME,
    NameOID.ORGANIZATIONAL_UNIT_NAME,
    NameOID.ORGANIZATION_NAME,
    NameOID.COUNTRY_NAME,
)


@dataclass(frozen=True)
class Identity:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def certificate_pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    def key_pem(self, password: str | None = None) -> str:
        encryption = NoEncryption() if password is None else BestAvailableEncryption(password.encode())
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption).decode()

    def write(self, directory: Path, name: str) -> tuple[Path, Path]:
        """Paths of certificate and key."""
        certificate, key = directory / f"{name}.pem", directory / f"{name}.key"
        certificate.write_text(self.certificate_pem)
        key.write_text(self.key_pem())
        return certificate, key


class Authority:
    """Signs for a day."""

    def __init__(self, identity: Identity) -> None:
        self.identity = identity

    @classmethod
    def new(cls, name: str = "test authority") -> Self:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(CN, name)])
        builder = begun(subject, subject, key).add_extension(x509.BasicConstraints(True, None), critical=True)
        return cls(Identity(builder.sign(key, hashes.SHA256()), key))

    @property
    def pem(self) -> str:
        return self.identity.certificate_pem

    def server(self, address: str = "127.0.0.1") -> Identity:
        names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(address)), x509.DNSName("localhost")])
        return self.sign([(CN, address)], names)

    def sign(self, subject: Sequence[Attribute], names: x509.SubjectAlternativeName | None = None) -> Identity:
        """A certificate for a subject, its attributes from the most general to the most special."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(kind, value) for kind, value in subject])
        builder = begun(name, self.identity.certificate.subject, key)
        if names is not None:
            builder = builder.add_extension(names, critical=False)
        return Identity(builder.sign(self.identity.key, hashes.SHA256()), key)


def begun(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
    )
