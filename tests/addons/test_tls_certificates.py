"""Certificates of one's own on both sides, those of servers sent on to clients, and the list of revoked ones."""

import asyncio
import datetime
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from midstream.certs.authority import Authority
from midstream.certs.revocation import list_name
from midstream.certs.trust import peer_chain
from midstream.flows.certificate import Cert
from midstream.flows.errors import OptionsError
from midstream.flows.tls import TlsData
from midstream.hub.master import Master
from midstream.testing import tflow
from tests.addons.test_tlsconfig import (
    ORIGIN_CA,
    confdir,
    make_context,
    make_master,
    master,
    shake,
    start,
    started,
    trusting_client,
)
from tests.kit.pki import issue, server_context, write_pem

__all__ = ["confdir", "master"]  # fixtures


def written(path: Path, identity: Authority, *chain: Authority, passphrase: bytes = b"") -> Path:
    how = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    key = identity.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how)
    path.write_bytes(b"".join([key, *(item.public_pem() for item in (identity, *chain))]))
    return path


def anybody() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


async def shown(master: Master, sni: str | None, real: x509.Certificate | None = None) -> list[x509.Certificate]:
    """What a client that asks for `sni` gets to see."""
    context = make_context(sni=sni, address="192.0.2.9")
    if real is not None:
        context.server.certificate_list = [Cert(real)]
    data = await start(master, TlsData(context.client, context))
    _, theirs = await shake(data, anybody(), sni)
    assert theirs.tls is not None
    chain = [x509.load_der_x509_certificate(der) for der in peer_chain(theirs.tls)]
    assert context.client.mitmcert is not None
    assert context.client.mitmcert.to_cryptography() == chain[0]
    return chain


# -- certs ------------------------------------------------------------------------------------------------------------


async def test_a_certificate_of_ones_own_with_its_chain(master: Master, tmp_path: Path) -> None:
    middle = issue([], ORIGIN_CA, is_ca=True, common_name="middle")
    own = issue(["a.example"], middle)
    path = written(tmp_path / "own.pem", own, middle)
    master.options.update(certs=[f"a.example={path}"])
    assert await shown(master, "a.example") == [own.certificate, middle.certificate]
    assert (await shown(master, "b.example"))[0] != own.certificate
    master.options.update(certs=[str(path)])
    assert (await shown(master, "b.example"))[0] == own.certificate
    master.options.update(certs=[])
    assert (await shown(master, "a.example"))[0] != own.certificate


async def test_one_with_another_kind_of_key(master: Master, tmp_path: Path) -> None:
    """A context that showed a leaf of ours must not show the other to clients that prefer that kind."""
    own = Authority.create("rsa")
    path = written(tmp_path / "own.pem", own)
    await shown(master, "a.example")
    master.options.update(certs=[f"a.example={path}"])
    assert isinstance((await shown(master, "a.example"))[0].public_key(), rsa.RSAPublicKey)
    assert not isinstance((await shown(master, "b.example"))[0].public_key(), rsa.RSAPublicKey)


async def test_a_client_that_names_a_host_gets_what_is_for_that_one(master: Master, tmp_path: Path) -> None:
    """The real certificate may be for many hosts, of which only one has a certificate of ours."""
    real = issue(["other.example", "a.example"], ORIGIN_CA).certificate
    own = issue(["a.example"], ORIGIN_CA)
    master.options.update(certs=[f"a.example={written(tmp_path / 'own.pem', own)}"])
    assert (await shown(master, "other.example", real))[0] != own.certificate
    assert (await shown(master, "a.example", real))[0] == own.certificate
    assert (await shown(master, None, real))[0] == own.certificate


async def test_an_encrypted_one(master: Master, tmp_path: Path) -> None:
    own = issue(["a.example"], ORIGIN_CA)
    path = written(tmp_path / "own.pem", own, passphrase="gehéim".encode())
    master.options.update(cert_passphrase="gehéim", certs=[str(path)])
    assert (await shown(master, "a.example"))[0] == own.certificate


