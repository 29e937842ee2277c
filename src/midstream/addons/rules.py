"""What the addons of rules have in common: how an option becomes rules, and when a request meets them.

The rules themselves are read by `filters/rules.py`. Each addon keeps what works with them in its list `addons`, so that
an option that is not set costs no flow anything.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from typing import TypeVar
from weakref import WeakSet

from midstream import filters
from midstream.filters.filter import Filter, described
from midstream.filters.rules import RuleError, shown
from midstream.flows.errors import OptionsError
from midstream.flows.flow import Flow
from midstream.flows.http import HTTPFlow, Request
from midstream.hub import ctx
from midstream.hub.concurrent import threaded
from midstream.hub.option_kinds import Kind
from midstream.hub.repeats import Repeats
from midstream.hub.threads import Threads
from midstream.proxy.http.bodies import is_endless
from midstream.proxy.server import Proxy
from midstream.proxy.settings import Settings

logger = logging.getLogger("midstream.rules")

R = TypeVar("R")

MOST_THREADS = 2
"""Threads of each addon for large bodies and files, so that hostile ones leave the loop its share of the machine."""


def kind(check: Callable[[str], object]) -> Kind:
    """The kind of an option whose items `check` reads."""
    return Kind("rule", check=check)


def compiled(option: str, read: Callable[[str], R]) -> list[R]:
    """The rules of an option, as they stand there. Raises OptionsError."""
    texts: list[str] = getattr(ctx.options, option)
    try:
        return [read(text) for text in texts if text]
    except RuleError as error:
        raise OptionsError(f"option {option}: {error}") from None


def filter_of(option: str) -> Filter | None:
    """The filter of an option, if it has one. Raises OptionsError."""
    text: str | None = getattr(ctx.options, option)
    try:
        return filters.parse(text) if text else None
    except filters.FilterError as error:
        raise OptionsError(f"option {option}: {error}") from None


def by_rule(flow: Flow, option: str, text: str) -> AbstractContextManager[None]:
    """Around what a rule changes, so that it is named where people look for what touched the flow."""
    return ctx.master.events.recorder.of([flow], option, shown(text))


class Telling:
    """Says in the log what a rule could not do: once, and then with its count."""

    def __init__(self, option: str) -> None:
        self._option = option
        self._repeats = Repeats()

    def skipped(self, rule: str, flow: HTTPFlow, reason: object) -> None:
        """This rule is skipped for this flow."""
        self._repeats.warn(
            logger, f"the rule {shown(rule)} of {self._option} is skipped: {reason}", described(flow), flow=flow.id
        )


class Aside:
    """Runs work on large bodies and files in a few threads of its own."""

    def __init__(self) -> None:
        self._threads = Threads(MOST_THREADS)

    async def run(self, work: Callable[[], R]) -> R:
        """What `work` returns or raises."""
        results: list[R] = []
        await threaded(lambda: results.append(work()), self._threads)
        return results[0]

    def close(self) -> None:
        """Let the threads go."""
        self._threads.close()


class OnRequest:
    """Calls `act` once for each request that is still to be answered, before any of it is sent.

    That is in the event `request`, as scripts expect it; where the body is not waited for, in `requestheaders`.
    """

    name = ""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self._in_time: WeakSet[HTTPFlow] = WeakSet()
        self._repeats = Repeats()

    def act(self, flow: HTTPFlow) -> Awaitable[None] | None:
        """What the addon does."""
        raise NotImplementedError

    def concerns(self, flow: HTTPFlow) -> bool:
        """Whether it matters to a person that `act` came too late."""
        raise NotImplementedError

    def requestheaders(self, flow: HTTPFlow) -> Awaitable[None] | None:
        if not passes_at_once(flow.request, self._proxy.settings):
            return None
        self._in_time.add(flow)
        return self.act(flow) if is_open(flow) else None

    def request(self, flow: HTTPFlow) -> Awaitable[None] | None:
        if flow in self._in_time:
            return None
        if not flow.request.stream:
            return self.act(flow) if is_open(flow) else None
        if self.concerns(flow):  # a body without a length that has outgrown memory
            text = f"{self.name} was not applied to a request whose body was too large to be waited for"
            self._repeats.warn(logger, text, described(flow))
        return None


def is_open(flow: HTTPFlow) -> bool:
    """Whether a request is still to be answered."""
    return flow.live and flow.error is None and flow.response is None


def passes_at_once(request: Request, settings: Settings) -> bool:
    """Whether the body will not be waited for, as far as the head tells."""
    if request.stream:
        return True
    length = request.headers.get("content-length", "")
    if length.isdecimal() and len(length) < 20:
        most, threshold = settings.body_buffer_limit, settings.stream_large_bodies
        return int(length) > (most if threshold is None else min(most, threshold))
    return request.stream is not None and settings.stream_endless_bodies and is_endless(request)
