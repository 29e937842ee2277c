"""Print finished flows as lines of text, in as much detail as the option `flow_detail` asks for.

Runs in the headless program. What a flow looks like is decided in `dumper_text`; this part chooses which flows are
printed and deals with the output going away. With `flow_detail=0` an event costs one comparison.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TextIO

from midstream import filters
from midstream.addons.dumper_text import (
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


class Dumper:
    """The addon; see the module. `out` is any text file, stdout unless given."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._output = Output(out)
        self._filter: filters.Filter | None = None
        self._detail = 0
        self._look = Look()

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

    def response(self, flow: HTTPFlow) -> None:
        if self._detail:
            self._print(flow, http_lines(flow, self._look))

    def error(self, flow: HTTPFlow) -> None:
        if self._detail:
            self._print(flow, http_lines(flow, self._look))

    def http_connect_error(self, flow: HTTPFlow) -> None:
        if self._detail and not is_folded(flow):
            self._print(flow, http_lines(flow, self._look))

    def websocket_message(self, flow: HTTPFlow) -> None:
        if self._detail and flow.websocket is not None:
            self._print(flow, message_lines(flow, flow.websocket.messages[-1], self._look))

    def websocket_end(self, flow: HTTPFlow) -> None:
        if self._detail and flow.websocket is not None:
            self._print(flow, websocket_end_lines(flow, self._look))

    def tcp_message(self, flow: TCPFlow) -> None:
        if self._detail:
            self._print(flow, message_lines(flow, flow.messages[-1], self._look))

    def tcp_error(self, flow: TCPFlow) -> None:
        if self._detail and not is_folded(flow):
            self._print(flow, raw_error_lines(flow, self._look))

    def udp_message(self, flow: UDPFlow) -> None:
        if self._detail:
            self._print(flow, message_lines(flow, flow.messages[-1], self._look))

    def udp_error(self, flow: UDPFlow) -> None:
        if self._detail:
            self._print(flow, raw_error_lines(flow, self._look))

    def dns_response(self, flow: DNSFlow) -> None:
        if self._detail:
            self._print(flow, dns_lines(flow, self._look))

    def dns_error(self, flow: DNSFlow) -> None:
        if self._detail:
            self._print(flow, dns_lines(flow, self._look))

    # -- output -------------------------------------------------------------------------------------------------------

    def _print(self, flow: Flow, lines: Iterator[str]) -> None:
        if self._filter is not None and not self._filter(flow):
            return
        if not self._output.write("".join([line + "\n" for line in lines])):
            self._detail = 0
            ctx.master.shutdown()
