"""What the mode `dns` answers by itself, whom it asks for the rest, and what its options refuse."""

import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from midstream.addons import dnsresolver
from midstream.addons.dnsresolver import DnsResolver
from midstream.flows.dns import DNSFlow, Question, ResourceRecord, classes, op_codes, response_codes, types
from midstream.flows.errors import OptionsError
from midstream.flows.flow import Error
from midstream.flows.proxy_mode import ProxyMode
from midstream.proxy.dns import resolver as stub
from midstream.testing import context
from midstream.testing.flows import tdnsflow
from midstream.testing.messages import tdnsreq
from tests.kit.name_server import NameServer, address, name_server
from tests.kit.program import free_port


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files of a system that knows no name server and no hosts."""
    monkeypatch.setattr(dnsresolver, "HOSTS", tmp_path / "hosts")
    monkeypatch.setattr(dnsresolver, "RESOLV_CONF", tmp_path / "resolv.conf")
    return tmp_path


@pytest.fixture
async def server() -> AsyncIterator[NameServer]:
    records = {
        ("a.test", types.A): [address("a.test", "192.0.2.1")],
        ("a.test", types.AAAA): response_codes.NOERROR,
        ("sick.test", types.A): response_codes.REFUSED,
    }
    async with name_server(records) as running:
        yield running


def asked(name: str, type_: int = types.A, **request: object) -> DNSFlow:
    return tdnsflow(req=tdnsreq(questions=[Question(name, type_, classes.IN)], **request))


async def resolved(flow: DNSFlow, *, is_ours: dnsresolver.IsOurs | None = None, **options: object) -> DNSFlow:
    """The flow, after the addon saw its query."""
    addon = DnsResolver(is_ours) if is_ours is not None else DnsResolver()
    async with context(addon) as tests:
        tests.options.update(**options)
        await addon.dns_request(flow)
    return flow


def addresses(flow: DNSFlow) -> list[str]:
    assert flow.response is not None and flow.error is None
    assert flow.response.id == flow.request.id and flow.response.recursion_available
    assert all(record.ttl == 60 for record in flow.response.answers)
    return [str(record) for record in flow.response.answers]


async def test_an_address_from_a_chosen_server(files, server):
    flow = await resolved(asked("A.test"), dns_name_servers=[f"127.0.0.1:{server.port}"])
    assert addresses(flow) == ["192.0.2.1"]
    assert flow.response is not None and flow.response.answers[0].name == "A.test"


async def test_a_name_without_such_addresses_a_missing_one_and_a_refusal(files, server):
    chosen = {"dns_name_servers": [f"127.0.0.1:{server.port}"]}
    assert addresses(await resolved(asked("a.test", types.AAAA), **chosen)) == []
    for name, code in (("none.test", response_codes.NXDOMAIN), ("sick.test", response_codes.SERVFAIL)):
        flow = await resolved(asked(name), **chosen)
        assert flow.response is not None and flow.response.response_code == code


async def test_the_servers_of_the_system(files, monkeypatch):
    (files / "resolv.conf").write_text("nameserver 192.0.2.53\n")
    flow = await resolved(asked("a.test", types.MX))
    assert flow.server_conn.address == ("192.0.2.53", 53)
    assert flow.response is None and flow.error is None


async def test_other_questions_go_to_the_first_server(files, server):
    for flow in (
        asked("a.test", types.HTTPS),
        asked("a.test", op_code=op_codes.NOTIFY),
        tdnsflow(req=tdnsreq(questions=[Question("a.test", types.A, classes.CH)])),
        tdnsflow(req=tdnsreq(questions=[Question("a.test", types.A, classes.IN)] * 2)),
    ):
        await resolved(flow, dns_name_servers=["192.0.2.53", f"127.0.0.1:{server.port}"])
        assert flow.server_conn.address == ("192.0.2.53", 53)
        assert flow.response is None and flow.error is None
    assert server.asked == []


async def test_the_hosts_file_comes_first_if_it_is_to(files, server):
    (files / "hosts").write_text("192.0.2.9 a.test\n2001:db8::9 six.test\n")
    chosen = {"dns_name_servers": [f"127.0.0.1:{server.port}"]}
    assert addresses(await resolved(asked("a.test"), **chosen)) == ["192.0.2.9"]
    assert addresses(await resolved(asked("six.test"), **chosen)) == []
    assert addresses(await resolved(asked("a.test"), dns_use_hosts_file=False, **chosen)) == ["192.0.2.1"]


async def test_localhost_is_this_machine(files, server):
    chosen = {"dns_name_servers": [f"127.0.0.1:{server.port}"]}
    (files / "hosts").write_text("127.0.0.9 localhost\n")
    assert addresses(await resolved(asked("LocalHost"), **chosen)) == ["127.0.0.9"]
    assert addresses(await resolved(asked("localhost", types.AAAA), **chosen)) == ["::1"]
    assert addresses(await resolved(asked("a.localhost"), **chosen)) == ["127.0.0.1"]
    assert server.asked == []


async def test_a_server_that_does_not_answer(files, monkeypatch):
    monkeypatch.setattr(stub, "PATIENCE", 0.05)
    flow = await resolved(asked("a.test"), dns_name_servers=[f"127.0.0.1:{free_port()}"])
    assert flow.response is None and flow.error is not None and "nothing listens there" in flow.error.msg


async def test_without_servers_the_system_looks_addresses_up(files):
    assert "127.0.0.1" in addresses(await resolved(asked("a.localhost")))
    name = socket.gethostname()  # what this machine knows by itself, if it knows that
    flow = await resolved(asked(name))
    assert flow.error is None and flow.response is not None
    flow = await resolved(asked("a.test", types.MX))
    assert flow.error == Error(dnsresolver.NO_SERVERS, flow.error.timestamp if flow.error else 0)


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (socket.gaierror(socket.EAI_NONAME, "not known"), response_codes.NXDOMAIN),
        (socket.gaierror(socket.EAI_AGAIN, "try again"), response_codes.SERVFAIL),
        (socket.gaierror(dnsresolver._EMPTY[0], "no address"), response_codes.NOERROR),
        (UnicodeError("label too long"), response_codes.SERVFAIL),
        (OSError("no more files"), response_codes.SERVFAIL),
    ],
)
def test_what_the_system_says_of_a_name(failure, code):
    assert dnsresolver.code_of(failure) == code


async def test_we_do_not_ask_ourselves(files, server):
    (files / "resolv.conf").write_text("nameserver 127.0.0.1\n")
    flow = await resolved(asked("a.test", types.MX), is_ours=lambda address, transport: address == ("127.0.0.1", 53))
    assert flow.error is not None and flow.error.msg == dnsresolver.NO_SERVERS


async def test_others_are_left_alone(files):
    def answered() -> DNSFlow:
        return tdnsflow(resp=True)

    def of_mode(spec: str) -> DNSFlow:
        flow = asked("localhost")
        flow.client_conn.proxy_mode = ProxyMode.parse(spec)
        return flow

    flows = [tdnsflow(err=True), tdnsflow(live=False), of_mode("regular"), of_mode("reverse:dns://192.0.2.1")]
    for flow in flows:
        before = flow.server_conn.address
        await resolved(flow)
        assert flow.response is None and flow.server_conn.address == before
    flow = answered()
    response = flow.response
    assert (await resolved(flow)).response is response


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("192.0.2.1", ("192.0.2.1", 53)),
        ("192.0.2.1:5353", ("192.0.2.1", 5353)),
        ("2001:db8::1", ("2001:db8::1", 53)),
        ("[2001:db8::1]", ("2001:db8::1", 53)),
        ("[2001:db8::1]:54", ("2001:db8::1", 54)),
    ],
)
async def test_how_a_server_may_be_written(files, text, server):
    flow = await resolved(asked("a.test", types.MX), dns_name_servers=[text])
    assert flow.server_conn.address == server


@pytest.mark.parametrize("text", ["name.test", "", "192.0.2.1:0", "192.0.2.1:http", "192.0.2.1:65536", "[::1", "1.2.3"])
async def test_what_is_no_server(files, text):
    with pytest.raises(OptionsError, match="dns_name_servers: "):
        await resolved(asked("a.test"), dns_name_servers=[text])


def test_records_keep_the_default_time_to_live():
    assert ResourceRecord.DEFAULT_TTL == 60
