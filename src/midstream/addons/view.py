"""The addon that keeps captured flows: it feeds the view from events and offers it as `view.*` commands.

The program makes the `store.View` and gives it to this addon and to the console; `ctx.master.view` is the same object.
Programs without this addon keep no flows. CONNECT requests are not listed unless they fail: what passes through the
tunnel is.
"""

from __future__ import annotations

import logging
import os
import time
import weakref
from collections.abc import Sequence
from contextlib import aclosing
from functools import partial
from typing import TypeVar
from uuid import uuid4

from midstream import filters
from midstream.addons.tls_failures import FOLDED, is_folded
from midstream.addons.view_steps import Addition, Removal, counted
from midstream.flows.connection import Client, Server
from midstream.flows.dns import DNSFlow
from midstream.flows.errors import CommandError, FlowReadException, OptionsError
from midstream.flows.flow import Flow
from midstream.flows.http import HTTPFlow, Request
from midstream.flows.tcp import TCPFlow
from midstream.flows.udp import UDPFlow
from midstream.hub import ctx
from midstream.hub.addons import Loader
from midstream.hub.commands import argument, command
from midstream.hub.log import ALERT
from midstream.hub.recording import is_by_person, may_go_on, unrecorded
from midstream.hub.types import Choice, Path
from midstream.store.focus import Focus
from midstream.store.order import ORDERS, check_order
from midstream.store.specs import Flows, ids_in, takes_long
from midstream.store.taken import Taken
from midstream.store.view import View
from midstream.work.slices import Budget, cooperate, let_go

logger = logging.getLogger("midstream.addons.view")

T = TypeVar("T")

# What is done with more flows is done in slices; and where each may take a while.
_MANY = 2000
_FEW = 4


