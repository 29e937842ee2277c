import ssl

import pytest

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
    assert Versions(ciphers="DEFAULT").warning() is None
