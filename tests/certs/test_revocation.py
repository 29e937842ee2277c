"""The empty list of revoked certificates."""

import datetime

import pytest
from cryptography import x509

from midstream.certs.authority import Authority
from midstream.certs.leaves import LeafStore
from midstream.certs.revocation import empty_list, list_name, list_url


@pytest.mark.parametrize("key_type", ["ecdsa", "rsa"])
def test_the_list(key_type: str) -> None:
    authority = Authority.create(key_type)
    found = x509.load_der_x509_crl(empty_list(authority))
    assert found.is_signature_valid(authority.key.public_key())  # type: ignore[arg-type]
    assert found.issuer == authority.certificate.subject
    assert len(found) == 0
    now = datetime.datetime.now(datetime.UTC)
    assert found.next_update_utc is not None
    assert found.last_update_utc < now < found.next_update_utc
    key = found.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    assert key == authority.key_identifier()


def test_where_it_is() -> None:
    one, other = Authority.create(), Authority.create()
    assert list_name(one) != list_name(other)
    assert list_url("http://crl.test:81/ca/x.crl?y", one) == f"http://crl.test:81/{list_name(one)}"
    assert list_url("ldap://crl.test/x", one) is None
    assert list_url("http:///x", one) is None
    assert list_url("http://[bad/x", one) is None
    assert list_url("http://ümlaut/x", one) is None


def test_a_leaf_names_it() -> None:
    store = LeafStore(Authority.create())
    leaf = store.leaf(["a.test"], None, "http://crl.test/x.crl")
    points = leaf.certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    assert [name.value for name in points[0].full_name or ()] == ["http://crl.test/x.crl"]
    assert store.leaf(["a.test"], None, "http://crl.test/x.crl") is leaf
    assert store.leaf(["a.test"]) is not leaf
