"""Slow and lossy networks: the option `throttle` with its rules, and the commands throttle.*.

The first rule whose filter matches counts. Latency holds an exchange before it is forwarded; bodies go at the rate of
the rule, streamed or held (`message.pace`); messages of WebSockets and raw connections come later, in order. Rules can
be changed while bodies are under way. It uses nothing that a script could not use.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Sequence
from weakref import WeakKeyDictionary

from midstream.addons.bucket import Bucket, Clock, LoopClock
from midstream.addons.rules import by_rule
from midstream.addons.throttle_rules import Settings, Spec, parse_spec
from midstream.flows.dns import DNSFlow
from midstream.flows.errors import CommandError, OptionsError
from midstream.flows.flow import Flow
from midstream.flows.http import HTTPFlow
from midstream.flows.tcp import TCPFlow
from midstream.flows.udp import UDPFlow
from midstream.hub import ctx
from midstream.hub.addons import Loader
from midstream.hub.commands import command
from midstream.hub.log import ALERT

logger = logging.getLogger("midstream.throttle")

LOST = "throttle"
"""The key of a flow's metadata that says that it was lost on purpose."""

# A message that is read this soon after the one before was let go had come while that was held: it is late already.
_SAME_BURST = 0.005


class Throttle:
    """The addon; see the module."""

    name = "throttle"

    def __init__(self, clock: Clock | None = None) -> None:
        self.addons: list[object] = []
        """What slows down, while there are rules."""
        self._clock = clock or LoopClock()
        self._slow: Slow | None = None

    def load(self, loader: Loader) -> None:
        loader.add_option(
            "throttle",
            Sequence[str],
            [],
            "Slow matching traffic down: a preset (slow3g, 3g, 4g, offline), or /filter/latency=200ms jitter=50ms"
            " down=1m up=256k loss=1%.",
        )

    def configure(self, updated: set[str]) -> None:
        if "throttle" not in updated:
            return
        try:
            specs = [parse_spec(text) for text in ctx.options.throttle]
        except ValueError as error:
            raise OptionsError(f"option throttle: {error}") from None
        if specs and self._slow is None:
            self._slow = Slow(self._clock)
        if self._slow is not None:
            self._slow.change(specs)
        if bool(specs) != bool(self.addons):
            self.addons[:] = [self._slow] if specs else []
            ctx.master.addons.rebind()

    @command("throttle.set")
    def set(self, *rules: str) -> None:
        """Slow matching traffic down by these rules; a preset (slow3g, 3g, 4g, offline) is for everything."""
        try:
            for rule in rules:
                parse_spec(rule)
        except ValueError as error:
            raise CommandError(str(error)) from None
        ctx.options.throttle = [*rules]
        logger.log(ALERT, "rules that slow traffic down now: %d; throttle.stop ends that", len(rules))

    @command("throttle.stop")
    def stop(self) -> None:
        """Let everything pass as fast as it comes, also what is under way."""
        ctx.options.throttle = []
        logger.log(ALERT, "nothing is slowed down any more")

    @command("throttle.list")
    def list(self) -> Sequence[str]:
        """The rules, and how many flows each has slowed down."""
        return self._slow.told() if self._slow is not None and self.addons else []


class Rule:
    """A rule that is in force, and the lines that its flows share."""

    def __init__(self, spec: Spec, clock: Clock) -> None:
        self.spec = spec
        self.down = Bucket(clock, spec.settings.down)
        self.up = Bucket(clock, spec.settings.up)
        self.flows = 0
        self._random = _dice(spec)

    @property
    def shown(self) -> str:
        """Which one it is."""
        return self.spec.expression or "everything"

    def change(self, spec: Spec) -> None:
        """Take over other settings, also for what is under way."""
        if spec.settings.seed != self.spec.settings.seed:
            self._random = _dice(spec)
        self.spec = spec
        self.down.rate, self.up.rate = spec.settings.down, spec.settings.up

    def let_go(self) -> None:
        """The rule is over."""
        self.change(Spec(self.spec.expression, self.spec.matches, Settings()))

    def delay(self) -> float:
        """Seconds that the next one waits."""
        settings = self.spec.settings
        jitter = self._random.uniform(-settings.jitter, settings.jitter) if settings.jitter else 0.0
        return max(settings.latency + jitter, 0.0)

    def loses(self) -> bool:
        """Whether the next one is lost."""
        return self._random.uniform(0, 100) < self.spec.settings.loss if self.spec.settings.loss else False


