"""What is known of TLS beside what the flow format holds: kept with the flow, and out of the way of scripts."""

import ssl

import pytest

from midstream.flows.connection import Client, Server
from midstream.flows.http import HTTPFlow
from midstream.flows.tls_facts import KEY
from midstream.testing import tflow
from midstream.wire.client_hello import parse


def hello() -> bytes:
    """What this Python says first."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    outgoing = ssl.MemoryBIO()
    engine = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="a.test")
    with pytest.raises(ssl.SSLWantReadError):
        engine.do_handshake()
    message = parse(outgoing.read())
    assert message is not None
    return message.raw


def flow_over_tls() -> HTTPFlow:
    flow = tflow()
    flow.client_conn.hello = hello()
    flow.client_conn.tls_resumed = True
    flow.metadata["mine"] = 1
    return flow


def test_they_are_saved_and_read_again() -> None:
    flow = flow_over_tls()
    state = flow.get_state()
    assert set(state["metadata"]) == {"mine", KEY}
    again = HTTPFlow.from_state(state)
    client = again.client_conn
    assert client.ja3 == flow.client_conn.ja3
    assert client.ja4 is not None
    assert client.ja4.startswith("t13d")
    assert (client.tls_resumed, again.server_conn.tls_resumed) == (True, False)
    assert again.metadata == flow.metadata == {"mine": 1}
    assert again.get_state() == state


def test_copies_and_reverted_flows_have_them_too() -> None:
    flow = flow_over_tls()
    assert flow.copy().client_conn.ja4 == flow.client_conn.ja4
    flow.backup()
    assert not flow.modified()
    flow.request.path = "/other"
    assert flow.modified()
    flow.revert()
    assert flow.metadata == {"mine": 1}
    assert flow.client_conn.ja3 is not None


def test_without_tls_nothing_is_added() -> None:
    assert KEY not in tflow().get_state()["metadata"]
    client = Client(peername=("127.0.0.1", 1), sockname=("127.0.0.1", 2))
    assert client.ja3 is client.ja4 is client.fingerprints is None


@pytest.mark.parametrize(
    "facts",
    [
        None,
        "text",
        {"ja3": 5, "ja4": b"x"},
        {"ja3": "0" * 32, "ja4": "\x1b[2J"},
        {"ja3": "0" * 33, "ja4": "t13d1516h2_8daaf6152771_e5627efa2ab1"},
        {"client_resumed": "yes"},
        {1: 2},
    ],
)
def test_what_a_foreign_file_says_is_checked(facts: object) -> None:
    state = tflow().get_state()
    state["metadata"] = {KEY: facts}
    flow = HTTPFlow.from_state(state)
    assert flow.client_conn.fingerprints is None
    assert not flow.client_conn.tls_resumed
    assert not isinstance(flow.server_conn, Client)
    assert isinstance(flow.server_conn, Server)
    assert flow.metadata == {}
