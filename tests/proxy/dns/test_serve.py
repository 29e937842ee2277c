"""DNS served in memory: what passes, what addons may do, which answers are believed, and what hostile bytes get."""

import asyncio
from collections.abc import Callable
from ipaddress import IPv4Address

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from midstream.flows.connection import Server
from midstream.flows.dns import DNSFlow, DNSMessage, Question, ResourceRecord, classes, op_codes, response_codes, types
from midstream.flows.flow import Error
from midstream.proxy.client_context import ClientContext
from midstream.proxy.dns import messages, upstream
from midstream.proxy.dns.serve import serve_dns
from midstream.proxy.streams.memory import memory_pair
from midstream.proxy.streams.stream import Stream
from midstream.proxy.tunnels.udp import UDP_IDLE
from midstream.proxy.watch import now
from tests.kit.conversation import PATIENCE, Conversation, Pair, conversation
from tests.kit.datagrams import datagram_pair
from tests.kit.waiting import until

TARGET = ("192.0.2.53", 53)

# A query as dig sends it: with an EDNS cookie, and the name in mixed case.
QUESTION = b"\x01E\x07example\x03com\x00" + bytes.fromhex("00010001")
COOKIE = bytes.fromhex("00 0029 1000 00000000 000c 000a 0008 1122334455667788")
QUERY = bytes.fromhex("1a2b 0120 0001 0000 0000 0001") + QUESTION + COOKIE
# Compressed as we would not do it: the second record's name is within the data of the first.
REPLY = (
    bytes.fromhex("1a2b 8180 0001 0002 0000 0000")
    + QUESTION
    + bytes.fromhex("c00c 0005 0001 0000003c 0006 03777777 c00e")
    + bytes.fromhex("c02b 0001 0001 0000003c 0004 c0000201")
)


async def serve_fixed(stream: Stream, context: ClientContext) -> None:
    """What `reverse:dns://` does."""
    tcp = stream.transport == "tcp"
    server = Server(address=TARGET)
    dial = context.dialler.open_tcp if tcp else context.dialler.open_udp
    await serve_dns(stream, lambda: dial(server), server, context, tcp)


async def serve_open(stream: Stream, context: ClientContext) -> None:
    """What the mode `dns` does."""
    await serve_dns(stream, None, Server(address=None), context, stream.transport == "tcp")


