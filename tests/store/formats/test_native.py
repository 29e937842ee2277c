"""Flow files: ours, those of the reference, and damaged ones."""

import gzip
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from midstream.exceptions import FlowReadException
from midstream.filters import parse as parse_filter
from midstream.flows.flow import Flow
from midstream.flows.http import HTTPFlow
from midstream.flows.tcp import TCPFlow
from midstream.io import FilteredFlowWriter, FlowReader, FlowWriter, read_flows_from_paths
from midstream.store.formats.items import Items
from midstream.store.formats.tnetstring import parse
from midstream.store.formats.tnetstring_dump import dump
from midstream.store.rows import row_of
from tests.flows.states import ANY_STATE
from tests.kit.captured import dns_flow, http_flow, tcp_flow, udp_flow, websocket_flow

DATA = Path(__file__).parent / "data"
OLD = [7, 9, 10, 14, 17, 18, 20]


def saved(*flows: Flow) -> bytes:
    file = io.BytesIO()
    writer = FlowWriter(file)
    for flow in flows:
        writer.add(flow)
    return file.getvalue()


def read(data: bytes) -> list[Flow]:
    return list(FlowReader(io.BytesIO(data)).stream())


def read_with_error(data: bytes) -> tuple[list[Flow], FlowReadException]:
    flows = []
    with pytest.raises(FlowReadException) as caught:
        for flow in FlowReader(io.BytesIO(data)).stream():
            flows.append(flow)
    return flows, caught.value


def read_data(name: str) -> list[Flow]:
    with gzip.open(DATA / name) as file:
        return list(FlowReader(file).stream())


