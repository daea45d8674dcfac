"""A secured broker for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from broker import Broker
from tests.broker.security.authority import Authority
from tests.broker.security.secured import Secured, secured_options
from tests.broker.security.tokens import Issuer


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority.new()


@pytest.fixture(scope="session")
def secured(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """It runs as a process, like a user's."""
    directory = tmp_path_factory.mktemp("secured")
    issuer = Issuer.new("RS256")
    jwks, authorities = directory / "jwks.json", directory / "ca.pem"
    jwks.write_text(issuer.jwks)
    authorities.write_text(authority.pem)
    with Broker(options=secured_options(authority, jwks)) as broker:
        yield Secured(broker, authority, issuer, authorities)
