"""The timing tab: bars on one axis, what is left out, and times that no clock has."""

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.console.panes.timing_text import _axis, timing_pieces
from midstream.flows.flow import Error, Flow
from midstream.testing import tflow
from tests.kit.captured import START, dns_flow, http_flow, tcp_flow, websocket_flow


def shown(flow: Flow, columns: int = 100, now: float = START + 4) -> list[str]:
    pieces = timing_pieces(flow, now, columns)
    return ["".join(text for _, text in (*piece.prefix, *piece.runs)).rstrip() for piece in pieces]


def having(lines: list[str], *words: str) -> list[str]:
    return [line for line in lines if all(word in line for word in words)]


def test_all_phases_one_below_the_other() -> None:
    flow = http_flow("https://h/", status=200)
    client, server, response = flow.client_conn, flow.server_conn, flow.response
    assert response is not None
    client.timestamp_start, client.timestamp_tls_setup = START - 0.020, START - 0.009
    server.timestamp_start, server.timestamp_tcp_setup, server.timestamp_tls_setup = (
        START + 0.01,
        START + 0.03,
        START + 0.05,
    )
    flow.request.timestamp_start, flow.request.timestamp_end = START, START + 0.002
    response.timestamp_start, response.timestamp_end = START + 0.15, START + 0.2
    lines = shown(flow)
    assert [line.split("  ")[1] for line in lines[1:7]] == [
        "client tls", "request", "server connect", "server tls", "waiting (ttfb)", "receiving",
    ]  # fmt: skip
    for words in (
        ["client tls", "11ms"],
        ["server tls", "20ms"],
        ["waiting (ttfb)", "100ms", "=="],
        ["receiving", "50ms"],
    ):
        assert having(lines, *words), lines
    assert having(lines, "all", "220ms")
    assert "0 ms" in lines[0]
    assert "100" in lines[0]


def test_connections_that_stood_before_are_told_and_not_drawn() -> None:
    flow = http_flow()
    flow.server_conn.timestamp_start = flow.server_conn.timestamp_tcp_setup = START - 90
    flow.client_conn.timestamp_start = START - 60
    lines = shown(flow)
    assert not having(lines, "server connect  ")
    assert having(lines, "The server connection was used again: it was opened 1m30s before.")
    assert having(lines, "The client connection was used again")


def test_what_goes_on_grows() -> None:
    flow = http_flow(status=None, live=True)
    assert having(shown(flow), "waiting (ttfb)", "4.0s", "…|")
    flow.intercepted = True
    assert having(shown(flow), "held", "4.0s", "‖‖‖")
    socket = websocket_flow((True, b"x"), live=True)
    assert having(shown(socket), "messages", "…|")
    assert having(shown(tcp_flow((True, b"x"))), "open")
    assert having(shown(dns_flow()), "waiting", "20ms")


def test_only_the_moment_from_which_times_are_counted_is_the_beginning() -> None:
    flow = tflow()
    flow.client_conn.timestamp_start = flow.request.timestamp_start - 0.0001
    flow.request.timestamp_end = flow.request.timestamp_start + 0.0001
    lines = shown(flow)
    assert len(having(lines, "the flow begins")) == 1
    assert having(lines, "request ends", "<1ms later")


@pytest.mark.parametrize("moment", [math.inf, -math.inf, math.nan, 1e300, -1e300, 0.0, 1e-300])
@pytest.mark.parametrize("columns", [20, 79, 300])
def test_times_that_no_clock_has(moment: float, columns: int) -> None:
    makers: list[Callable[[], Flow]] = [http_flow, dns_flow, lambda: tcp_flow((True, b"x")), tflow]
    for make in makers:
        for name in ("timestamp_start", "timestamp_tcp_setup", "timestamp_tls_setup"):
            flow = make()
            setattr(flow.server_conn, name, moment)
            shown(flow, columns)
        flow = make()
        flow.timestamp_created = moment
        flow.error = Error("x", moment)
        if hasattr(flow, "request") and hasattr(flow.request, "timestamp_end"):
            flow.request.timestamp_end = moment
        shown(flow, columns)
        shown(flow, columns, now=moment)


@given(st.floats(0.001, 1e7), st.integers(10, 120))
def test_the_numbers_of_the_axis_end_where_the_bars_do(seconds: float, room: int) -> None:
    numbers = _axis(seconds, room).runs[0][1]
    assert len(numbers) <= room + 1
    assert numbers.startswith("0 ms" if seconds < 1 else "0 s")
