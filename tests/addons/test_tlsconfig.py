"""The default answers to the TLS events, and the options behind them."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from midstream.addons.tlsconfig import TlsConfig, TlsDefaults
from midstream.certs.authority import Authority
from midstream.certs.trust import peer_chain
from midstream.flows.certificate import Cert
from midstream.flows.connection import Client, Server
from midstream.flows.context import Context
from midstream.flows.errors import OptionsError
from midstream.flows.server_hooks import ServerConnectionHookData
from midstream.flows.tls import TlsData
from midstream.hub.master import Master
from midstream.hub.options import Options
from midstream.proxy.streams.memory import memory_pair
from midstream.proxy.streams.tls import TLSStream
from tests.kit.pki import issue, server_context

ORIGIN_CA = Authority.create()


@pytest.fixture
def confdir(tmp_path: Path) -> Path:
    return tmp_path / "conf"


@pytest.fixture
async def master(confdir: Path, tmp_path: Path) -> AsyncIterator[Master]:
    """A running master that trusts ORIGIN_CA."""
    origin = tmp_path / "origin.pem"
    origin.write_bytes(ORIGIN_CA.public_pem())
    master = make_master(confdir)
    master.options.update(ssl_verify_upstream_trusted_ca=str(origin))
    run = asyncio.ensure_future(master.run())
    await asyncio.wait_for(started(master), 10)
    yield master
    master.shutdown()
    await run


class Herald:
    def __init__(self) -> None:
        self.started = asyncio.Event()

    def running(self) -> None:
        self.started.set()


async def started(master: Master) -> None:
    await master.addons.get("herald").started.wait()


def make_master(confdir: Path) -> Master:
    options = Options()
    options.add_option("confdir", str, str(confdir), "The config folder.")
    master = Master(options)
    config = TlsConfig()
    master.addons.add(config, TlsDefaults(config), Herald())
    return master


def make_context(
    sni: str | None = "a.example", offers: tuple[bytes, ...] = (), address: str | None = "a.example"
) -> Context:
    client = Client(peername=("127.0.0.1", 5), sockname=("192.0.2.80", 8080), sni=sni, alpn_offers=offers)
    return Context(client, None, Server(address=(address, 443) if address else None))


async def start(master: Master, data: TlsData) -> TlsData:
    event = master.events.tls_start_client if isinstance(data.conn, Client) else master.events.tls_start_server
    await event(data)
    return data


async def shake(data: TlsData, other: ssl.SSLContext, name: str | None = None) -> tuple[TLSStream, TLSStream]:
    """Let the engine in `data` shake hands with `other`, which asks for `name` or is a server."""
    left, right = memory_pair()
    ours, theirs = TLSStream(left), TLSStream(right)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    engine = other.wrap_bio(incoming, outgoing, server_side=isinstance(data.conn, Server), server_hostname=name)
    assert data.ssl_conn is not None
    await asyncio.gather(
        ours.handshake(data.ssl_conn, data.incoming, data.outgoing, 5), theirs.handshake(engine, incoming, outgoing, 5)
    )
    return ours, theirs


def trusting_client(confdir: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    context.load_verify_locations(confdir / "midstream-ca-cert.pem")
    return context


# -- towards clients --------------------------------------------------------------------------------------------------


async def test_a_client_gets_a_certificate_it_accepts(master: Master, confdir: Path) -> None:
    context = make_context(offers=(b"http/1.1",))
    data = await start(master, TlsData(context.client, context))
    client = trusting_client(confdir)
    client.set_alpn_protocols(["http/1.1"])
    ours, theirs = await shake(data, client, "a.example")
    assert ours.tls is not None
    assert theirs.tls is not None
    assert ours.tls.selected_alpn_protocol() == "http/1.1"
    assert context.client.mitmcert is not None
    assert peer_chain(theirs.tls)[0] == context.client.mitmcert.der


@pytest.mark.parametrize(
    ("offers", "server", "forced", "http2", "agreed"),
    [
        (("h2", "http/1.1"), None, None, True, "h2"),
        (("http/1.1", "h2"), None, None, True, "http/1.1"),
        (("h2", "http/1.1"), None, None, False, "http/1.1"),
        (("unheard-of", "h2"), None, None, True, "h2"),
        (("unheard-of",), None, None, True, None),
        (("h2", "http/1.1"), b"http/1.1", None, True, "http/1.1"),
        (("http/1.1", "h2"), b"h2", None, True, "h2"),
        (("h2", "unheard-of"), b"unheard-of", None, True, "unheard-of"),
        (("h2", "http/1.1"), b"", None, True, "http/1.1"),
        (("h2",), b"", None, True, None),
        (("h2", "http/1.1"), b"h2", b"http/1.1", True, "http/1.1"),
        (("h2", "http/1.1"), b"h2", b"", True, None),
    ],
)
async def test_what_a_client_and_we_agree_on(
    master: Master,
    confdir: Path,
    offers: tuple[str, ...],
    server: bytes | None,
    forced: bytes | None,
    http2: bool,
    agreed: str | None,
) -> None:
    """What somebody forced, else what the server chose, else the client's first wish that is HTTP."""
    master.options.update(http2=http2)
    context = make_context(offers=tuple(offer.encode() for offer in offers))
    context.client.alpn = forced
    if server is not None:
        context.server.alpn, context.server.timestamp_tls_setup = server, 1.0
    data = await start(master, TlsData(context.client, context))
    client = trusting_client(confdir)
    client.set_alpn_protocols(offers)
    ours, _ = await shake(data, client, "a.example")
    assert ours.tls is not None
    assert ours.tls.selected_alpn_protocol() == agreed