async def test_the_key_of_the_ca_stands_in_also_at_the_start(confdir: Path, tmp_path: Path) -> None:
    first = make_master(confdir)
    run = asyncio.ensure_future(first.run())
    await started(first)
    first.shutdown()
    await run
    path = tmp_path / "own.pem"
    path.write_bytes((confdir / "midstream-ca-cert.pem").read_bytes())
    second = make_master(confdir)
    second.options.update(certs=[f"a.example={path}"])
    run = asyncio.ensure_future(second.run())
    await started(second)
    assert (await shown(second, "a.example"))[0] == x509.load_pem_x509_certificate(path.read_bytes())
    second.shutdown()
    await run


async def test_a_file_without_a_key_that_the_ca_has_is_told_at_the_start(
    confdir: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "own.pem"
    path.write_bytes(ORIGIN_CA.public_pem())
    master = make_master(confdir)
    master.options.update(certs=[str(path)])
    run = asyncio.ensure_future(master.run())
    await started(master)
    master.shutdown()
    await run
    errors = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    own = "holds no private key, and that of the CA does not belong to the certificate; add the key to the file"
    assert errors == [f"certs: {path}: {own}"]


# -- what is wrong with them ------------------------------------------------------------------------------------------


def with_short_key() -> Authority:
    """What OpenSSL refuses to show at the security level that most have today."""
    key = rsa.generate_private_key(65537, 1024)
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(ORIGIN_CA.certificate.subject)
        .issuer_name(ORIGIN_CA.certificate.subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, ORIGIN_CA.certificate.signature_hash_algorithm)  # type: ignore[arg-type]
    )
    return Authority(certificate, key)


async def test_mistakes_are_refused_in_one_line_and_rolled_back(master: Master, tmp_path: Path) -> None:
    encrypted = written(tmp_path / "encrypted.pem", issue(["a"], ORIGIN_CA), passphrase=b"x")
    keyless = tmp_path / "keyless.pem"
    keyless.write_bytes(ORIGIN_CA.public_pem())
    mixed = tmp_path / "mixed.pem"
    mixed.write_bytes(written(tmp_path / "one.pem", issue(["a"], ORIGIN_CA)).read_bytes().split(b"-----BEGIN CERT")[0])
    mixed.write_bytes(mixed.read_bytes() + ORIGIN_CA.public_pem())
    strict = "DEFAULT:@SECLEVEL=2"
    mistakes: list[tuple[dict[str, object], str]] = [
        ({"certs": ["/nowhere/own.pem"]}, "certs: /nowhere/own.pem: No such file or directory"),
        ({"certs": [str(tmp_path)]}, f"certs: {tmp_path}: Is a directory"),
        ({"certs": ["a b=x.pem"]}, "certs: a b=x.pem: 'a b' is no host name; certs takes [domain=]path"),
        ({"certs": [str(encrypted)]}, "give its passphrase with cert_passphrase"),
        ({"certs": [str(encrypted)], "cert_passphrase": "y"}, "is cert_passphrase right?"),
        ({"certs": [str(keyless)]}, "holds no private key, and that of the CA does not belong to the certificate"),
        ({"certs": [str(mixed)]}, "the key in this file belongs to none of the certificates in it"),
        ({"certs": [str(written(tmp_path / "w.pem", with_short_key()))], "ciphers_client": strict}, "ee key too small"),
        ({"client_certs": "/nowhere/me.pem"}, "client_certs: /nowhere/me.pem: No such file or directory"),
        ({"client_certs": "日" * 200}, "日: File name too long"),
        ({"client_certs": str(encrypted)}, "client_certs: "),
        ({"client_certs": str(keyless)}, "client_certs: "),
        ({"client_certs": str(mixed)}, "belongs to none of the certificates"),
        (
            {"add_upstream_certs_to_client_chain": True, "upstream_cert": False},
            "add_upstream_certs_to_client_chain needs upstream_cert, which is off",
        ),
        ({"tls_ecdh_curve_client": "nonsense"}, "'nonsense' is no curve"),
        ({"tls_ecdh_curve_server": "nonsense"}, "'nonsense' is no curve"),
        ({"request_client_cert": True, "tls_ecdh_curve_client": "X25519"}, "the curve is one of prime256v1"),
    ]
    for values, message in mistakes:
        before = {name: getattr(master.options, name) for name in values}
        with pytest.raises(OptionsError) as caught:
            master.options.update(**values)
        assert message in str(caught.value)
        assert "\n" not in str(caught.value)
        assert {name: getattr(master.options, name) for name in values} == before
    assert await shown(master, "a.example")