class Talk:
    """Messages to and from one end."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.heard = b""

    def say(self, message: bytes) -> None:
        framed = self.stream.transport == "tcp"
        self.stream.write(len(message).to_bytes(2, "big") + message if framed else message)

    async def take(self) -> bytes:
        async with asyncio.timeout(PATIENCE):
            if self.stream.transport == "udp":
                return await self.stream.receive() or b""
            while len(self.heard) < 2 or len(self.heard) < 2 + int.from_bytes(self.heard[:2], "big"):
                more = await self.stream.read()
                assert more, "the end came within a message"
                self.heard += more
            end = 2 + int.from_bytes(self.heard[:2], "big")
            message, self.heard = self.heard[2:end], self.heard[end:]
            return message


@pytest.fixture(params=["udp", "tcp"])
def pair(request: pytest.FixtureRequest) -> Pair:
    """What carries the messages."""
    return datagram_pair if request.param == "udp" else memory_pair


def query(name: str = "a.test", type_: int = types.A, id_: int = 7, **fields: object) -> DNSMessage:
    state = {
        "id": id_, "query": True, "op_code": op_codes.QUERY, "authoritative_answer": False, "truncation": False,
        "recursion_desired": True, "recursion_available": False, "reserved": 0, "response_code": 0,
        "questions": [Question(name, type_, classes.IN)],
    }  # fmt: skip
    return DNSMessage(**{**state, **fields})  # type: ignore[arg-type]


def answer(asked: DNSMessage, ip: str = "192.0.2.1") -> DNSMessage:
    assert asked.question is not None
    return asked.succeed([ResourceRecord.A(asked.question.name, IPv4Address(ip))])


def talks(talk: Conversation) -> Talk:
    return Talk(talk.client.stream)


async def server_of(talk: Conversation) -> Talk:
    return Talk((await talk.server()).stream)


async def test_what_nobody_changes_passes_as_the_bytes_that_came(pair):
    async with conversation(serve=serve_fixed, pair=pair) as talk:
        client = talks(talk)
        client.say(QUERY)
        server = await server_of(talk)
        assert await server.take() == QUERY
        server.say(REPLY)
        assert await client.take() == REPLY
        assert talk.recorder.names() == ["dns_request", "dns_response"]
        flow = talk.recorder.last("dns_response")
        assert isinstance(flow, DNSFlow) and flow.response is not None
        assert flow.request.question == Question("E.example.com", types.A, classes.IN)
        assert flow.server_conn.address == TARGET
        assert (
            flow.client_conn.transport_protocol == flow.server_conn.transport_protocol == talk.client.stream.transport
        )
        await until(lambda: not flow.live, "the flow is over")
        assert talk.dialled == [TARGET]


async def test_several_queries_share_a_connection_and_are_answered_as_answers_come(pair):
    first, second = query("first.test", id_=1), query("second.test", id_=1)
    async with conversation(serve=serve_fixed, pair=pair) as talk:
        client = talks(talk)
        client.say(first.packed)
        client.say(second.packed)
        server = await server_of(talk)
        assert [await server.take(), await server.take()] == [first.packed, second.packed]
        server.say(answer(second).packed)
        assert await client.take() == answer(second).packed
        server.say(answer(first).packed)
        assert await client.take() == answer(first).packed
        assert talk.dialled == [TARGET]


class Does:
    """Handlers given as functions."""

    def __init__(self, **handlers: Callable[[DNSFlow], object]) -> None:
        for name, handler in handlers.items():
            setattr(self, name, handler)


def set_response(flow: DNSFlow) -> None:
    flow.response = answer(flow.request, "192.0.2.99")


async def test_an_addon_answers(pair):
    async with conversation(Does(dns_request=set_response), serve=serve_fixed, pair=pair) as talk:
        client = talks(talk)
        client.say(query().packed)
        assert await client.take() == answer(query(), "192.0.2.99").packed
        assert talk.recorder.names() == ["dns_request", "dns_response"]
        assert talk.dialled == []


async def test_an_addon_refuses(pair, caplog):
    def refuse(flow: DNSFlow) -> None:
        flow.error = Error("not today")

    async with conversation(Does(dns_request=refuse), serve=serve_fixed, pair=pair) as talk:
        client = talks(talk)
        client.say(query().packed)
        assert await client.take() == query().fail(response_codes.SERVFAIL).packed
        assert talk.recorder.names() == ["dns_request", "dns_error"]
        assert str(talk.recorder.last("dns_error").error) == "not today"
        assert talk.dialled == [] and "not today" not in caplog.text


async def test_an_addon_suppresses_the_answer(pair):
    def suppress(flow: DNSFlow) -> None:
        if flow.request.id == 1:
            flow.response = None

    async with conversation(Does(dns_response=suppress), serve=serve_fixed, pair=pair) as talk:
        client = talks(talk)
        client.say(query(id_=1).packed)
        server = await server_of(talk)
        await server.take()
        server.say(answer(query(id_=1)).packed)
        await until(lambda: "dns_response" in talk.recorder.names(), "it was answered")
        client.say(query(id_=2).packed)
        server.say(answer(DNSMessage.unpack(await server.take())).packed)
        assert (await client.take())[:2] == b"\x00\x02"


async def test_an_addon_changes_query_and_answer(pair):
    def other_name(flow: DNSFlow) -> None:
        flow.request.questions[0].name = "other.test"
        flow.request.id = 99

    def other_address(flow: DNSFlow) -> None:
        assert flow.response is not None
        flow.response.answers[0].ipv4_address = IPv4Address("192.0.2.200")

    async with conversation(
        Does(dns_request=other_name, dns_response=other_address), serve=serve_fixed, pair=pair
    ) as talk:
        client = talks(talk)
        client.say(query(id_=7).packed)
        server = await server_of(talk)
        asked = DNSMessage.unpack(await server.take())
        assert (asked.id, asked.question) == (99, Question("other.test", types.A, classes.IN))
        server.say(answer(asked).packed)
        got = DNSMessage.unpack(await client.take())
        assert got.id == 7  # the client's own
        assert got.answers[0].ipv4_address == IPv4Address("192.0.2.200")


@pytest.mark.parametrize("event", ["dns_request", "dns_response"])
async def test_a_mistake_of_an_addon_is_servfail_and_names_the_addon(pair, event, caplog):
    def spoil(flow: DNSFlow) -> None:
        broken = answer(flow.request) if event == "dns_response" else flow.request
        broken.additionals.append(ResourceRecord("a.test", types.A, classes.IN, -1, b""))
        setattr(flow, event.removeprefix("dns_"), broken)

    async with conversation(Does(**{event: spoil}), serve=serve_fixed, pair=pair) as talk:
        client = talks(talk)
        client.say(query().packed)
        if event == "dns_response":
            server = await server_of(talk)
            await server.take()
            server.say(answer(query()).packed)
        assert await client.take() == query().fail(response_codes.SERVFAIL).packed
        assert "a DNS message cannot be sent: " in caplog.text
        assert "(by " in caplog.text


@pytest.mark.parametrize("event", ["dns_request", "dns_response"])
async def test_a_killed_query_fails_and_the_others_are_answered(pair, event):
    def kill(flow: DNSFlow) -> None:
        if flow.request.id == 1:
            flow.kill()

    async with conversation(Does(**{event: kill}), serve=serve_fixed, pair=pair) as talk:
        client = talks(talk)
        for id_ in (1, 2):
            client.say(query(id_=id_).packed)
        server = await server_of(talk)
        for _ in range(2 if event == "dns_response" else 1):
            server.say(answer(DNSMessage.unpack(await server.take())).packed)
        got = [await client.take(), await client.take()]
        assert query(id_=1).fail(response_codes.SERVFAIL).packed in got
        assert answer(query(id_=2)).packed in got
        errors = [flow for name, flow in talk.recorder.seen if name == "dns_error"]
        assert [str(flow.error) for flow in errors] == (["Connection killed."] if event == "dns_request" else [])


async def test_a_person_kills_what_waits_for_its_answer(pair):
    async with conversation(serve=serve_fixed, pair=pair) as talk:
        client = talks(talk)
        client.say(query(id_=1).packed)
        server = await server_of(talk)
        await server.take()
        talk.recorder.last("dns_request").kill()
        assert await client.take() == query(id_=1).fail(response_codes.SERVFAIL).packed
        assert talk.recorder.names() == ["dns_request", "dns_error"]
        client.say(query(id_=2).packed)
        server.say(answer(DNSMessage.unpack(await server.take())).packed)
        assert await client.take() == answer(query(id_=2)).packed


async def test_a_client_that_takes_nothing_is_left(monkeypatch):
    monkeypatch.setattr(messages, "TAKE_PATIENCE", 0.05)
    long = [ResourceRecord.TXT("a.test", "x" * 250)] * 50

    def answer_long(flow: DNSFlow) -> None:
        flow.response = flow.request.succeed(long)

    async with conversation(Does(dns_request=answer_long), serve=serve_fixed, capacity=1000) as talk:
        client = talks(talk)
        for id_ in range(5):
            client.say(query(id_=id_).packed)
        await talk.over()
        assert talk.task.exception() is None


async def test_a_held_query_waits_without_a_limit_and_holds_no_other(pair):
    def hold(flow: DNSFlow) -> None:
        if flow.request.id == 1:
            flow.intercept()

    async with conversation(Does(dns_request=hold), serve=serve_fixed, pair=pair) as talk:
        client = talks(talk)
        client.say(query(id_=1).packed)
        client.say(query(id_=2).packed)
        server = await server_of(talk)
        server.say(answer(DNSMessage.unpack(await server.take())).packed)
        assert (await client.take())[:2] == b"\x00\x02"
        assert talk.context.watch.deadline == float("inf")
        next(flow for name, flow in talk.recorder.seen if isinstance(flow, DNSFlow) and flow.request.id == 1).resume()
        server.say(answer(DNSMessage.unpack(await server.take())).packed)
        assert (await client.take())[:2] == b"\x00\x01"


# -- which answers are believed --


async def test_what_was_not_asked_for_is_no_answer(pair, caplog):
    asked = query("a.test", id_=7)
    lies = [
        answer(query("a.test", id_=8)),
        answer(query("b.test", id_=7)),
        answer(query("a.test", id_=7, questions=[Question("a.test", types.A, classes.CH)])),
        asked,  # a query
        asked.succeed([]),
    ]
    lies[-1].questions = []
    async with conversation(serve=serve_fixed, pair=pair) as talk:
        client = talks(talk)
        client.say(asked.packed)
        server = await server_of(talk)
        await server.take()
        for lie in lies:
            server.say(lie.packed)
        server.say(b"no message")
        server.say(answer(asked).packed)
        assert await client.take() == answer(asked).packed
        assert caplog.text.count("192.0.2.53:53 sent an answer to something that was not asked") == 1


async def test_names_of_answers_compare_without_case(pair):
    async with conversation(serve=serve_fixed, pair=pair) as talk:
        client = talks(talk)
        client.say(query("A.tEST").packed)
        server = await server_of(talk)
        await server.take()
        server.say(answer(query("a.test")).packed)
        assert await client.take() == answer(query("a.test")).packed


@pytest.mark.parametrize(
    ("asked", "code"),
    [(query(), response_codes.FORMERR), (query(op_code=op_codes.UPDATE), response_codes.NOERROR)],
    ids=["refusal", "update"],
)
async def test_answers_that_need_not_repeat_the_question(pair, asked, code):
    reply = query(query=False, op_code=asked.op_code, response_code=code, questions=[])
    async with conversation(serve=serve_fixed, pair=pair) as talk:
        client = talks(talk)
        client.say(asked.packed)
        server = await server_of(talk)
        await server.take()
        server.say(reply.packed)
        assert await client.take() == reply.packed


async def test_a_server_that_never_answers(pair, monkeypatch, caplog):
    monkeypatch.setattr(upstream, "ANSWER_PATIENCE", 0.01)
    monkeypatch.setattr(upstream.Upstream.ask, "__defaults__", (0.01,))
    async with conversation(serve=serve_fixed, pair=pair) as talk:
        client = talks(talk)
        client.say(query().packed)
        assert await client.take() == query().fail(response_codes.SERVFAIL).packed
        assert "DNS a.test: 192.0.2.53:53 did not answer within 0.01 s" in caplog.text
        assert talk.recorder.names() == ["dns_request", "dns_error"]


async def test_a_server_that_cannot_be_reached(pair, caplog):
    async with conversation(serve=serve_fixed, pair=pair) as talk:
        talk.refusing.add(TARGET)
        client = talks(talk)
        client.say(query().packed)
        assert await client.take() == query().fail(response_codes.SERVFAIL).packed
        assert "192.0.2.53:53 refused the connection" in caplog.text


async def test_a_datagram_that_nobody_took_is_servfail_at_once():
    async with conversation(serve=serve_fixed, pair=datagram_pair) as talk:
        client = talks(talk)
        client.say(query().packed)
        server = await server_of(talk)
        await server.take()
        talk.opened[0].fail(ConnectionRefusedError(111, "refused"))  # type: ignore[attr-defined]
        assert await client.take() == query().fail(response_codes.SERVFAIL).packed
        client.say(query(id_=8).packed)  # the server may be there by now
        server.say(answer(DNSMessage.unpack(await server.take())).packed)
        assert (await client.take())[:2] == b"\x00\x08"


async def test_a_server_that_leaves_ends_the_clients_connection_and_answers_what_was_asked():
    async with conversation(serve=serve_fixed) as talk:
        client = talks(talk)
        client.say(query().packed)
        server = await server_of(talk)
        await server.take()
        server.stream.close()
        assert await client.take() == query().fail(response_codes.SERVFAIL).packed
        await talk.client.expect_closed()
        await talk.over()


async def test_a_client_that_has_asked_all_still_gets_its_answer():
    async with conversation(serve=serve_fixed) as talk:
        client = talks(talk)
        client.say(query().packed)
        client.stream.write_eof()
        server = await server_of(talk)
        await server.take()
        server.say(answer(query()).packed)
        assert await client.take() == answer(query()).packed
        await talk.client.expect_closed()
        await talk.over()
        assert server.stream.at_eof


async def test_a_client_that_repeats_itself_is_no_second_flow():
    async with conversation(serve=serve_fixed, pair=datagram_pair) as talk:
        client = talks(talk)
        client.say(QUERY)
        server = await server_of(talk)
        assert await server.take() == QUERY
        client.say(QUERY)
        assert await server.take() == QUERY
        assert talk.recorder.names() == ["dns_request"]


async def test_zone_transfers_are_refused():
    async with conversation(serve=serve_fixed) as talk:
        client = talks(talk)
        client.say(query(type_=types.AXFR).packed)
        assert DNSMessage.unpack(await client.take()).response_code == response_codes.SERVFAIL
        assert "zone transfers are not passed on" in str(talk.recorder.last("dns_error").error)


async def test_dns_inside_of_a_tunnel():
    async with conversation() as talk:
        client = talks(talk)
        talk.say(b"CONNECT ns.test:53 HTTP/1.1\r\n\r\n")
        await talk.client.head()
        client.say(query().packed)
        server = await server_of(talk)
        assert await server.take() == query().packed
        server.say(answer(query()).packed)
        assert await client.take() == answer(query()).packed
        assert talk.recorder.names()[-2:] == ["dns_request", "dns_response"]
        assert talk.dialled == [("ns.test", 53)]


# -- without a server of its own --


async def test_nobody_is_known_to_ask(pair, caplog):
    async with conversation(serve=serve_open, pair=pair) as talk:
        client = talks(talk)
        client.say(query().packed)
        assert await client.take() == query().fail(response_codes.SERVFAIL).packed
        assert "DNS a.test: no name server is known that could be asked" in caplog.text


async def test_an_addon_names_the_server_of_each_query(pair):
    def choose(flow: DNSFlow) -> None:
        flow.server_conn.address = ("192.0.2.1" if flow.request.id < 10 else "192.0.2.2", 53)

    async with conversation(Does(dns_request=choose), serve=serve_open, pair=pair) as talk:
        client = talks(talk)
        servers: dict[int, Talk] = {}
        for id_, which in ((1, 0), (10, 1), (2, 0), (11, 1)):
            client.say(query(id_=id_).packed)
            if which not in servers:
                servers[which] = await server_of(talk)
            servers[which].say(answer(DNSMessage.unpack(await servers[which].take())).packed)
            assert (await client.take())[:2] == id_.to_bytes(2, "big")
        assert talk.dialled == [("192.0.2.1", 53), ("192.0.2.2", 53)]


async def test_a_server_that_an_addon_named_and_that_left_is_dialled_again():
    def choose(flow: DNSFlow) -> None:
        flow.server_conn.address = TARGET

    async with conversation(Does(dns_request=choose), serve=serve_open) as talk:
        client = talks(talk)
        for id_ in (1, 2):
            client.say(query(id_=id_).packed)
            server = await server_of(talk)
            server.say(answer(DNSMessage.unpack(await server.take())).packed)
            assert (await client.take())[:2] == id_.to_bytes(2, "big")
            server.stream.close()
            await until(lambda: talk.opened[-1].at_eof, "the proxy has seen it")
        assert talk.dialled == [TARGET, TARGET]


# -- bounds and hostile bytes --


async def test_a_long_answer_of_ours_fits_into_what_the_client_takes(pair):
    many = [ResourceRecord.TXT("a.test", "x" * 250) for _ in range(10)]

    def answer_long(flow: DNSFlow) -> None:
        flow.response = flow.request.succeed(many)

    roomy = ResourceRecord("", types.OPT, 4096, 0, b"")
    async with conversation(Does(dns_request=answer_long), serve=serve_fixed, pair=pair) as talk:
        client = talks(talk)
        client.say(query().packed)
        got = DNSMessage.unpack(await client.take())
        if client.stream.transport == "udp":
            assert got.truncation and got.answers == []
        else:
            assert not got.truncation and len(got.answers) == 10
        client.say(query(id_=8, additionals=[roomy]).packed)
        got = DNSMessage.unpack(await client.take())
        assert not got.truncation and len(got.answers) == 10


async def test_a_query_that_cannot_be_read_is_a_format_error(pair, caplog):
    bad = QUERY[:12] + b"\xff" + QUERY[13:]
    async with conversation(serve=serve_fixed, pair=pair) as talk:
        client = talks(talk)
        for _ in range(3):
            client.say(bad)
            assert await client.take() == QUERY[:2] + bytes.fromhex("8101") + bytes(8)
        assert caplog.text.count("what a client sent is no DNS message") == 1
        assert talk.recorder.names() == []
        client.say(b"short")
        client.say(answer(query()).packed)  # to nothing
        client.say(query(type_=types.AXFR).packed)
        assert DNSMessage.unpack(await client.take()).response_code == response_codes.SERVFAIL


async def test_silence_ends_it(pair):
    async with conversation(Does(dns_request=set_response), serve=serve_fixed, pair=pair) as talk:
        client = talks(talk)
        patience = UDP_IDLE if client.stream.transport == "udp" else talk.context.settings.idle_timeout
        client.say(query().packed)
        await client.take()
        await until(lambda: patience - 1 < talk.context.watch.deadline - now() <= patience, "it waits")
        talk.context.watch.expire()
        await talk.over()


async def test_queries_under_way_are_bounded():
    async with conversation(
        Does(dns_request=lambda flow: flow.intercept()), serve=serve_fixed, pair=datagram_pair
    ) as talk:
        client = talks(talk)
        for id_ in range(1000):
            client.say(query(id_=id_).packed)
        await until(lambda: len(talk.recorder.names()) == 100, "as many as may be")
        for _ in range(20):
            await asyncio.sleep(0)
        assert len(talk.recorder.names()) == 100
        assert talk.client.stream.transport == "udp"


@given(junk=st.lists(st.binary(max_size=80) | st.binary(max_size=40).map(lambda tail: QUERY[:12] + tail), max_size=6))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_datagrams_harm_a_conversation(junk):
    async def run() -> None:
        async with conversation(Does(dns_request=set_response), serve=serve_open, pair=datagram_pair) as talk:
            client = talks(talk)
            for data in junk:
                client.say(data)
            client.say(query(id_=0xBEEF).packed)
            while (await client.take())[:2] != b"\xbe\xef":
                pass
            assert not talk.task.done()

    asyncio.run(run())


@given(junk=st.lists(st.binary(max_size=80), max_size=6), cut=st.integers(0, 30))
@settings(max_examples=40, deadline=None)
def test_no_bytes_over_tcp_raise_out(junk, cut):
    async def run() -> None:
        async with conversation(Does(dns_request=set_response), serve=serve_open) as talk:
            client = talks(talk)
            for data in junk:
                client.say(data)
            client.stream.write(QUERY[:cut])
            client.stream.write_eof()
            await talk.client.rest()
            await talk.over()
            assert talk.task.exception() is None

    asyncio.run(run())