async def test_without_alpn_nothing_is_selected(master: Master, confdir: Path) -> None:
    first = make_context(offers=(b"http/1.1",))
    await start(master, TlsData(first.client, first))
    context = make_context()
    data = await start(master, TlsData(context.client, context))
    ours, _ = await shake(data, trusting_client(confdir), "a.example")
    assert ours.tls is not None
    assert ours.tls.selected_alpn_protocol() is None


def names_of(context: Context) -> list[str]:
    cert = context.client.mitmcert
    assert cert is not None
    return [str(item.value) for item in cert.altnames]


async def test_names_come_from_the_real_certificate_then_from_the_client(master: Master) -> None:
    real = issue(["*.a.example", "b.example", "192.0.2.7"], None, common_name="c.example").certificate
    context = make_context(sni="x.a.example", address="d.example")
    context.server.certificate_list = [Cert(real)]
    await start(master, TlsData(context.client, context))
    # x.a.example is covered by the star: its siblings share this certificate.
    assert names_of(context) == ["c.example", "*.a.example", "b.example", "192.0.2.7"]
    sibling = make_context(sni="y.a.example", address="d.example")
    sibling.server.certificate_list = [Cert(real)]
    await start(master, TlsData(sibling.client, sibling))
    assert sibling.client.mitmcert == context.client.mitmcert
    master.options.update(upstream_cert=False)
    await start(master, TlsData(context.client, context))
    assert names_of(context) == ["x.a.example"]


@pytest.mark.parametrize(
    ("sni", "address", "names"),
    [
        ("a.example", None, ["a.example"]),
        (None, "192.0.2.9", ["192.0.2.9"]),
        (None, "2001:db8::1", ["2001:db8::1"]),
        (None, None, ["192.0.2.80"]),
        ("a.example", "A.example", ["a.example"]),
    ],
)
async def test_names_without_a_real_certificate(
    master: Master, sni: str | None, address: str | None, names: list[str]
) -> None:
    context = make_context(sni=sni, address=address)
    await start(master, TlsData(context.client, context))
    assert names_of(context) == names


async def test_a_real_certificate_that_nobody_can_read(master: Master) -> None:
    context = make_context()
    context.server.certificate_list = [Cert.from_der(b"\x30\x03\x02\x01\x01")]
    await start(master, TlsData(context.client, context))
    assert names_of(context) == ["a.example"]


async def test_the_first_setter_wins(master: Master) -> None:
    context = make_context()
    for conn in (context.client, context.server):
        data = TlsData(conn, context)
        other = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if conn is context.client else ssl.PROTOCOL_TLS_CLIENT)
        chosen = data.wrap(other, "other.example")
        await start(master, data)
        assert data.ssl_conn is chosen
    assert context.client.mitmcert is None


# -- towards servers --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("http2", "chosen"), [(True, "h2"), (False, "http/1.1")])
async def test_a_server_is_asked_for_what_the_client_asked_for(master: Master, http2: bool, chosen: str) -> None:
    master.options.update(http2=http2)
    seen: list[str | None] = []
    origin = server_context(issue(["a.example"], ORIGIN_CA))
    origin.set_alpn_protocols(["h2", "http/1.1"])
    origin.sni_callback = lambda tls, name, context: seen.append(name)
    offers = (b"unheard-of", b"h2", b"http/1.1", b"\xfa\xfa")
    context = make_context(offers=offers, address="192.0.2.9")
    data = await start(master, TlsData(context.server, context))
    ours, _ = await shake(data, origin)
    assert ours.tls is not None
    assert ours.tls.selected_alpn_protocol() == chosen
    assert seen == ["a.example"]
    offered = (b"unheard-of", b"h2", b"http/1.1") if http2 else (b"unheard-of", b"http/1.1")
    assert (context.server.sni, context.server.alpn_offers) == ("a.example", offered)


