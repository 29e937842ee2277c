import ssl
from pathlib import Path

import pytest

from midstream.certs.authority import Authority
from midstream.certs.versions import VERSIONS, Versions


@pytest.mark.parametrize("minimum", VERSIONS[2:])
@pytest.mark.parametrize("maximum", ["UNBOUNDED", *VERSIONS[2:]])
def test_every_range_of_versions(minimum: str, maximum: str) -> None:
    versions = Versions(minimum, maximum)
    if maximum != "UNBOUNDED" and VERSIONS.index(minimum) > VERSIONS.index(maximum):
        with pytest.raises(ValueError, match=f"{minimum}, is above the highest, {maximum}"):
            versions.check()
    else:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        versions.apply(context)
        assert context.minimum_version.name == minimum.replace("TLS", "TLSv")


def test_unbounded_goes_as_low_as_openssl_does() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    Versions("UNBOUNDED").apply(context)
    assert context.minimum_version is ssl.TLSVersion.MINIMUM_SUPPORTED
    assert Versions("UNBOUNDED").needs_level_0()


def test_ciphers() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    Versions(ciphers="ECDHE-RSA-AES128-GCM-SHA256").apply(context)
    names = {cipher["name"] for cipher in context.get_ciphers()}
    assert {name for name in names if not name.startswith("TLS_")} == {"ECDHE-RSA-AES128-GCM-SHA256"}
    with pytest.raises(ValueError, match="'NONSENSE' selects no cipher"):
        Versions(ciphers="NONSENSE").check()


def test_old_versions_with_ciphers_of_their_own_are_warned_about() -> None:
    assert Versions("TLS1", ciphers="DEFAULT").warning() is not None
    assert Versions("TLS1", ciphers="DEFAULT:@SECLEVEL=0").warning() is None
    assert Versions("TLS1").warning() is None
    for versions in (Versions("SSL3"), Versions("UNBOUNDED", "SSL3")):
        assert (versions.warning() is None) == ssl.HAS_SSLv3
    assert Versions(ciphers="DEFAULT").warning() is None


@pytest.mark.parametrize("curve", ["X25519", "x25519", "prime256v1", "P-256", "secp256r1", "secp384r1", "p-384"])
def test_curves_by_any_of_their_names(curve: str) -> None:
    Versions(curve=curve).check()


def test_a_curve_that_nobody_knows() -> None:
    with pytest.raises(ValueError, match="'secp257' is no curve that OpenSSL"):
        Versions(curve="secp257").check()


@pytest.mark.parametrize(("ours", "theirs", "meets"), [("P-384", "secp384r1", True), ("P-384", "X25519", False)])
def test_only_that_curve_is_used(tmp_path: Path, ours: str, theirs: str, meets: bool) -> None:
    pem = tmp_path / "ca.pem"
    pem.write_bytes(Authority.create().private_pem())
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    server.load_cert_chain(pem)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    Versions(curve=ours).apply(server)
    Versions(curve=theirs).apply(client)
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [client.wrap_bio(to_client, to_server), server.wrap_bio(to_server, to_client, server_side=True)]
    failed = False
    for end in ends * 3:
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            continue
        except ssl.SSLError:
            failed = True
            break
    assert failed != meets