def _dice(spec: Spec) -> random.Random:
    return random.Random(spec.settings.seed)  # noqa: S311 # not for secrets; with a seed a run can be repeated


class Slow:
    """The slowing down itself."""

    name = "throttle"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rules: list[Rule] = []
        self._changed = asyncio.Event()
        # When the last message of each direction was let go.
        self._let_go: WeakKeyDictionary[Flow, dict[bool, float]] = WeakKeyDictionary()

    def change(self, specs: Sequence[Spec]) -> None:
        """Other rules; those with the same filter stay the same lines."""
        before, self._rules = self._rules, []
        for spec in specs:
            rule = next((each for each in before if each.spec.expression == spec.expression), None)
            if rule is None:
                rule = Rule(spec, self._clock)
            else:
                before.remove(rule)
                rule.change(spec)
            self._rules.append(rule)
        for rule in before:
            rule.let_go()
        # Who waits because of a former latency goes on.
        self._changed.set()
        self._changed = asyncio.Event()

    def told(self) -> list[str]:
        """The rules for people."""
        return [f"{rule.shown}: {rule.spec.settings} ({rule.flows} flows)" for rule in self._rules]

    def _rule(self, flow: Flow) -> Rule | None:
        return next((rule for rule in self._rules if rule.spec.matches(flow)), None)

    async def _begin(self, flow: Flow) -> None:
        """Hold what begins as long as it takes to get there, or lose it."""
        rule = self._rule(flow)
        if rule is None:
            return
        rule.flows += 1
        if delay := rule.delay():
            await self._clock.wait(delay, self._changed)
        if rule.loses() and flow.killable:
            flow.metadata[LOST] = "lost"
            with by_rule(flow, self.name, rule.shown):
                flow.kill()

    # --- HTTP

    async def requestheaders(self, flow: HTTPFlow) -> None:
        await self._begin(flow)
        if (rule := self._rule(flow)) is not None and rule.spec.settings.up is not None:
            flow.request.pace = rule.up.take

    def responseheaders(self, flow: HTTPFlow) -> None:
        if (rule := self._rule(flow)) is not None and rule.spec.settings.down is not None and flow.response is not None:
            flow.response.pace = rule.down.take

    # --- messages

    async def websocket_message(self, flow: HTTPFlow) -> None:
        if flow.websocket is not None:
            message = flow.websocket.messages[-1]
            await self._message(flow, message.from_client, message.content)

    async def tcp_start(self, flow: TCPFlow) -> None:
        await self._begin(flow)

    async def tcp_message(self, flow: TCPFlow) -> None:
        await self._message(flow, flow.messages[-1].from_client, flow.messages[-1].content)

    async def udp_message(self, flow: UDPFlow) -> None:
        message = flow.messages[-1]
        rule = self._rule(flow)
        if rule is not None and rule.loses():
            with by_rule(flow, self.name, rule.shown):
                message.content = b""  # a datagram without content is not sent
            return
        await self._message(flow, message.from_client, message.content)

    async def _message(self, flow: Flow, from_client: bool, content: bytes) -> None:
        """Hold a message; those that came meanwhile are late already, and go right behind it."""
        rule = self._rule(flow)
        if rule is None:
            return
        let_go = self._let_go.setdefault(flow, {})
        last = let_go.get(from_client)
        if (last is None or self._clock.now() - last > _SAME_BURST) and (delay := rule.delay()):
            await self._clock.wait(delay, self._changed)
        await (rule.up if from_client else rule.down).take_all(len(content))
        let_go[from_client] = self._clock.now()

    # --- DNS

    async def dns_request(self, flow: DNSFlow) -> None:
        await self._begin(flow)
