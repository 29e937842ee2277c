"""Throttling by a clock that the test moves: latencies, rates, losses, and changes of rules while something waits."""

import asyncio
from collections.abc import AsyncIterator, Awaitable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.addons.bucket import Bucket
from midstream.addons.throttle import LOST, Throttle
from midstream.addons.throttle_rules import PRESETS, Settings, parse_spec
from midstream.flows.errors import CommandError, OptionsError
from midstream.flows.flow import Flow
from midstream.testing import context
from midstream.testing.flows import tflow, ttcpflow, tudpflow, twebsocketflow
from tests.kit.slow_clock import SlowClock


@pytest.fixture
def clock() -> SlowClock:
    return SlowClock()


@pytest.fixture
async def tests(clock: SlowClock) -> AsyncIterator[context]:
    async with context(Throttle(clock)) as tests:
        yield tests


async def settle() -> None:
    """Let everything run until it waits."""
    for _ in range(10):
        await asyncio.sleep(0)


async def took(clock: SlowClock, work: Awaitable[object]) -> float:
    """Seconds that pass until it is done."""
    before = clock.now()
    task = asyncio.ensure_future(work)
    await settle()
    while not task.done():
        clock.pass_to_next()
        await settle()
    await task
    return clock.now() - before


@pytest.mark.parametrize(
    ("text", "expression", "settings"),
    [
        ("slow3g", "", PRESETS["slow3g"]),
        ("/~d example/3g", "~d example", PRESETS["3g"]),
        ("|~u /a/b|latency=1.5s", "~u /a/b", Settings(latency=1.5)),
        ("//down=1m up=256k", "", Settings(down=1 << 20, up=256 << 10)),
        ("latency=200ms jitter=50ms loss=0.5% seed=7", "", Settings(0.2, 0.05, loss=0.5, seed=7)),
        ("4g down=400kbit", "", Settings(0.165, down=50_000, up=168_750)),
    ],
)
def test_rules(text: str, expression: str, settings: Settings) -> None:
    spec = parse_spec(text)
    assert (spec.expression, spec.settings) == (expression, settings)


@pytest.mark.parametrize(
    "text",
    ["", "5g", "/~d x", "/~zz/3g", "latency=1", "down=0", "down=x", "loss=101%", "loss=1", "a=1", "seed=x", "/~d x/ "],
)  # fmt: skip
def test_what_is_no_rule(text: str) -> None:
    with context(Throttle()) as tests, pytest.raises(OptionsError, match="option throttle: "):
        tests.configure(tests.master.addons.get("throttle"), throttle=[text])


@given(st.text(max_size=40))
def test_any_text_is_a_rule_or_an_error(text: str) -> None:
    try:
        str(parse_spec(text).settings)
    except ValueError as error:
        assert "\n" not in str(error)


async def test_latency_holds_one_exchange_and_no_other(tests: context, clock: SlowClock) -> None:
    tests.configure(tests.master.addons.get("throttle"), throttle=["/~u slow/latency=200ms"])
    slow, quick = tflow(), tflow()
    slow.request.path = "/slow"
    task = asyncio.ensure_future(tests.master.events.requestheaders(slow))
    await settle()
    assert await took(clock, tests.master.events.requestheaders(quick)) == 0
    assert not task.done() and clock.pass_to_next() == pytest.approx(0.2)
    await task


async def test_jitter_stays_within_its_bounds_and_can_be_repeated(tests: context, clock: SlowClock) -> None:
    throttle = tests.master.addons.get("throttle")
    runs = []
    for seed in (1, 2, 1):
        tests.configure(throttle, throttle=[f"latency=100ms jitter=50ms seed={seed}"])
        runs.append([await took(clock, tests.master.events.requestheaders(tflow())) for _ in range(20)])
    assert all(0.05 <= each <= 0.15 + 1e-9 for run in runs for each in run)
    assert runs[0] == pytest.approx(runs[2]) and runs[0] != pytest.approx(runs[1])


@pytest.mark.parametrize("rate", [1, 100, 50_000, 1 << 20])
async def test_a_bucket_gives_what_its_rate_says(clock: SlowClock, rate: int) -> None:
    bucket = Bucket(clock, rate)
    size = rate * 10
    assert await took(clock, bucket.take_all(size)) == pytest.approx(10, rel=0.02)
    clock._now += 1000  # nothing is saved up
    assert await took(clock, bucket.take_all(size)) == pytest.approx(10, abs=1.01 if rate == 1 else 0.1)


async def test_those_who_share_a_line_share_it_fairly(clock: SlowClock) -> None:
    bucket = Bucket(clock, 1000)
    got = [0, 0, 0]

    async def send(number: int) -> None:
        while got[number] < 2000:
            got[number] += await bucket.take(2000 - got[number])

    both = asyncio.gather(*map(send, range(3)))
    await settle()
    while clock.now() < 3:
        clock.pass_to_next()
        await settle()
    assert sum(got) == pytest.approx(3000, abs=100) and max(got) - min(got) <= 100
    bucket.rate = None
    await both
    assert got == [2000] * 3 and clock.now() < 3.1


