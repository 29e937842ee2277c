"""Print finished flows as lines of text, in as much detail as the option `flow_detail` asks for.

Runs in the headless program. What a flow looks like is decided in `dumper_text`; this part chooses which flows are
printed and deals with the output going away. With `flow_detail=0` an event costs one comparison. What
has long bodies is printed in the background, and so is what comes after it: the order is that of the events.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator
from typing import TextIO, TypeVar

from midstream import filters
from midstream.addons.dumper_body import LongBody
from midstream.addons.dumper_long import LongPrint
from midstream.addons.dumper_text import (
    BODY_INDENT,
    Line,
    Look,
    dns_lines,
    http_lines,
    message_lines,
    raw_error_lines,
    websocket_end_lines,
)
from midstream.addons.output import Output
from midstream.addons.tls_failures import is_folded
from midstream.contentviews import registries as contentviews
from midstream.flows.dns import DNSFlow
from midstream.flows.errors import OptionsError
from midstream.flows.flow import Flow
from midstream.flows.http import HTTPFlow
from midstream.flows.tcp import TCPFlow
from midstream.flows.udp import UDPFlow
from midstream.hub import ctx
from midstream.hub.addons import Loader
from midstream.work.apart import run_apart

F = TypeVar("F", bound=Flow)

MOST_WAITING = 256 * 1024 * 1024
"""Bytes of bodies and lines that may wait to be printed; of what comes meanwhile the number is printed."""


class Dumper:
    """The addon; see the module. `out` is any text file, stdout unless given."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._output = Output(out)
        self._filter: filters.Filter | None = None
        self._detail = 0
        self._look = Look()
        self._turn = asyncio.Lock()
        self._in_turn: set[asyncio.Task[None]] = set()
        self._waiting = 0  # bytes of bodies and characters of lines in these
        self._left_out = 0  # what was not printed since the last one that was

    def load(self, loader: Loader) -> None:
        loader.add_option(
            "flow_detail",
            int,
            1,
            "How much is printed of a flow: 0 nothing, 1 a line each for request and response, 2 with headers, "
            "3 with the beginning of bodies and messages, 4 with all of them.",
            kind="range 0..4",
        )
        loader.add_option("dumper_filter", str | None, None, "Print only the flows that match.", kind="filter")
        loader.add_option(
            "content_view_lines_cutoff",
            int,
            512,
            "How many lines of a body are shown before it is cut off.",
            kind="range 1..",
        )
        loader.add_option(
            "dumper_default_contentview",
            str,
            contentviews.AUTO,
            "The content view that bodies and messages are printed by.",
            choices=lambda: contentviews.registry_of(loader.master).available_views(),
        )

    def configure(self, updated: set[str]) -> None:
        options = ctx.options
        if "dumper_filter" in updated:
            try:
                self._filter = filters.parse(options.dumper_filter) if options.dumper_filter else None
            except filters.FilterError as error:
                raise OptionsError(f"option dumper_filter: {error}") from None
        if "dumper_default_contentview" in updated:
            contentviews.check_choice("dumper_default_contentview")
        self._detail = options.flow_detail
        showhost = "showhost" in options and options.showhost
        self._look = Look(
            detail=self._detail,
            cutoff=options.content_view_lines_cutoff,
            colour=self._output.wants_colour(),
            fit_terminal=self._output.is_terminal(),
            named_host=showhost,
            view=options.dumper_default_contentview,
        )

    # -- events -------------------------------------------------------------------------------------------------------

    def response(self, flow: HTTPFlow) -> Awaitable[None] | None:
        if self._detail:
            return self._print(flow, http_lines(self._shown(flow, 0), self._look))
        return None

    def error(self, flow: HTTPFlow) -> Awaitable[None] | None:
        if self._detail:
            return self._print(flow, http_lines(self._shown(flow, 0), self._look))
        return None

    def http_connect_error(self, flow: HTTPFlow) -> Awaitable[None] | None:
        if self._detail and not is_folded(flow):
            return self._print(flow, http_lines(self._shown(flow, 0), self._look))
        return None

    def websocket_message(self, flow: HTTPFlow) -> Awaitable[None] | None:
        if self._detail and flow.websocket is not None:
            shown = self._shown(flow, 1)
            assert shown.websocket is not None
            return self._print(flow, message_lines(shown, shown.websocket.messages[-1], self._look))
        return None

    def websocket_end(self, flow: HTTPFlow) -> Awaitable[None] | None:
        if self._detail and flow.websocket is not None:
            return self._print(flow, websocket_end_lines(self._shown(flow), self._look))
        return None

    def tcp_message(self, flow: TCPFlow) -> Awaitable[None] | None:
        if self._detail:
            shown = self._shown(flow, 1)
            return self._print(flow, message_lines(shown, shown.messages[-1], self._look))
        return None

    def tcp_error(self, flow: TCPFlow) -> Awaitable[None] | None:
        if self._detail and not is_folded(flow):
            return self._print(flow, raw_error_lines(self._shown(flow, 0), self._look))
        return None

    def udp_message(self, flow: UDPFlow) -> Awaitable[None] | None:
        if self._detail:
            shown = self._shown(flow, 1)
            return self._print(flow, message_lines(shown, shown.messages[-1], self._look))
        return None

    def udp_error(self, flow: UDPFlow) -> Awaitable[None] | None:
        if self._detail:
            return self._print(flow, raw_error_lines(self._shown(flow, 0), self._look))
        return None

    def dns_response(self, flow: DNSFlow) -> Awaitable[None] | None:
        if self._detail:
            return self._print(flow, dns_lines(self._shown(flow, 0), self._look))
        return None

    def dns_error(self, flow: DNSFlow) -> Awaitable[None] | None:
        if self._detail:
            return self._print(flow, dns_lines(self._shown(flow, 0), self._look))
        return None

    def _shown(self, flow: F, last: int | None = None) -> F:
        return ctx.master.showing.flow(flow, last)

    # -- output -------------------------------------------------------------------------------------------------------

    def _print(self, flow: Flow, lines: Iterator[Line]) -> Awaitable[None] | None:
        """Print at once, or in its turn when its bodies take a while, or those before it do.

        No client waits for that; a flow that comes from a file does, so that none is read faster than it is printed.
        """
        if self._filter is not None and not self._filter(flow):
            return None
        made = list(lines)
        is_long = any(isinstance(line, LongBody) for line in made)
        if not is_long and not self._in_turn:
            self._write("".join([f"{line}\n" for line in made]))
            return None
        size = sum(line.size if isinstance(line, LongBody) else len(line) for line in made)
        if self._waiting + size > MOST_WAITING:
            self._left_out += 1
            return None
        if self._left_out:
            made.insert(0, f"({self._left_out} not printed: too much was waiting)")
            self._left_out = 0
        # Its own task: a client that leaves ends the exchange, and must not end a print in its middle.
        task = ctx.master.background.spawn(self._print_in_turn(made, size), "print")
        self._in_turn.add(task)
        task.add_done_callback(self._in_turn.discard)
        return None if flow.live else asyncio.shield(task)

    async def _print_in_turn(self, lines: list[Line], size: int) -> None:
        self._waiting += size
        try:
            async with self._turn:
                text: list[str] = []
                for line in lines:
                    if isinstance(line, str):
                        text.append(f"{line}\n")
                        continue
                    await self._write_apart(text)
                    views = contentviews.registry_of(ctx.master)
                    await LongPrint(self._write_apart, BODY_INDENT, views, ctx.master.worker).print(line)
                await self._write_apart(text)
        finally:
            self._waiting -= size

    async def _write_apart(self, lines: list[str]) -> None:
        text = "".join(lines)
        lines.clear()
        if text and self._detail:
            # A thread that the end of the program does not wait for: nobody may read any more.
            await run_apart(lambda: self._write(text), None, "dumper")

    def _write(self, text: str) -> None:
        if not self._output.write(text):
            self._detail = 0
            ctx.master.shutdown()

    async def done(self) -> None:
        """What is being printed is printed to its end, as long as somebody reads it."""
        while self._in_turn:
            await asyncio.wait(self._in_turn)