def plain(value: Any) -> Any:
    """With lists for tuples, as in a file."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


def states(flows: Iterable[Flow]) -> list[Any]:
    return [plain(flow.get_state()) for flow in flows]


# --- round trips


@given(ANY_STATE)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_any_flow_is_read_as_it_was_written(state: dict[str, Any]) -> None:
    state["backup"] = None
    flow = Flow.from_state(state)
    assert read(saved(flow))[0].get_state() == flow.get_state()


def test_flows_of_all_kinds_in_one_file() -> None:
    flows: list[Flow] = [
        http_flow(), http_flow(status=None), websocket_flow((True, b"hi"), (False, b"ho")), tcp_flow((True, b"x")),
        udp_flow(), dns_flow(),
    ]  # fmt: skip
    again = read(saved(*flows))
    assert [type(flow) for flow in again] == [type(flow) for flow in flows]
    assert states(again) == states(flows)


def test_an_edit_can_still_be_undone() -> None:
    flow = http_flow()
    flow.backup()
    (unchanged,) = read(saved(flow))
    assert not unchanged.modified()
    flow.request.path = "/edited"
    (again,) = read(saved(flow))
    assert isinstance(again, HTTPFlow)
    assert again.modified()
    again.id = "another"
    again.revert()
    assert (again.request.path, again.id) == ("/path", "another")


def test_a_backup_that_is_no_flow_costs_only_the_undo() -> None:
    for backup in ({}, {"type": "tcp"}, {"type": "http", "version": 99}, tcp_flow().get_state()):
        (flow,) = read(dump({**http_flow().get_state(), "backup": backup}))
        assert not flow.modified()
        flow.revert()
        assert flow.get_state()["backup"] is None


def test_hosts_that_are_no_utf8() -> None:
    flow = http_flow()
    flow.request.headers["host"] = flow.request.host = "a\udcff"
    (again,) = read(saved(flow))
    assert isinstance(again, HTTPFlow)
    assert again.request.host == "a\udcff"


def test_notes_of_addons_have_any_keys() -> None:
    flow = http_flow()
    flow.metadata.update({1: {None: b"x"}, "a": [2.5]})  # type: ignore[dict-item]
    assert read(saved(flow))[0].metadata == flow.copy().metadata == flow.metadata


def test_files_that_fail_while_they_are_read(tmp_path: Path) -> None:
    path = tmp_path / "cut.gz"
    path.write_bytes((DATA / "v20.mitm.gz").read_bytes()[:-100])
    with pytest.raises(FlowReadException, match=r"it cannot be read: Compressed file ended"), gzip.open(path) as file:
        list(FlowReader(file).stream())


def test_what_cannot_be_saved_leaves_the_file_alone() -> None:
    flow = http_flow()
    flow.metadata["x"] = object()
    file = io.BytesIO()
    with pytest.raises(ValueError, match=r"flow\.metadata\.x: a value of type object cannot be written"):
        FlowWriter(file).add(flow)
    assert file.getvalue() == b""


def test_only_what_matches_is_written() -> None:
    for filter_, expected in ((parse_filter("~c 404"), [404]), (None, [200, 404])):
        file = io.BytesIO()
        writer = FilteredFlowWriter(file, filter_)
        for status in (200, 404):
            writer.add(http_flow(status=status))
        flows = read(file.getvalue())
        assert [flow.response.status_code for flow in flows if isinstance(flow, HTTPFlow) and flow.response] == expected


# --- files of the reference


def test_a_file_that_mitmdump_wrote() -> None:
    flows = read_data("v21-mitmdump.mitm.gz")
    rows = [row_of(flow) for flow in flows]
    assert [(row.method, row.path, row.status) for row in rows] == [
        ("GET", "/a.json", 200),
        ("POST", "/nope", 501),
        ("GET", "/b.bin?q=1", 200),
        ("GET", "/refused", None),
    ]
    assert "Connect call failed" in rows[3].failed
    assert states(read(saved(*flows))) == states(flows)


def test_a_file_with_flows_of_all_kinds() -> None:
    flows = read_data("v21-types.mitm.gz")
    kinds = ["http", "http", "http", "tcp", "tcp", "udp", "udp", "dns", "dns", "dns", "http"]
    assert [flow.type for flow in flows] == kinds
    edited = flows[-1]
    assert isinstance(edited, HTTPFlow)
    assert (edited.marked, edited.comment, edited.is_replay) == (":red:", "ü", "request")
    assert edited.metadata == {"x": {"a": [1, 2.5, None, True, b"b"]}}
    assert edited.server_conn.via == ("https", ("proxy.example", 8080))
    assert edited.server_conn.certificate_list[0].cn == "t"
    edited.revert()
    assert edited.request.path == "/path"
    assert states(read(saved(*flows))) == states(flows)


@pytest.mark.parametrize("version", OLD)
def test_old_files_mean_what_the_reference_makes_of_them(version: int) -> None:
    ours = read_data(f"v{version}.mitm.gz")
    if version <= 10:
        # The reference cannot read TCP flows of these versions.
        assert [type(flow) for flow in ours].count(TCPFlow) == 1
        ours = [flow for flow in ours if flow.type != "tcp"]
    theirs = read_data(f"v{version}-as-v21.mitm.gz")
    assert len(ours) == len(theirs)
    for our, their in zip(states(ours), states(theirs), strict=True):
        our["backup"] = None
        if version <= 10 and our["websocket"] is not None:
            # There the flow has the id of its handshake, so that two have the same, and a note that says so.
            our["id"], our["metadata"] = their["id"], their["metadata"]
        if our["type"] == "udp" and version <= 18:
            # There they are said to have gone over TCP.
            for name in ("client_conn", "server_conn"):
                their[name]["transport_protocol"] = "udp"
        assert our == their


@pytest.mark.parametrize("version", OLD)
def test_edits_in_old_files_can_be_undone(version: int) -> None:
    (flow,) = [flow for flow in read_data(f"v{version}.mitm.gz") if flow.metadata.get("x")]
    assert isinstance(flow, HTTPFlow)
    assert (flow.request.path, flow.is_replay, flow.modified()) == ("/edited", "request", True)
    flow.revert()
    assert flow.request.path == "/path"


def older(state: dict[str, Any], version: int | list[int]) -> dict[str, Any]:
    """A state of version 7 as it would have been in an older one."""
    number = version if isinstance(version, int) else [[0, 18], [0, 19], [2, 0], [3, 0]].index(version) + 1
    client, server = client_and_server = state["client_conn"], state["server_conn"]
    state["version"] = version
    del client["tls_extensions"]
    for connection in client_and_server:
        if number < 6:
            connection["ssl_established"] = connection.pop("tls_established")
            connection["timestamp_ssl_setup"] = connection.pop("timestamp_tls_setup")
        if number < 5:
            del connection["id"]
        for key in {"address", "ip_address", "source_address"} & connection.keys() if number < 3 else ():
            connection[key] = {"address": connection[key], "use_ipv6": False}
    if number < 4:
        del client["mitmcert"], server["tls_version"]
    if number < 2:
        del state["metadata"], server["alpn_proto_negotiated"]
        for key in ("alpn_proto_negotiated", "cipher_name", "sni", "tls_version"):
            del client[key]
    return state


@pytest.mark.parametrize("version", [6, 5, 4, [3, 0], [2, 0], [0, 19], [0, 18]])
def test_still_older_versions(version: int | list[int]) -> None:
    with gzip.open(DATA / "v7.mitm.gz") as file:
        old = [parse(item.data) for item in Items(file) if item.data is not None]
    expected = states(read_data("v7.mitm.gz"))
    for state, then in zip(old, expected, strict=True):
        if version == [0, 18] and state["metadata"]:
            continue
        (flow,) = read(dump(older(state, version)))
        now = plain(flow.get_state())
        if state["type"] == "websocket":
            assert now["websocket"] == then["websocket"]
            assert now["request"]["host"] == "unknown"
            continue
        then["backup"] = now["backup"] = None
        for name in ("client_conn", "server_conn"):
            if version not in (5, 6):
                then[name]["id"] = now[name]["id"]
            if version not in (4, 5, 6, [3, 0]):
                then["server_conn"]["tls_version"] = None
            if version == [0, 18]:
                then["client_conn"].update(alpn=None, alpn_offers=[], cipher=None, cipher_list=[], sni=None)
                then["client_conn"]["tls_version"] = None
        assert now == then


# --- damage


def test_an_empty_file_has_no_flows() -> None:
    assert read(b"") == []


@settings(max_examples=40)
@given(st.data())
def test_a_cut_file_gives_every_whole_flow(data: st.DataObject) -> None:
    flows = [http_flow(), tcp_flow((True, b"x")), dns_flow()]
    parts = [saved(flow) for flow in flows]
    whole = data.draw(st.integers(0, 2))
    start = sum(map(len, parts[:whole]))
    cut = start + data.draw(st.integers(1, len(parts[whole]) - 1))
    readable, error = read_with_error(b"".join(parts)[:cut])
    assert states(readable) == states(flows[:whole])
    assert error.offset == start
    assert str(error) == f"byte {start}: the file ends in the middle of a flow"


def test_what_cannot_be_understood_is_passed_over() -> None:
    good = http_flow()
    first = saved(good)
    strange = dump({**good.get_state(), "type": "quic"})
    newer = dump({**good.get_state(), "version": 22})
    readable, error = read_with_error(first + strange + first + newer + b"0:}" + first)
    assert len(readable) == 3
    assert error.offset == len(first)
    assert str(error) == (
        f"byte {len(first)}: flow: 'quic' is no type of flow that can be read here; 3 flows in all could not be read"
    )


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"hello", "byte 0: expected a flow"),
        (b'{"log": {}}', "byte 0: this is JSON"),
        (b"999999999999:", "byte 0: the file ends"),
        (b"0:]", "byte 0: expected a flow, and found something else"),
        (b"3:0:]}", "byte 0: the flow is damaged at byte 2: a dict has a key without a value"),
        (dump({"version": 22}), "version 22 of the format, and 21 is the newest that can be read; update midstream"),
        (dump({"version": 3}), "version 3 of the format, and that of mitmproxy 0.18 is the oldest"),
        (dump({"version": [0, 17, 1]}), r"version \[0, 17, 1\] of the format"),
        (dump({"version": [[], {}]}), "version .* of the format"),
        (dump({"version": None}), "flow.version: expected an integer, got NoneType"),
        (dump({}), "flow.version: expected an integer, got NoneType"),
        (dump({"version": 21}), "flow.type: expected text, got NoneType"),
        (dump({"version": 7, "client_conn": 5}), "flow.client_conn: expected a dict, got int"),
    ],
)
def test_errors_say_what_and_where(data: bytes, message: str) -> None:
    readable, error = read_with_error(data)
    assert readable == []
    assert error.offset == 0
    with pytest.raises(FlowReadException, match=message):
        raise error


@given(st.binary(max_size=100))
def test_any_bytes_raise_nothing_else(data: bytes) -> None:
    try:
        read(data)
    except FlowReadException:
        return


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(ANY_STATE, st.data())
def test_states_with_any_value_anywhere_raise_nothing_else(state: dict[str, Any], data: st.DataObject) -> None:
    """A version of any age, and something strange at a random place; what is read can be listed."""
    state["version"] = data.draw(st.integers(3, 22) | st.sampled_from([[0, 18], [1, 0, 2]]))
    state = plain(state)
    place: Any = state
    while True:
        key = data.draw(st.sampled_from(sorted(place)) if isinstance(place, dict) else st.integers(0, len(place) - 1))
        if not isinstance(place[key], dict | list) or not place[key] or data.draw(st.booleans()):
            break
        place = place[key]
    place[key] = data.draw(
        st.sampled_from(
            [None, True, -1, 1 << 70, float("nan"), float("inf"), 1e300, "", "\udcff", b"\xff", [], {}, [[]]]
        )
    )
    try:
        flows = read(dump(state))
    except FlowReadException:
        return
    for flow in flows:
        row_of(flow)
        flow.revert()
        assert states(read(saved(flow))) is not None


# --- paths


def test_files_by_their_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "a").write_bytes(saved(http_flow()))
    (tmp_path / "b").write_bytes(saved(tcp_flow(), udp_flow()))
    assert [flow.type for flow in read_flows_from_paths(["~/a", tmp_path / "b"])] == ["http", "tcp", "udp"]
    (tmp_path / "cut").write_bytes(saved(tcp_flow())[:-1])
    for path, message in (
        (tmp_path / "cut", "cut: byte 0: the file ends"),
        (tmp_path / "no", "no: No such file"),
        (tmp_path, "Is a directory"),
    ):
        with pytest.raises(FlowReadException, match=message):
            read_flows_from_paths([path])


def test_flows_of_one_connection_share_its_record() -> None:
    one, two, other = http_flow(), http_flow(), http_flow()
    two.client_conn, two.server_conn = one.client_conn, one.server_conn
    first, second, third = read(saved(one, two, other))
    assert first.client_conn is second.client_conn and first.server_conn is second.server_conn
    assert third.client_conn is not first.client_conn


def test_a_parent_that_others_do_not_know_is_kept_out_of_their_way() -> None:
    flow = http_flow()
    flow.server_conn.via = ("socks5", ("proxy.example", 1080))
    state = parse(saved(flow))
    assert state["server_conn"]["via"] is None
    (again,) = read(saved(flow))
    assert again.server_conn.via == flow.copy().server_conn.via == ("socks5", ("proxy.example", 1080))
    assert flow.metadata == again.metadata == {}
    state["metadata"]["midstream_tls"]["via"] = ["nonsense", 5]
    assert read(dump(state))[0].server_conn.via is None


def test_a_filter_reads_no_more_than_it_needs() -> None:
    flows = [http_flow(f"http://example.com/{number}", status=200 + number % 2) for number in range(250)]
    data = saved(*flows, tcp_flow())

    def matching(text: str) -> list[str]:
        return [flow.id for flow in FlowReader(io.BytesIO(data)).stream(parse_filter(text))]

    for text, expected in (
        ("~u /7$", flows[7:8]), ("~c 201", flows[1::2]), ("~u /1 & ~c 201", [f for f in flows if "/1" in f.request.path
         and int(f.request.path[1:]) % 2]), ("~http", flows), ("~e", []), ("~src 127.0.0.1 & ~u /8$", flows[8:9]),
    ):  # fmt: skip
        assert matching(text) == [flow.id for flow in expected], text
    assert len(matching("~tcp | ~u /3$")) == 2
    flows[0].marked = ":red:"
    assert len(list(FlowReader(io.BytesIO(saved(*flows))).stream(parse_filter("~marked")))) == 1


FILTERS = [
    parse_filter(text)
    for text in (
        "~u a", "!~u a", "~c 200", "~meta x", "!~meta x", "~marked | ~e", "~bq x", "!~comment a", "~tcp", "~websocket",
        "~replayq", "~h x", "~m GET & ~s",
    )
]  # fmt: skip


@given(st.lists(ANY_STATE, max_size=4), st.sampled_from(FILTERS))
@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=60)
def test_a_filter_finds_the_same_when_it_reads_less(found: list[dict[str, Any]], filter_: Any) -> None:
    data = b"".join(dump({**plain(state), "backup": None}) for state in found)
    expected = [flow.id for flow in read(data) if filter_(flow)]
    assert [flow.id for flow in FlowReader(io.BytesIO(data)).stream(filter_)] == expected


@given(ANY_STATE, st.data())
@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=60)
def test_a_filter_of_a_damaged_flow_raises_nothing_else(state: dict[str, Any], data: st.DataObject) -> None:
    state = plain(state)
    key = data.draw(st.sampled_from(sorted(state)))
    state[key] = data.draw(st.sampled_from([None, 5, "x", b"x", [], {}, [[]]]))
    if data.draw(st.booleans()):
        del state[key]
    try:
        list(FlowReader(io.BytesIO(dump(state))).stream(data.draw(st.sampled_from(FILTERS))))
    except FlowReadException:
        return


def test_what_a_filter_rejects_need_not_be_right() -> None:
    good, bad = http_flow("http://example.com/good"), http_flow("http://example.com/bad")
    broken = {**bad.get_state(), "response": {"nonsense": 1}}
    data = saved(good) + dump(broken) + saved(good)
    assert len(list(FlowReader(io.BytesIO(data)).stream(parse_filter("~u good")))) == 2
    with pytest.raises(FlowReadException, match="unknown key 'nonsense'"):
        list(FlowReader(io.BytesIO(data)).stream(parse_filter("~u bad")))