class ViewAddon:
    """The addon; see the module."""

    name = "view"

    def __init__(self, view: View) -> None:
        self.view = view
        # Flows that were taken out while in flight: their later events must not bring them back.
        self._dismissed: weakref.WeakSet[Flow] = weakref.WeakSet()

    @property
    def focus(self) -> Focus:
        """The focused flow, for scripts that look the addon up by its name."""
        return self.view.focus

    def load(self, loader: Loader) -> None:
        loader.add_option("view_filter", str | None, None, "Show only the flows that match.", kind="filter")
        loader.add_option("view_order", str, "time", "What the flow list is sorted by.", choices=list(ORDERS))
        loader.add_option("view_order_reversed", bool, False, "Show the largest sort key first.")
        loader.add_option("console_focus_follow", bool, False, "Move the focus to each new flow.")

    def configure(self, updated: set[str]) -> None:
        options = ctx.options
        if "view_filter" in updated:
            try:
                filter_ = filters.parse(options.view_filter) if options.view_filter else None
            except filters.FilterError as error:
                raise OptionsError(f"option view_filter: {error}") from None
            self._apply(filter_)
        if updated & {"view_order", "view_order_reversed"}:
            self._sort(options.view_order, options.view_order_reversed)
        if "console_focus_follow" in updated:
            self.view.follow = options.console_focus_follow

    def _apply(self, filter_: filters.Filter | None) -> None:
        # The console narrows the list while a filter is typed; setting the option afterwards changes nothing more.
        if (filter_.pattern if filter_ is not None else "") == self.view.filter_text:
            return
        if self._is_quick(filter_):
            self.view.set_filter(filter_)
        else:
            ctx.master.background.spawn(self.view.refilter(filter_), "filter the flow list")

    def _sort(self, key: str, reversed: bool) -> None:
        # A script may look at the list in its next line; whoever looks at the screen sees it in a moment.
        if key == self.view.order or len(self.view.shown) <= _MANY or not may_go_on():
            self.view.set_order(key, reversed)
        else:
            ctx.master.background.spawn(self.view.reorder(key, reversed), "sort the flow list")

    def _is_quick(self, filter_: filters.Filter | None) -> bool:
        """Whether all flows can be looked at, and those that pass be sorted, in one go."""
        on_disk = len(self.view) - len(self.view.flows_in_memory)
        is_slow = filter_ is not None and (filter_.takes_time or on_disk > _FEW)  # to read takes its time as well
        return len(self.view) <= (_FEW if is_slow else _MANY)

    # -- events -------------------------------------------------------------------------------------------------------

    @unrecorded
    def requestheaders(self, flow: HTTPFlow) -> None:
        self._add(flow)

    @unrecorded
    def tcp_start(self, flow: TCPFlow) -> None:
        self._add_unless_folded(flow)

    @unrecorded
    def udp_start(self, flow: UDPFlow) -> None:
        self._add(flow)

    @unrecorded
    def dns_request(self, flow: DNSFlow) -> None:
        self._add(flow)

    @unrecorded
    def error(self, flow: HTTPFlow) -> None:
        # What was refused before its head was understood begins and ends here.
        self._add(flow)

    @unrecorded
    def http_connect_error(self, flow: HTTPFlow) -> None:
        self._add_unless_folded(flow)

    def update(self, flows: Sequence[Flow]) -> None:
        # Follows every event with a flow, so this one handler keeps all rows true.
        for flow in flows:
            self.view.update(flow)

    def _add(self, flow: Flow) -> None:
        if flow.id not in self.view and flow not in self._dismissed:
            self.view.add(flow)

    def _add_unless_folded(self, flow: Flow) -> None:
        if is_folded(flow):
            if flow.metadata[FOLDED] in self.view:
                return
            del flow.metadata[FOLDED]  # its first was taken out of the list
        self._add(flow)

    # -- flows --------------------------------------------------------------------------------------------------------

    @command("view.flows.resolve")
    def resolve(self, flow_spec: str) -> Sequence[Flow]:
        """The flows that a spec names: @all @focus @shown @hidden @marked @unmarked, @ID,... or a filter."""
        try:
            return self.view.resolve(flow_spec)
        except ValueError as error:
            raise CommandError(str(error)) from None

    @command("view.flows.create")
    def create(self, method: str, url: str) -> None:
        """Add a request of your own to the list and focus it; edit and replay it from there."""
        try:
            request = Request.make(method.upper(), url)
        except ValueError as error:
            raise CommandError(f"{url!r} is no URL: {error}") from None
        now = time.time()
        request.timestamp_start = request.timestamp_end = now
        client = Client(peername=("", 0), sockname=("", 0), timestamp_start=now)
        flow = HTTPFlow(client, Server(address=(request.host, request.port)))
        flow.request = request
        self.view.add(flow)
        self._note_added("new request", [flow])
        self._focus(flow.id)

    @command("view.flows.duplicate")
    def duplicate(self, flows: Sequence[Flow]) -> None:
        """Copy flows and focus the first copy."""
        if takes_long(flows, _MANY):
            ctx.master.background.spawn(self._duplicate(flows), "copy flows")
            return
        copies = [flow.copy() for flow in flows]
        for copy in copies:
            self.view.add(copy)
        if copies:
            self._note_added(f"copy of {counted(len(copies))}", copies)
            self._focus(copies[0].id)

    async def _duplicate(self, flows: Sequence[Flow]) -> None:
        copies = []
        async for some in cooperate(flows):
            for copy in [flow.copy() for flow in some]:
                self.view.add(copy)
                copies.append(copy)
        if copies:  # they may have been removed by now
            self._note_added(f"copy of {counted(len(copies))}", copies)
            self._focus(copies[0].id)

    def _note_added(self, what: str, flows: Sequence[Flow]) -> None:
        if is_by_person():
            ctx.master.undo.add(Addition(self.view, what, flows))

    @command("view.flows.load")
    def flows_load(self, path: Path) -> None:
        """Add the flows of a file to the list. They get ids of their own, so that a file can be loaded twice."""
        ctx.master.background.spawn(self._load(path), f"load {path}")

    async def _load(self, path: str) -> None:
        count, budget = 0, Budget()

        # Imported here: few starts read a file.
        from midstream.store.formats.loading import batches

        try:
            with ctx.master.jobs.begun(f"loading {os.path.basename(path)}") as job:
                async with aclosing(batches(path, job)) as some_flows:
                    async for batch in some_flows:
                        for flow in batch:
                            flow.id = str(uuid4())
                            flow.resume()  # whoever held it is gone
                            self.view.add(flow)
                            count += 1
                            if budget.spent():
                                await budget.rest()
                        del flow
                        batch.clear()
                        await self.view.written()  # the file may be larger than memory
        except FlowReadException as error:
            logger.error("%s: %s; loaded %s", path, error, counted(count))
        else:
            stopped = ", and was then stopped" if job.stopped else ""
            logger.log(ALERT, "loaded %s from %s%s", counted(count), path, stopped)

    @command("view.flows.remove")
    def remove(self, flows: Sequence[Flow]) -> None:
        """End flows that are still in flight, and take them all out of the list."""
        self._take_out(ids_in(flows), kill_all=True)

    @command("view.clear")
    def clear(self) -> None:
        """Take all flows out of the list. Held ones are ended, since nobody could release them any more."""
        self._take_out(None, "clear")

    @command("view.clear_unmarked")
    def clear_unmarked(self) -> None:
        """Take all flows without a mark out of the list. Held ones are ended."""
        flows = self.view.resolve("@unmarked")
        if len(self.view) > _MANY and may_go_on():
            ctx.master.background.spawn(self._take_out_found(flows), "clear")
        else:
            self._take_out(flows.ids)

    async def _take_out_found(self, flows: Flows) -> None:
        await flows.look()
        self._take_out(flows.ids)

    def _take_out(self, ids: Sequence[str] | None, word: str = "delete", kill_all: bool = False) -> None:
        take_out = partial(self._taken_out, kill_all=kill_all)
        if not (self.view if ids is None else ids) or not is_by_person():
            taken, _ = take_out(ids)
            gone: list[object] = list(taken.flows.values())
            taken.let_go()
            self._let_go(gone)
            return
        step = Removal(self.view, ids, take_out, word)
        step.free, step.show_later = self._let_go, ctx.master.background.spawn
        step.take_back = self._dismissed.difference_update  # events about them count again
        if not ctx.master.undo.add(step):
            logger.warning("the %s cannot be undone: %d MB are too many to keep", step.what, step.size >> 20)

    def _taken_out(self, ids: Sequence[str] | None, kill_all: bool = False) -> tuple[Taken, int]:
        """Take flows out; how many were ended for that. What is live is in memory."""
        taken, ended = self.view.take_out(ids), 0
        for flow in taken.flows.values():
            if flow.live:
                self._dismissed.add(flow)
                if flow.killable and (kill_all or flow.intercepted):
                    flow.kill()
                    ended += 1
        return taken, ended

    def _let_go(self, gone: list[T]) -> None:
        if len(gone) > _MANY:
            ctx.master.background.spawn(let_go(gone), "free flows")

    # -- focus --------------------------------------------------------------------------------------------------------

    @command("view.focus.go")
    def focus_go(self, offset: int) -> None:
        """Focus the row with this index; negative ones count from the end, too large ones mean the last."""
        shown = self.view.shown
        if shown:
            index = offset + len(shown) if offset < 0 else offset
            self.view.set_focus(shown[min(max(index, 0), len(shown) - 1)])

    @command("view.focus.next")
    def focus_next(self) -> None:
        """Focus the next row."""
        self._step(1)

    @command("view.focus.prev")
    def focus_prev(self) -> None:
        """Focus the previous row."""
        self._step(-1)

    def _step(self, by: int) -> None:
        focus = self.view.focus_id
        index = self.view.index(focus) if focus is not None else None
        if index is not None and 0 <= index + by < len(self.view.shown):
            self.view.set_focus(self.view.shown[index + by])

    def _focus(self, id_: str) -> None:
        if id_ in self.view.shown:
            self.view.set_focus(id_)

    # -- filter and order ---------------------------------------------------------------------------------------------

    @command("view.filter.set")
    def filter_set(self, filter_expr: str) -> None:
        """Show only matching flows without changing the option; an empty text shows all."""
        try:
            self._apply(filters.parse(filter_expr) if filter_expr.strip() else None)
        except filters.FilterError as error:
            raise CommandError(str(error)) from None

    @command("view.order")
    def order(self) -> str:
        """What the list is sorted by."""
        return self.view.order

    @command("view.order.options")
    def order_options(self) -> Sequence[str]:
        """What the list can be sorted by."""
        return list(ORDERS)

    @command("view.order.set")
    @argument("order_key", type=Choice("view.order.options"))
    def order_set(self, order_key: str) -> None:
        """Sort the list without changing the option."""
        try:
            check_order(order_key)
        except ValueError as error:
            raise CommandError(str(error)) from None
        self._sort(order_key, self.view.wanted_order[1])

    @command("view.order.reverse")
    def order_reverse(self, boolean: bool) -> None:
        """Show the largest sort key first, or last, without changing the option."""
        self._sort(self.view.wanted_order[0], boolean)

    # -- properties and settings --------------------------------------------------------------------------------------

    @command("view.properties.length")
    def length(self) -> int:
        """How many rows are shown."""
        return len(self.view.shown)

    @command("view.properties.inbounds")
    def inbounds(self, index: int) -> bool:
        """Whether there is a row with this index."""
        return 0 <= index < len(self.view.shown)

    @command("view.properties.marked")
    def marked(self) -> bool:
        """Whether only marked flows are shown."""
        return self.view.marked_only

    @command("view.properties.marked.toggle")
    def marked_toggle(self) -> None:
        """Show only marked flows, or all again."""
        only = not self.view.marked_only
        if self._is_quick(self.view.filter):
            self.view.show_marked(only)
        else:
            ctx.master.background.spawn(self.view.reshow_marked(only), "filter the flow list")

    @command("view.settings.getval")
    def getval(self, flow: Flow, key: str, default: str) -> str:
        """What the interface remembers about a flow under this key."""
        return self._settings(flow.id).get(key, default)

    @command("view.settings.setval")
    def setval(self, flows: Sequence[Flow], key: str, value: str) -> None:
        """Let the interface remember something about flows."""
        for id_ in ids_in(flows):
            self._settings(id_)[key] = value

    @command("view.settings.setval.toggle")
    def setval_toggle(self, flows: Sequence[Flow], key: str) -> None:
        """Switch something that is remembered about flows between "true" and "false"."""
        for id_ in ids_in(flows):
            settings = self._settings(id_)
            settings[key] = "false" if settings.get(key) == "true" else "true"

    def _settings(self, id_: str) -> dict[str, str]:
        try:
            return self.view.settings(id_)
        except KeyError:
            raise CommandError("this flow is not in the list") from None