@pytest.mark.parametrize(
    ("sni", "address", "chosen", "sent"),
    [
        (None, "b.example", None, "b.example"),
        (None, "b.example.", None, "b.example"),
        ("a.example", "b.example", None, "a.example"),
        ("a.example", "b.example", "c.example", "c.example"),
        (None, "192.0.2.9", None, None),
        (None, "2001:db8::1", None, None),
    ],
)
async def test_server_names(
    master: Master, sni: str | None, address: str, chosen: str | None, sent: str | None
) -> None:
    context = make_context(sni=sni, address=address)
    context.server.sni = chosen
    data = await start(master, TlsData(context.server, context))
    await shake(data, server_context(issue([sent or address], ORIGIN_CA)))
    assert context.server.sni == sent
    assert context.server.alpn_offers == ()


async def test_a_server_that_proves_another_name_is_refused(master: Master) -> None:
    context = make_context()
    data = await start(master, TlsData(context.server, context))
    with pytest.raises(ssl.SSLError):
        await shake(data, server_context(issue(["b.example"], ORIGIN_CA)))


async def test_ssl_insecure_takes_effect_at_once_and_ends_at_once(master: Master) -> None:
    origin = server_context(issue(["other"], None, end=-0.5))
    context = make_context()
    master.options.update(ssl_insecure=True)
    await finish(master, context, await shake(await start(master, TlsData(context.server, context)), origin))
    master.options.update(ssl_insecure=False)
    again = make_context()
    with pytest.raises(ssl.SSLError):
        await shake(await start(master, TlsData(again.server, again)), origin)


async def finish(master: Master, context: Context, streams: tuple[TLSStream, TLSStream]) -> None:
    """What the proxy does with an upstream connection from its handshake to its end."""
    ours, theirs = streams
    data = TlsData(context.server, context, ours.tls)
    assert ours.tls is not None
    context.server.certificate_list = tuple(map(Cert.from_der, peer_chain(ours.tls)))
    await master.events.tls_established_server(data)
    theirs.write(b"hello")
    assert await ours.read() == b"hello"
    await master.events.server_disconnected(ServerConnectionHookData(context.server, context.client))


@pytest.mark.parametrize("maximum", ["TLS1_2", "TLS1_3"])
async def test_sessions_with_servers_are_resumed(master: Master, maximum: str) -> None:
    master.options.update(tls_version_server_max=maximum)
    middle = issue([], ORIGIN_CA, is_ca=True, common_name="middle")
    origin = server_context(issue(["a.example"], middle), middle)
    reused: list[bool | None] = []
    for offers in ((), (), (b"http/1.1",), (), ()):
        context = make_context(offers=offers)
        streams = await shake(await start(master, TlsData(context.server, context)), origin)
        assert streams[0].tls is not None
        reused.append(streams[0].tls.session_reused)
        await finish(master, context, streams)
        assert len(context.server.certificate_list) == 2
    # The first meeting leaves no session, and one with another ALPN offer is another meeting.
    assert reused == [False, False, False, True, True]


async def test_a_failed_handshake_forgets_the_session(master: Master) -> None:
    origin = server_context(issue(["a.example"], ORIGIN_CA))
    context = make_context()
    await finish(master, context, await shake(await start(master, TlsData(context.server, context)), origin))
    await master.events.tls_failed_server(TlsData(context.server, context))
    again = make_context()
    ours, _ = await shake(await start(master, TlsData(again.server, again)), origin)
    assert ours.tls is not None
    assert not ours.tls.session_reused


# -- options ----------------------------------------------------------------------------------------------------------


async def test_nothing_is_written_before_the_start(confdir: Path, tmp_path: Path) -> None:
    master = make_master(confdir)
    master.options.update(confdir=str(tmp_path / "elsewhere"), key_type="rsa")
    assert not confdir.exists()
    run = asyncio.ensure_future(master.run())
    await started(master)
    await asyncio.sleep(0)
    master.shutdown()
    await run
    assert not confdir.exists()
    assert (tmp_path / "elsewhere" / "midstream-ca.pem").exists()


