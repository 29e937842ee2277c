"""Hold the flows that match a filter until a person lets them go.

Runs with the console. The event that holds a flow does not wait itself: it marks the flow, and whoever emits the event
then waits for `flow.resume()` or `flow.kill()`. Events of heads never hold, and replayed flows are never held.
"""

from __future__ import annotations

from midstream import filters
from midstream.flows.dns import DNSFlow
from midstream.flows.errors import CommandError, OptionsError
from midstream.flows.flow import Flow
from midstream.flows.http import HTTPFlow, Request, Response
from midstream.flows.tcp import TCPFlow
from midstream.flows.udp import UDPFlow
from midstream.hub import ctx
from midstream.hub.addons import Loader
from midstream.hub.commands import command
from midstream.hub.recording import unrecorded


class Intercept:
    """The addon; see the module."""

    def __init__(self) -> None:
        self._filter: filters.Filter | None = None
        self._active = False
        self._stepped: set[str] = set()  # flows whose next message is held, whatever the filter says

    def load(self, loader: Loader) -> None:
        loader.add_option("intercept", str | None, None, "Hold the flows that match this filter.", kind="filter")
        loader.add_option("intercept_active", bool, False, "Whether the intercept filter is applied.")

    def configure(self, updated: set[str]) -> None:
        if "intercept" in updated:
            text = ctx.options.intercept
            try:
                self._filter = filters.parse(text) if text else None
            except filters.FilterError as error:
                raise OptionsError(f"option intercept: {error}") from None
            # Whoever sets a filter wants it to work, and whoever clears it is done.
            if ctx.options.intercept_active != (self._filter is not None):
                ctx.options.intercept_active = self._filter is not None
        if "intercept_active" in updated or "intercept" in updated:
            self._active = ctx.options.intercept_active

    def _would_hold(self, flow: Flow) -> bool:
        return self._active and self._filter is not None and flow.is_replay is None and self._filter(flow)

    def _is_stepped(self, flow: Flow) -> bool:
        # Ids are made when they are first asked for: nobody pays for that while nothing is stepped through.
        return bool(self._stepped) and flow.id in self._stepped

    def _hold(self, flow: Flow) -> None:
        if self._is_stepped(flow):
            self._stepped.discard(flow.id)
            flow.intercept()
        elif self._would_hold(flow):
            flow.intercept()

    @unrecorded
    def error(self, flow: HTTPFlow) -> None:
        if self._stepped:
            self._stepped.discard(flow.id)

    @command("flow.step")
    def step(self, flow: Flow) -> None:
        """Let a held flow go on, and hold what comes next of it, its response or message, though no filter matches."""
        if not flow.intercepted:
            raise CommandError("this flow is not held")
        if isinstance(flow, HTTPFlow) and flow.response is not None and flow.websocket is None:
            raise CommandError("its response is what is held: nothing comes after it")
        self._stepped.add(flow.id)
        flow.resume()
        ctx.master.events.update.sync([flow])

    @unrecorded
    def requestheaders(self, flow: HTTPFlow) -> None:
        self._want_whole(flow, flow.request)

    @unrecorded
    def responseheaders(self, flow: HTTPFlow) -> None:
        if flow.response is not None:
            self._want_whole(flow, flow.response)

    def _want_whole(self, flow: HTTPFlow, message: Request | Response) -> None:
        """What will be held for a person is not passed on piece by piece before, unless an addon asked for that."""
        if message.stream is False and (self._is_stepped(flow) or self._would_hold(flow)):
            message.stream = None

    @unrecorded
    def request(self, flow: HTTPFlow) -> None:
        self._hold(flow)

    @unrecorded
    def response(self, flow: HTTPFlow) -> None:
        self._hold(flow)

    @unrecorded
    def websocket_message(self, flow: HTTPFlow) -> None:
        self._hold(flow)

    @unrecorded
    def tcp_message(self, flow: TCPFlow) -> None:
        self._hold(flow)

    @unrecorded
    def udp_message(self, flow: UDPFlow) -> None:
        self._hold(flow)

    @unrecorded
    def dns_request(self, flow: DNSFlow) -> None:
        self._hold(flow)

    @unrecorded
    def dns_response(self, flow: DNSFlow) -> None:
        self._hold(flow)
