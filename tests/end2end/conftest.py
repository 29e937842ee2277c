"""What the tests of whole programs share: a CA for origins, a config folder, and both kinds of origin."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from tests.kit.origins import OriginCA


@pytest.fixture(scope="session")
def origin_ca(tmp_path_factory: pytest.TempPathFactory) -> OriginCA:
    """The CA of the origins; it is not ours and has to be named to be trusted."""
    return OriginCA(tmp_path_factory.mktemp("origin-ca"))


@pytest.fixture
def confdir(tmp_path: Path) -> Path:
    """A config folder that does not exist yet."""
    return tmp_path / "conf"


@pytest.fixture(params=["http", "https"])
def scheme(request: pytest.FixtureRequest) -> str:
    """For what must hold in the clear and inside TLS."""
    return str(request.param)


@pytest.fixture
def trust(origin_ca: OriginCA) -> dict[str, str]:
    """The option that makes the proxy trust the origins."""
    return {"ssl_verify_upstream_trusted_ca": str(origin_ca.file)}


@pytest.fixture
def trusting(origin_ca: OriginCA) -> tuple[str, str]:
    """The same on the command line."""
    return "--set", f"ssl_verify_upstream_trusted_ca={origin_ca.file}"


@pytest.fixture
def tls(scheme: str, origin_ca: OriginCA) -> ssl.SSLContext | None:
    """How an origin of that scheme speaks TLS, if it does."""
    return origin_ca.context() if scheme == "https" else None