async def test_a_change_counts_for_what_is_under_way(tests: context, clock: SlowClock) -> None:
    throttle = tests.master.addons.get("throttle")
    tests.configure(throttle, throttle=["/~all/down=1k"])
    flow = tflow(resp=True)
    await tests.master.events.responseheaders(flow)
    assert flow.response is not None and flow.response.pace is not None and flow.request.pace is None

    async def send() -> None:
        left = 100 * 1024
        while left:
            left -= await flow.response.pace(left)  # type: ignore[union-attr, misc]

    task = asyncio.ensure_future(send())
    await settle()
    while clock.now() < 10:
        clock.pass_to_next()
        await settle()
    tests.configure(throttle, throttle=["/~all/down=45k"])
    assert await took(clock, task) == pytest.approx(2, rel=0.1)
    task = asyncio.ensure_future(send())
    await settle()
    tests.master.commands.execute("throttle.stop")
    await settle()
    assert task.done()
    later = tflow()
    await tests.master.events.requestheaders(later)
    assert later.request.pace is None and throttle.addons == []


async def test_who_waits_for_a_latency_that_is_over_goes_on(tests: context) -> None:
    throttle = tests.master.addons.get("throttle")
    tests.configure(throttle, throttle=["latency=100s"])
    task = asyncio.ensure_future(tests.master.events.requestheaders(tflow()))
    await settle()
    assert not task.done()
    tests.configure(throttle, throttle=[])
    await task


async def test_loss(tests: context) -> None:
    tests.configure(tests.master.addons.get("throttle"), throttle=["loss=30% seed=1"])
    flows: list[Flow] = [tflow() for _ in range(1000)]
    for flow in flows:
        await tests.master.events.requestheaders(flow)  # type: ignore[arg-type]
    lost = [flow for flow in flows if flow.metadata.get(LOST) == "lost"]
    assert 250 < len(lost) < 350 and all(flow.error is not None for flow in lost)
    assert tests.master.commands.execute("throttle.list") == ["everything: loss=30% (1000 flows)"]


async def test_offline(tests: context) -> None:
    tests.master.commands.execute("throttle.set offline")
    for flow, event in ((tflow(), tests.master.events.requestheaders), (ttcpflow(), tests.master.events.tcp_start)):
        await event(flow)  # type: ignore[operator]
        assert flow.error is not None and not flow.live


async def test_messages_come_later_in_order_and_a_burst_once(tests: context, clock: SlowClock) -> None:
    tests.configure(tests.master.addons.get("throttle"), throttle=["latency=200ms"])
    for flow, event in (
        (twebsocketflow(), tests.master.events.websocket_message),
        (ttcpflow(), tests.master.events.tcp_message),
    ):
        assert await took(clock, event(flow)) == pytest.approx(0.2)  # type: ignore[operator]
        assert await took(clock, event(flow)) == 0  # type: ignore[operator] # it came while the first was held
        clock._now += 1
        assert await took(clock, event(flow)) == pytest.approx(0.2)  # type: ignore[operator]


async def test_messages_take_their_share_of_the_line(tests: context, clock: SlowClock) -> None:
    tests.configure(tests.master.addons.get("throttle"), throttle=["down=1k up=2k"])
    flow = ttcpflow()
    for from_client, seconds in ((False, 4), (True, 2)):
        flow.messages[-1].from_client, flow.messages[-1].content = from_client, b"x" * 4096
        assert await took(clock, tests.master.events.tcp_message(flow)) == pytest.approx(seconds, rel=0.05)


async def test_lost_datagrams(tests: context) -> None:
    tests.master.events.recorder.on = True
    tests.configure(tests.master.addons.get("throttle"), throttle=["/~udp/loss=100%"])
    flow = tudpflow()
    await tests.master.events.udp_message(flow)
    assert flow.messages[-1].content == b""
    assert [(change.who, change.during) for change in flow.changes] == [("throttle", "~udp")]


def test_a_wrong_command_says_why() -> None:
    with (
        context(Throttle()) as tests,
        pytest.raises(CommandError, match=r"slow-3g is no preset; did you mean 'slow3g'; there are"),
    ):
        tests.master.commands.execute("throttle.set slow-3g")


def test_what_the_prompt_has_cut_at_its_spaces_says_that_it_needs_quotes() -> None:
    with (
        context(Throttle()) as tests,
        pytest.raises(CommandError, match=r"/~d: write it as .*, .* with quotes around it"),
    ):
        tests.master.commands.execute("throttle.set /~d a.test/latency=2s")


def test_without_rules_nothing_is_bound() -> None:
    with context(Throttle()) as tests:
        throttle = tests.master.addons.get("throttle")
        before = len(tests.master.events.requestheaders.handlers)
        tests.configure(throttle, throttle=["3g"])
        assert len(tests.master.events.requestheaders.handlers) == before + 1
        tests.configure(throttle, throttle=[])
        assert len(tests.master.events.requestheaders.handlers) == before