async def test_a_ca_that_cannot_be_loaded_is_one_line_in_the_log(
    confdir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    confdir.mkdir(mode=0o700)
    (confdir / "midstream-ca.pem").write_text("broken")
    (confdir / "midstream-ca.pem").chmod(0o600)
    master = make_master(confdir)
    run = asyncio.ensure_future(master.run())
    await started(master)
    master.shutdown()
    await run
    errors = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert errors == [
        f"{confdir}/midstream-ca.pem: holds no private key; this file needs the CA's key and certificate, both in PEM"
    ]


async def test_the_ca_follows_the_config_folder(master: Master, confdir: Path, tmp_path: Path) -> None:
    context = make_context()
    await start(master, TlsData(context.client, context))
    first = context.client.mitmcert
    master.options.update(confdir=str(tmp_path / "elsewhere"))
    await start(master, TlsData(context.client, context))
    ca = x509.load_pem_x509_certificate((tmp_path / "elsewhere" / "midstream-ca-cert.pem").read_bytes())
    assert context.client.mitmcert is not None
    assert first is not None
    context.client.mitmcert.to_cryptography().verify_directly_issued_by(ca)
    (tmp_path / "file").write_text("")
    with pytest.raises(OptionsError, match="a file is in its place"):
        master.options.update(confdir=str(tmp_path / "file"))
    assert master.options.confdir == str(tmp_path / "elsewhere")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"tls_version_client_min": "TLS1_3", "tls_version_client_max": "TLS1_2"}, "is above the highest"),
        ({"tls_version_server_min": "TLS1_3", "tls_version_server_max": "TLS1_2"}, "is above the highest"),
        ({"ciphers_client": "NONSENSE"}, "ciphers_client: 'NONSENSE' selects no cipher"),
        ({"ciphers_server": "NONSENSE"}, "ciphers_server: 'NONSENSE' selects no cipher"),
        ({"ssl_verify_upstream_trusted_ca": "/nowhere/ca.pem"}, "/nowhere/ca.pem: No such file"),
        ({"ssl_verify_upstream_trusted_confdir": "/nowhere"}, "/nowhere: not a folder"),
        ({"key_type": "dsa"}, "dsa"),
        ({"key_size": 512}, "512"),
        ({"tls_version_client_min": "TLS9"}, "TLS9"),
    ],
)
async def test_bad_values_are_refused_and_rolled_back(master: Master, values: dict[str, object], message: str) -> None:
    before = {name: getattr(master.options, name) for name in values}
    with pytest.raises(OptionsError, match=message) as caught:
        master.options.update(**values)
    assert "\n" not in str(caught.value)
    assert {name: getattr(master.options, name) for name in values} == before
    context = make_context()
    assert (await start(master, TlsData(context.client, context))).ssl_conn is not None


async def test_versions_and_ciphers_reach_the_handshake(master: Master, confdir: Path) -> None:
    master.options.update(tls_version_client_max="TLS1_2", ciphers_client="ECDHE-ECDSA-AES128-GCM-SHA256")
    context = make_context()
    ours, _ = await shake(await start(master, TlsData(context.client, context)), trusting_client(confdir), "a.example")
    assert ours.tls is not None
    assert ours.tls.version() == "TLSv1.2"
    cipher = ours.tls.cipher()
    assert cipher is not None
    assert cipher[0] == "ECDHE-ECDSA-AES128-GCM-SHA256"


async def test_old_versions_without_their_level_are_warned_about(
    master: Master, caplog: pytest.LogCaptureFixture
) -> None:
    master.options.update(tls_version_server_min="TLS1", ciphers_server="DEFAULT")
    assert "@SECLEVEL=0" in caplog.text


async def test_a_passphrase_is_handed_to_the_ca(confdir: Path) -> None:
    ca = Authority.create()
    confdir.mkdir(mode=0o700)
    path = confdir / "midstream-ca.pem"
    path.touch(mode=0o600)
    path.write_bytes(
        ca.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption("gehéim".encode()),
        )
        + ca.public_pem()
    )
    master = make_master(confdir)
    master.options.update(cert_passphrase="gehéim")
    run = asyncio.ensure_future(master.run())
    await started(master)
    context = make_context()
    await start(master, TlsData(context.client, context))
    assert context.client.mitmcert is not None
    context.client.mitmcert.to_cryptography().verify_directly_issued_by(ca.certificate)
    master.shutdown()
    await run