# -- add_upstream_certs_to_client_chain -------------------------------------------------------------------------------


async def test_the_servers_certificates_follow_ours(master: Master) -> None:
    real = issue(["a.example"], ORIGIN_CA).certificate
    alone = await shown(master, "a.example", real)
    assert real not in alone
    master.options.update(add_upstream_certs_to_client_chain=True)
    assert await shown(master, "a.example", real) == [*alone, real]
    assert len(await shown(master, "a.example")) == len(alone)  # no server has shown anything


async def test_those_that_cannot_be_sent_are_left_out(master: Master, caplog: pytest.LogCaptureFixture) -> None:
    master.options.update(add_upstream_certs_to_client_chain=True, ciphers_client="DEFAULT:@SECLEVEL=2")
    real = with_short_key().certificate
    assert real not in await shown(master, "a.example", real)
    assert "the server's certificates cannot be sent to the client: OpenSSL refuses to use it: " in caplog.text


# -- client_certs -----------------------------------------------------------------------------------------------------


async def seen_by_server(master: Master, host: str = "a.example", address: str = "192.0.2.9") -> str | None:
    """The common name in what a server that asks gets to see."""
    origin = server_context(issue([host, address], ORIGIN_CA))
    origin.verify_mode = ssl.CERT_OPTIONAL
    origin.load_verify_locations(cadata=ORIGIN_CA.public_pem().decode())
    context = make_context(sni=None if host == address else host, address=address)
    data = await start(master, TlsData(context.server, context))
    assert data.ssl_conn is not None, context.server.error
    _, theirs = await shake(data, origin)
    assert theirs.tls is not None
    der = theirs.tls.getpeercert(binary_form=True)
    return Cert.from_der(der).cn if der else None


def client_identity(name: str) -> Authority:
    return issue([], ORIGIN_CA, common_name=name, purpose=x509.ExtendedKeyUsageOID.CLIENT_AUTH)


async def test_one_for_all_servers(master: Master, tmp_path: Path) -> None:
    assert await seen_by_server(master) is None
    path = written(tmp_path / "me.pem", client_identity("me"), passphrase=b"geheim")
    master.options.update(cert_passphrase="geheim", client_certs=str(path))
    assert await seen_by_server(master) == await seen_by_server(master, "b.example") == "me"
    master.options.update(client_certs=None)
    assert await seen_by_server(master) is None


async def test_one_for_each_server(master: Master, tmp_path: Path) -> None:
    folder = tmp_path / "identities"
    folder.mkdir()
    for name in ("a.example", "192.0.2.7"):
        written(folder / f"{name}.pem", client_identity(f"for {name}"))
    written(tmp_path / "outside.pem", client_identity("outside"))
    master.options.update(client_certs=str(folder))
    assert await seen_by_server(master) == "for a.example"
    assert await seen_by_server(master, "192.0.2.7", "192.0.2.7") == "for 192.0.2.7"
    assert await seen_by_server(master, "b.example") is None
    contexts = make_context(sni="../outside")
    data = await start(master, TlsData(contexts.server, contexts))
    assert data.ssl_conn is None or data.ssl_conn.context is master.addons.get("tlsconfig")._upstream.context()


