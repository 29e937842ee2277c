"""The declarations, and how emitters treat handlers that work, wait, fail, halt and dawdle."""

import asyncio
import logging
import timeit
from typing import Any

import pytest

from midstream.flows.errors import AddonHalt, AddonManagerError, OptionsError
from midstream.hub import emitters, timed_await
from midstream.hub.emitters import FINISHED
from midstream.hub.events import DECLARATIONS, Event, Events

TABLE = """
load configure running done update add_log
client_connected client_disconnected server_connect server_connected server_connect_error server_disconnected
requestheaders request responseheaders response error
http_connect http_connect_upstream http_connected http_connect_error
tcp_start tcp_message tcp_end tcp_error udp_start udp_message udp_end udp_error
quic_start_client quic_start_server
tls_clienthello tls_start_client tls_start_server tls_established_client tls_established_server
tls_failed_client tls_failed_server
websocket_start websocket_message websocket_end dns_request dns_response dns_error socks5_auth next_layer
"""

NAMES = TABLE.split()
FLOW_EVENTS = [name for name, event in DECLARATIONS.items() if event.carries_flow]


class FakeFlow:
    """As much of a flow as an emitter touches."""

    def __init__(self) -> None:
        self.intercepted = False
        self.resumed = asyncio.Event()

    async def wait_for_resume(self) -> None:
        await self.resumed.wait()

    def resume(self) -> None:
        self.intercepted = False
        self.resumed.set()


class Handlers:
    """An addon made of the given functions."""

    def __init__(self, **handlers: Any) -> None:
        for name, handler in handlers.items():
            setattr(self, name, handler)


def bound(*addons: object) -> Events:
    events = Events()
    events.bind(addons)
    return events


def test_every_event_of_the_parity_table_is_declared_once() -> None:
    assert sorted(DECLARATIONS) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_declaration_says_what_the_event_means(name: str) -> None:
    event = DECLARATIONS[name]
    assert event.name == name
    assert event.doc.endswith(".")
    assert event.group
    assert event.signature.startswith(f"{name}(")


def test_flow_events_are_those_with_a_flow_argument() -> None:
    assert {name for name, event in DECLARATIONS.items() if event.parameters == ("flow",)} == set(FLOW_EVENTS)
    assert len(FLOW_EVENTS) == 23


def test_the_class_gives_declarations_and_the_object_emitters() -> None:
    assert Events.request.signature == "request(flow: HTTPFlow)"
    assert Events().request.handlers == ()


def test_two_events_objects_share_no_handlers() -> None:
    one, other = bound(Handlers(request=lambda flow: None)), Events()
    assert len(one.request.handlers) == 1
    assert other.request.handlers == ()


async def test_handlers_run_at_once_and_in_order() -> None:
    calls: list[str] = []
    events = bound(Handlers(request=lambda flow: calls.append("a")), Handlers(request=lambda flow: calls.append("b")))
    waiting = events.request(FakeFlow())
    assert calls == ["a", "b"]
    assert waiting is FINISHED
    assert await waiting is None


async def test_nested_addons_come_after_their_parent_depth_first() -> None:
    calls: list[str] = []

    def make(name: str, *nested: object) -> Handlers:
        return Handlers(request=lambda flow: calls.append(name), addons=list(nested))

    events = bound(make("a", make("b", make("c")), make("d")), make("e"))
    await events.request(FakeFlow())
    assert calls == list("abcde")


async def test_an_async_handler_is_awaited_before_the_next_one_runs() -> None:
    calls: list[str] = []
    go_on = asyncio.Event()

    async def slow(flow: object) -> None:
        calls.append("begin")
        await go_on.wait()
        calls.append("end")

    events = bound(Handlers(request=slow), Handlers(request=lambda flow: calls.append("next")))
    task = asyncio.ensure_future(events.request(FakeFlow()))
    await asyncio.sleep(0)
    assert calls == ["begin"]
    go_on.set()
    await task
    assert calls == ["begin", "end", "next"]


async def test_a_plain_function_that_returns_a_coroutine_is_awaited_too() -> None:
    calls: list[str] = []

    async def later() -> None:
        calls.append("ran")

    await bound(Handlers(request=lambda flow: later())).request(FakeFlow())
    assert calls == ["ran"]


@pytest.mark.parametrize("name", FLOW_EVENTS)
async def test_an_addon_that_raises_does_not_stop_the_event(name: str, caplog: pytest.LogCaptureFixture) -> None:
    calls: list[str] = []

    def broken(flow: object) -> None:
        raise ValueError("by design")

    events = bound(Handlers(**{name: broken}), Handlers(**{name: lambda flow: calls.append(name)}))
    await getattr(events, name)(FakeFlow())
    assert calls == [name]
    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert f"failed in {name}: ValueError: by design" in record.getMessage()
    assert record.exc_info is not None
    traceback = record.exc_info[2]
    assert traceback is not None
    assert traceback.tb_frame.f_code.co_filename == __file__


