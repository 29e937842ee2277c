"""Hypothesis strategies for flow states of every type, in the layout of saved flows (version 21)."""

from typing import Any

from hypothesis import strategies as st

TEXT = st.text(max_size=8)
BYTES = st.binary(max_size=8)
TIME = st.floats(0, 2e9) | st.integers(0, 2_000_000_000)
PORT = st.integers(0, 65535)
ADDRESS = st.tuples(TEXT, PORT) | st.tuples(TEXT, PORT, st.integers(0, 9), st.integers(0, 9))
HEADERS = st.lists(st.tuples(BYTES, BYTES), max_size=4).map(tuple)
PEM = (
    b"-----BEGIN CERTIFICATE-----\n"
    b"MIIBBzCBraADAgECAgFNMAoGCCqGSM49BAMCMAwxCjAIBgNVBAMMAWEwHhcNMjAw\n"
    b"-----END CERTIFICATE-----\n"
)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


CONNECTION = {
    "peername": maybe(ADDRESS),
    "sockname": maybe(ADDRESS),
    "id": st.uuids().map(str),
    "transport_protocol": st.sampled_from(["tcp", "udp"]),
    "error": maybe(TEXT),
    "tls": st.booleans(),
    "certificate_list": st.lists(st.just(PEM), max_size=2),
    "alpn": maybe(BYTES),
    "alpn_offers": st.lists(BYTES, max_size=2),
    "cipher": maybe(TEXT),
    "cipher_list": st.lists(TEXT, max_size=2),
    "tls_version": st.sampled_from([None, "TLSv1.2", "QUICv1"]),
    "sni": maybe(TEXT),
    "timestamp_start": maybe(TIME),
    "timestamp_end": maybe(TIME),
    "timestamp_tls_setup": maybe(TIME),
}
CLIENT = st.fixed_dictionaries(
    {
        **CONNECTION,
        "peername": ADDRESS,
        "sockname": ADDRESS,
        "timestamp_start": TIME,
        "mitmcert": maybe(st.just(PEM)),
        "proxy_mode": st.sampled_from(["regular", "reverse:https://h:2@3", "socks5@::1:90"]),
    }
)
SERVER = st.fixed_dictionaries(
    {
        **CONNECTION,
        "address": maybe(st.tuples(TEXT, PORT)),
        "timestamp_tcp_setup": maybe(TIME),
        "via": maybe(st.tuples(st.sampled_from(["http", "https"]), st.tuples(TEXT, PORT))),
    }
)
MESSAGE = {
    "http_version": st.sampled_from([b"HTTP/1.1", b"HTTP/2.0"]),
    "headers": HEADERS,
    "content": maybe(BYTES),
    "trailers": maybe(HEADERS),
    "timestamp_start": TIME,
    "timestamp_end": maybe(TIME),
}
REQUEST = st.fixed_dictionaries(
    {**MESSAGE, "host": TEXT, "port": PORT, "method": BYTES, "scheme": BYTES, "authority": BYTES, "path": BYTES}
)
RESPONSE = st.fixed_dictionaries({**MESSAGE, "status_code": st.integers(100, 599), "reason": BYTES})
WEBSOCKET = st.fixed_dictionaries(
    {
        "messages": st.lists(
            st.tuples(st.sampled_from([1, 2]), st.booleans(), BYTES, TIME, st.booleans(), st.booleans()), max_size=3
        ),
        "closed_by_client": maybe(st.booleans()),
        "close_code": maybe(st.integers(1000, 4999)),
        "close_reason": maybe(TEXT),
        "timestamp_end": maybe(TIME),
    }
)
QUESTION = {"name": TEXT, "type": PORT, "class_": PORT}
RECORD = st.fixed_dictionaries({**QUESTION, "ttl": st.integers(0, 2**32 - 1), "data": BYTES})
DNS_FLAGS = ("query", "authoritative_answer", "truncation", "recursion_desired", "recursion_available")
DNS_MESSAGE = st.fixed_dictionaries(
    {
        "id": PORT,
        **dict.fromkeys(DNS_FLAGS, st.booleans()),
        "op_code": st.integers(0, 15),
        "reserved": st.integers(0, 7),
        "response_code": st.integers(0, 15),
        "questions": st.lists(st.fixed_dictionaries(QUESTION), max_size=2),
        **dict.fromkeys(("answers", "authorities", "additionals"), st.lists(RECORD, max_size=2)),
        "timestamp": maybe(TIME),
    }
)
TUNNEL = {"messages": st.lists(st.tuples(st.booleans(), BYTES, TIME), max_size=3)}
PARTS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "http": {"request": REQUEST, "response": maybe(RESPONSE), "websocket": maybe(WEBSOCKET)},
    "tcp": TUNNEL,
    "udp": TUNNEL,
    "dns": {"request": DNS_MESSAGE, "response": maybe(DNS_MESSAGE)},
}


def flow_states(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    """States of flows of one type."""
    return st.fixed_dictionaries(
        {
            "version": st.just(21),
            "type": st.just(kind),
            "id": st.uuids().map(str),
            "error": maybe(st.fixed_dictionaries({"msg": TEXT, "timestamp": TIME})),
            "client_conn": CLIENT,
            "server_conn": SERVER,
            "intercepted": st.booleans(),
            "is_replay": st.sampled_from([None, "request", "response"]),
            "marked": st.sampled_from(["", ":default:"]),
            "metadata": st.dictionaries(TEXT, st.integers() | TEXT, max_size=2),
            "comment": TEXT,
            "timestamp_created": TIME,
            "backup": st.none() | st.just({"version": 21}),
            **PARTS[kind],
        }
    )


ANY_STATE = st.sampled_from(sorted(PARTS)).flatmap(flow_states)