async def test_a_file_that_is_replaced_counts_at_once_and_a_broken_one_is_told(master: Master, tmp_path: Path) -> None:
    folder = tmp_path / "identities"
    folder.mkdir()
    path = written(folder / "a.example.pem", client_identity("old"))
    master.options.update(client_certs=str(folder))
    assert await seen_by_server(master) == "old"
    written(path, client_identity("new"))
    assert await seen_by_server(master) == "new"
    path.write_text("broken")
    context = make_context()
    data = await start(master, TlsData(context.server, context))
    assert data.ssl_conn is None
    assert context.server.error == f"no TLS with a.example: {path}: holds no certificate in PEM"


# -- request_client_cert ----------------------------------------------------------------------------------------------


async def test_clients_are_asked_and_anyone_is_let_in(master: Master, confdir: Path, tmp_path: Path) -> None:
    path = tmp_path / "client.pem"
    write_pem(path, issue([], None, common_name="nobody knows me"))
    master.options.update(request_client_cert=True)
    for shows in (True, False):
        context = make_context(offers=(b"http/1.1",))
        data = await start(master, TlsData(context.client, context))
        client = trusting_client(confdir)
        client.set_alpn_protocols(["http/1.1"])
        if shows:
            client.load_cert_chain(path)
        ours, theirs = await shake(data, client, "a.example")
        assert ours.tls is not None
        assert theirs.tls is not None
        assert [Cert.from_der(der).cn for der in peer_chain(ours.tls)] == ["nobody knows me"] * shows
        assert theirs.tls.selected_alpn_protocol() == "http/1.1"
    master.options.update(request_client_cert=False)
    context = make_context()
    data = await start(master, TlsData(context.client, context))
    assert isinstance(data.ssl_conn, ssl.SSLObject)


async def test_one_of_ones_own_is_shown_while_clients_are_asked(master: Master, tmp_path: Path) -> None:
    own = Authority.create("rsa")
    master.options.update(certs=[str(written(tmp_path / "own.pem", own))], request_client_cert=True)
    assert (await shown(master, "a.example"))[0] == own.certificate
    real = issue(["a.example"], ORIGIN_CA).certificate
    master.options.update(add_upstream_certs_to_client_chain=True)
    assert await shown(master, "a.example", real) == [own.certificate, real]


# -- the list of revoked certificates ---------------------------------------------------------------------------------


def with_list(*urls: str) -> x509.Certificate:
    """The certificate of a server that says where the list for it is."""
    now = datetime.datetime.now(datetime.UTC)
    points = [
        x509.DistributionPoint([x509.UniformResourceIdentifier(url)], relative_name=None, reasons=None, crl_issuer=None)
        for url in urls
    ]
    return (
        x509.CertificateBuilder()
        .subject_name(ORIGIN_CA.certificate.subject)
        .issuer_name(ORIGIN_CA.certificate.subject)
        .public_key(ORIGIN_CA.key.public_key())
        .serial_number(7)
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.CRLDistributionPoints(points), critical=False)
        .sign(ORIGIN_CA.key, ORIGIN_CA.certificate.signature_hash_algorithm)  # type: ignore[arg-type]
    )


async def test_the_list_is_where_our_leaf_says(master: Master, confdir: Path) -> None:
    authority = Authority.load(confdir / "midstream-ca.pem")
    leaf = (await shown(master, "a.example", with_list("ldap://a/x", "http://crl.test/ca.crl")))[0]
    (url,) = Cert(leaf).crl_distribution_points
    assert url == f"http://crl.test/{list_name(authority)}"
    assert Cert((await shown(master, "a.example"))[0]).crl_distribution_points == []
    flow = tflow()
    flow.live = True
    flow.request.url = url
    await master.events.request(flow)
    assert flow.response is not None
    assert flow.response.headers["content-type"] == "application/pkix-crl"
    assert flow.response.content is not None
    found = x509.load_der_x509_crl(flow.response.content)
    assert found.is_signature_valid(authority.key.public_key())  # type: ignore[arg-type]
    other = tflow()
    other.live = True
    await master.events.request(other)
    assert other.response is None