async def test_an_async_handler_that_raises_is_isolated_too(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(flow: object) -> None:
        await asyncio.sleep(0)
        raise ValueError("later")

    calls: list[str] = []
    await bound(Handlers(request=broken), Handlers(request=lambda flow: calls.append("next"))).request(FakeFlow())
    assert calls == ["next"]
    [record] = caplog.records
    assert record.exc_info is not None and record.exc_info[2] is not None
    assert record.exc_info[2].tb_frame.f_code.co_filename == __file__


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, GeneratorExit, StopIteration, asyncio.CancelledError])
async def test_no_exception_of_a_script_ends_the_program(
    error: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    def sync(flow: object) -> None:
        raise error

    await bound(Handlers(request=sync)).request(FakeFlow())
    assert error.__name__ in caplog.text


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, GeneratorExit, asyncio.CancelledError])
async def test_nor_does_one_of_an_async_handler(error: type[BaseException], caplog: pytest.LogCaptureFixture) -> None:
    async def handler(flow: object) -> None:
        await asyncio.sleep(0)
        raise error

    await bound(Handlers(request=handler)).request(FakeFlow())
    assert error.__name__ in caplog.text


async def test_an_exception_that_cannot_be_shown_is_still_isolated(caplog: pytest.LogCaptureFixture) -> None:
    class Nasty(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    def handler(flow: object) -> None:
        raise Nasty

    await bound(Handlers(request=handler)).request(FakeFlow())
    assert "failed in request: Nasty" in caplog.text


async def test_cancelling_the_task_passes_through_an_async_handler(caplog: pytest.LogCaptureFixture) -> None:
    calls: list[str] = []

    async def endless(flow: object) -> None:
        await asyncio.Event().wait()

    events = bound(Handlers(request=endless), Handlers(request=lambda flow: calls.append("next")))
    task = asyncio.ensure_future(events.request(FakeFlow()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert calls == []
    assert not caplog.records


@pytest.mark.parametrize("value", [1, "text", [], object(), False])
async def test_wrong_return_values_do_nothing(value: object, caplog: pytest.LogCaptureFixture) -> None:
    assert await bound(Handlers(request=lambda flow: value)).request(FakeFlow()) is None
    assert not caplog.records


async def test_addonhalt_keeps_the_event_from_later_addons(caplog: pytest.LogCaptureFixture) -> None:
    calls: list[str] = []

    def halt(flow: object) -> None:
        raise AddonHalt

    async def halt_later(flow: object) -> None:
        raise AddonHalt

    follower = Handlers(
        request=lambda flow: calls.append("request"),
        response=lambda flow: calls.append("response"),
        update=lambda flows: calls.append("update"),
    )
    events = bound(Handlers(request=halt, response=halt_later), follower)
    await events.request(FakeFlow())
    await events.response(FakeFlow())
    assert calls == ["update", "update"]
    assert not caplog.records


async def test_update_follows_with_the_flow() -> None:
    seen: list[object] = []
    flow = FakeFlow()
    events = bound(Handlers(update=seen.append))
    assert events.request(flow) is FINISHED
    assert seen == [[flow]]


async def test_an_async_update_is_awaited() -> None:
    seen: list[object] = []

    async def update(flows: list[object]) -> None:
        await asyncio.sleep(0)
        seen.append(flows)

    flow = FakeFlow()
    await bound(Handlers(update=update)).request(flow)
    assert seen == [[flow]]


async def test_an_intercepted_flow_is_held_until_it_is_resumed() -> None:
    updates: list[object] = []

    def intercept(flow: FakeFlow) -> None:
        flow.intercepted = True

    flow = FakeFlow()
    task = asyncio.ensure_future(bound(Handlers(request=intercept, update=updates.append)).request(flow))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not task.done()
    assert len(updates) == 1
    flow.resume()
    await task
    assert len(updates) == 2


async def test_a_flow_intercepted_by_an_async_handler_is_held_too() -> None:
    async def intercept(flow: FakeFlow) -> None:
        flow.intercepted = True

    flow = FakeFlow()
    task = asyncio.ensure_future(bound(Handlers(request=intercept)).request(flow))
    for _ in range(3):
        await asyncio.sleep(0)
    assert not task.done()
    flow.resume()
    await task


async def test_a_slow_handler_is_named(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 0.05, 0.25, 0.26])
    monkeypatch.setattr(emitters, "perf_counter", lambda: next(clock))

    class Dawdler:
        def request(self, flow: object) -> None: ...

    quick = Handlers(request=lambda flow: None)
    await bound(quick, Dawdler(), quick).request(FakeFlow())
    [record] = caplog.records
    assert "dawdler held everything up for 200 ms in request" in record.getMessage()
    assert f"{__file__}:" in record.getMessage()


async def test_a_slow_handler_of_our_own_is_no_news(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 0.2])
    monkeypatch.setattr(emitters, "perf_counter", lambda: next(clock))

    class BuiltIn:
        def request(self, flow: object) -> None: ...

    BuiltIn.request.__module__ = "midstream.addons.built_in"
    with caplog.at_level(logging.DEBUG):
        await bound(BuiltIn()).request(FakeFlow())
    [record] = caplog.records
    assert "held everything up for 200 ms" in record.getMessage()
    assert record.levelno == logging.DEBUG


async def test_an_async_handler_that_blocks_is_named_too(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(timed_await, "perf_counter", lambda: now[0])

    async def handler(flow: object) -> None:
        await asyncio.sleep(0)
        now[0] += 0.3

    await bound(Handlers(request=handler)).request(FakeFlow())
    [record] = caplog.records
    assert "held everything up for 300 ms in request" in record.getMessage()


@pytest.mark.parametrize("name", ["load", "configure", "add_log"])
def test_what_cannot_wait_refuses_async_handlers(name: str) -> None:
    async def handler(argument: object) -> None: ...

    with pytest.raises(AddonManagerError, match=f"{name} cannot be async"):
        bound(Handlers(**{name: handler}))


def test_a_hidden_async_handler_of_configure_is_refused_when_it_runs(caplog: pytest.LogCaptureFixture) -> None:
    async def later() -> None: ...

    bound(Handlers(configure=lambda updated: later())).configure.sync({"x"})
    assert "configure cannot be async" in caplog.text


def test_optionserror_passes_out_of_configure_only(caplog: pytest.LogCaptureFixture) -> None:
    def refuse(*_: object) -> None:
        raise OptionsError("no")

    events = bound(Handlers(configure=refuse, request=refuse))
    with pytest.raises(OptionsError):
        events.configure.sync({"x"})
    assert events.request(FakeFlow()) is FINISHED
    assert "OptionsError: no" in caplog.text


async def test_sync_lets_async_handlers_go_on_in_the_background() -> None:
    done = asyncio.Event()

    async def running() -> None:
        done.set()

    bound(Handlers(running=running)).running.sync()
    assert not done.is_set()
    await asyncio.wait_for(done.wait(), 5)


def test_binding_again_replaces_the_handlers() -> None:
    events = bound(Handlers(request=lambda flow: None))
    events.bind([])
    assert events.request.handlers == ()


def test_a_failing_bind_changes_nothing() -> None:
    events = bound(Handlers(request=lambda flow: None))
    with pytest.raises(AddonManagerError):
        events.bind([Handlers(request=lambda: None)])
    assert len(events.request.handlers) == 1


async def test_an_addon_that_goes_during_an_event_does_not_see_the_rest_of_it() -> None:
    calls: list[str] = []
    events = Events()
    last = Handlers(request=lambda flow: calls.append("gone"), client_connected=lambda client: calls.append("gone"))

    def leave(_: object) -> None:
        calls.append("first")
        events.bind([first])

    first = Handlers(request=leave, client_connected=leave)
    for emit in (lambda: events.request(FakeFlow()), lambda: events.client_connected(object())):
        events.bind([first, last])
        await emit()
    assert calls == ["first", "first"]


class Named:
    """An addon that notes its turns, and may do more."""

    def __init__(self, name: str, calls: list[str], more: Any = None) -> None:
        self.name, self.calls, self.more = name, calls, more

    def request(self, flow: object) -> object:
        self.calls.append(self.name)
        return self.more() if self.more is not None else None


async def test_an_addon_that_takes_itself_out_keeps_the_others_in() -> None:
    calls: list[str] = []
    events = Events()
    second = Named("second", calls)
    events.bind([Named("first", calls, lambda: events.bind([second])), second])
    await events.request(FakeFlow())
    assert calls == ["first", "second"]


@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_an_addon_that_is_replaced_during_an_event_sees_it_in_its_new_form(kind: str) -> None:
    """A script that is saved while a flow waits in another one: the flow must not slip by it."""
    calls: list[str] = []
    events, last = Events(), Named("last", calls)

    def reload() -> None:
        new = [Named(name, calls, lambda: calls.append("new form")) for name in ("before", "waits", "after")]
        events.bind([*new, last])

    async def reload_later() -> None:
        await asyncio.sleep(0)
        reload()

    waits = Named("waits", calls, reload if kind == "sync" else reload_later)
    events.bind([Named("before", calls), waits, Named("after", calls), last])
    await events.request(FakeFlow())
    assert calls == ["before", "waits", "after", "new form", "last"]


def test_an_event_is_a_value() -> None:
    assert Event("running") == Event("running", ())


def test_an_event_to_nobody_costs_next_to_nothing() -> None:
    events, flow = bound(), FakeFlow.__new__(FakeFlow)
    flow.intercepted = False
    for emit in (lambda: events.request(flow), lambda: events.client_connected(flow)):
        # 0.1 µs where it was measured (bench/dispatch.py); the room above is for busy and slow machines.
        assert min(timeit.repeat(emit, number=10_000, repeat=5)) / 10_000 < 1e-6


def test_four_handlers_cost_less_than_a_microsecond_on_a_free_machine() -> None:
    class Addon:
        def request(self, flow: object) -> None: ...

    events, flow = bound(*(Addon() for _ in range(4))), FakeFlow.__new__(FakeFlow)
    flow.intercepted = False
    best = min(timeit.repeat(lambda: events.request(flow), number=10_000, repeat=5)) / 10_000
    # 0.5 µs where it was measured; the room above is for busy and slow machines.
    assert best < 5e-6
