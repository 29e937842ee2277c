"""What all flows have in common."""

import asyncio
import gc
import threading
import weakref
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.flows.dns import DNSFlow
from midstream.flows.errors import ControlException
from midstream.flows.flow import Error, Flow
from midstream.flows.http import HTTPFlow, Response
from midstream.flows.tcp import TCPFlow
from midstream.flows.udp import UDPFlow
from tests.flows.states import ANY_STATE
from tests.kit.captured import connections, http_flow, tcp_flow


def test_ids_and_metadata_are_made_on_demand() -> None:
    flow = http_flow()
    assert flow._id == ""
    assert flow._metadata is None
    assert len(flow.id) == 36
    assert flow.id == flow.id != http_flow().id
    flow.metadata["a"] = 1
    assert flow.metadata == {"a": 1}


def test_types_are_named_after_the_class() -> None:
    assert [kind.type for kind in (HTTPFlow, TCPFlow, UDPFlow, DNSFlow)] == ["http", "tcp", "udp", "dns"]


def test_a_flow_is_in_no_reference_cycle() -> None:
    gc.collect()
    gc.disable()
    try:
        flow = http_flow()
        _ = (flow.id, flow.metadata, flow.request.cookies.fields)
        flow.backup()
        gone = weakref.ref(flow)
        request = weakref.ref(flow.request)
        del flow
        assert gone() is None
        assert request() is None
    finally:
        gc.enable()


def test_scripts_may_hang_attributes_on_a_flow() -> None:
    flow = http_flow()
    flow.note = "x"
    assert flow.note == "x"


# --- holding and killing


async def test_a_flow_that_is_not_held_does_not_wait() -> None:
    await asyncio.wait_for(http_flow().wait_for_resume(), 1)


async def test_a_thread_that_resumes_just_before_the_wait_is_not_missed() -> None:
    class Raced(HTTPFlow, abstract=True):
        """Resumed by a thread right after the loop has seen that it is held."""

        held = True

        @property
        def intercepted(self) -> bool:
            seen, self.held = self.held, False
            self._wake()
            return seen

        @intercepted.setter
        def intercepted(self, value: bool) -> None: ...

    await asyncio.wait_for(Raced(*connections()).wait_for_resume(), 5)


async def waiting(flow: Flow, number: int = 1) -> list["asyncio.Task[None]"]:
    tasks = [asyncio.ensure_future(flow.wait_for_resume()) for _ in range(number)]
    await asyncio.sleep(0)
    assert not any(task.done() for task in tasks)
    return tasks


async def test_resume_wakes_every_waiter() -> None:
    flow = http_flow()
    flow.intercept()
    tasks = await waiting(flow, 3)
    flow.resume()
    assert not flow.intercepted
    await asyncio.wait_for(asyncio.gather(*tasks), 1)


async def test_a_cancelled_waiter_leaves_the_others_waiting() -> None:
    flow = http_flow()
    flow.intercept()
    first, second = await waiting(flow, 2)
    first.cancel()
    await asyncio.wait([first])
    assert first.cancelled()
    assert not second.done()
    flow.resume()
    await asyncio.wait_for(second, 1)


async def test_kill_wakes_the_waiter() -> None:
    flow = http_flow(live=True)
    flow.intercept()
    (task,) = await waiting(flow)
    flow.kill()
    await asyncio.wait_for(task, 1)
    assert flow.error is not None
    assert flow.error.msg == Error.KILLED_MESSAGE
    assert (flow.intercepted, flow.live, flow.killable) == (False, False, False)


async def test_a_flow_held_again_at_once_goes_on_waiting() -> None:
    flow = http_flow()
    flow.intercept()
    (task,) = await waiting(flow)
    flow.resume()
    flow.intercept()
    for _ in range(5):
        await asyncio.sleep(0)
    assert not task.done()
    flow.resume()
    await asyncio.wait_for(task, 1)


async def test_resume_from_a_thread() -> None:
    flow = http_flow()
    flow.intercept()
    (task,) = await waiting(flow)
    thread = threading.Thread(target=flow.resume)
    thread.start()
    await asyncio.wait_for(task, 5)
    thread.join()


def test_resume_after_the_loop_has_gone() -> None:
    flow = http_flow()
    flow.intercept()

    async def give_up() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(flow.wait_for_resume(), 0)
        flow._resumed = asyncio.get_running_loop().create_future()

    asyncio.run(give_up())
    flow.resume()
    assert not flow.intercepted


def test_only_live_flows_can_be_killed_and_only_once() -> None:
    with pytest.raises(ControlException, match="not killable"):
        http_flow().kill()
    flow = http_flow(live=True)
    calls: list[str] = []
    flow.killed_callback = lambda: calls.append("killed")
    flow.kill()
    with pytest.raises(ControlException):
        flow.kill()
    assert calls == ["killed"]


def test_a_flow_with_another_error_can_be_killed() -> None:
    flow = http_flow(live=True)
    flow.error = Error("x")
    assert flow.killable


def test_errors() -> None:
    error = Error("x", 1.0)
    assert (str(error), repr(error)) == ("x", "x")
    assert error == Error.from_state(error.get_state())
    assert hash(error) == hash(Error("x", 1.0))
    assert error != Error("x", 2.0)
    assert error != "x"
    assert Error("y").timestamp > 1
    error.set_state({"msg": "z", "timestamp": 3})
    assert error.msg == "z"


# --- undo and copies


def test_backup_modified_revert() -> None:
    flow = http_flow()
    assert not flow.modified()
    flow.revert()
    flow.backup()
    assert not flow.modified()
    flow.request.path = "/other"
    flow.response = Response.make(404)
    flow.comment = "x"
    assert flow.modified()
    flow.backup()  # remembers the first state still
    flow.revert()
    assert flow.request.path == "/path"
    assert flow.response is not None
    assert flow.response.status_code == 200
    assert flow.comment == ""
    assert not flow.modified()


def test_a_forced_backup_replaces_the_old_one() -> None:
    flow = http_flow()
    flow.backup()
    flow.comment = "x"
    flow.backup(force=True)
    flow.comment = "y"
    flow.revert()
    assert flow.comment == "x"


def test_revert_leaves_holding_and_connections_to_the_proxy() -> None:
    flow = http_flow(live=True)
    client, server = flow.client_conn, flow.server_conn
    flow.intercept()
    flow.backup()
    server.timestamp_end = 5.0
    flow.resume()
    flow.revert()
    assert not flow.intercepted
    assert flow.client_conn is client
    assert flow.server_conn is server
    assert server.timestamp_end == 5.0
    assert flow.live


def test_copy() -> None:
    flow = http_flow(live=True)
    flow.metadata["a"] = object()
    flow.intercept()
    flow.backup()
    copy = flow.copy()
    assert copy.id != flow.id
    assert (copy.live, copy.intercepted, copy.modified()) == (False, False, False)
    assert copy.metadata == flow.metadata
    copy.request.headers["x"] = "y"
    copy.metadata["b"] = 1
    assert "x" not in flow.request.headers
    assert "b" not in flow.metadata
    assert copy.client_conn == flow.client_conn
    assert copy.client_conn is not flow.client_conn


# --- state


def as_saved(value: Any) -> Any:
    """What a file makes of a state: tuples become lists."""
    if isinstance(value, list | tuple):
        return [as_saved(item) for item in value]
    if isinstance(value, dict):
        return {key: as_saved(item) for key, item in value.items()}
    return value


@given(ANY_STATE)
def test_state_round_trip(state: dict[str, Any]) -> None:
    flow = Flow.from_state(as_saved(state))
    assert flow.type == state["type"]
    assert not flow.live
    again = flow.get_state()
    assert as_saved(again) == as_saved(state)
    flow.set_state(again)
    assert flow.get_state() == again
    repr(flow)


@given(ANY_STATE, st.data())
def test_a_damaged_state_is_refused_and_changes_nothing(state: dict[str, Any], data: st.DataObject) -> None:
    flow = Flow.from_state(state)
    before = flow.get_state()
    path = [data.draw(st.sampled_from(sorted(set(state) - {"metadata", "backup"})))]
    if isinstance(state[path[0]], dict):
        path.append(data.draw(st.sampled_from(sorted(state[path[0]]))))
    damaged = {**state}
    inner = damaged
    for key in path[:-1]:
        inner[key] = {**inner[key]}
        inner = inner[key]
    inner[path[-1]] = object()
    with pytest.raises(ValueError, match=path[-1]):
        flow.set_state(damaged)
    assert flow.get_state() == before


@given(ANY_STATE, st.data())
def test_every_key_must_be_there(state: dict[str, Any], data: st.DataObject) -> None:
    key = data.draw(st.sampled_from(sorted(state)))
    missing = {name: value for name, value in state.items() if name != key}
    if key == "backup":
        assert Flow.from_state(missing).get_state()["backup"] is None
    else:
        with pytest.raises(ValueError, match=key):
            Flow.from_state(missing)


@pytest.mark.parametrize("state", [None, [], {}, {"type": "nope"}, {"type": []}, {"type": "http", "version": 20}])
def test_what_is_no_flow(state: Any) -> None:
    with pytest.raises(ValueError, match="flow"):
        Flow.from_state(state)


def test_a_class_reads_only_its_own_type() -> None:
    with pytest.raises(ValueError, match="'tcp' is no type"):
        HTTPFlow.from_state(tcp_flow().get_state())
    with pytest.raises(ValueError, match="that of a tcp flow"):
        http_flow().set_state({**http_flow().get_state(), "type": "tcp"})


def test_other_versions_are_refused() -> None:
    with pytest.raises(ValueError, match="expected 21, got 22"):
        Flow.from_state({**http_flow().get_state(), "version": 22})
