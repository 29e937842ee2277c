"""The commands that every program has: setting options, and holding, ending, marking and editing flows.

What needs a stored list of flows (`view.*`) or a screen (`console.*`) is elsewhere; commands that take flows work in
programs that can resolve them.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path as FilePath

from midstream.addons.in_bulk import Edit, are_many, edit_all
from midstream.flows.errors import CommandError, OptionsError
from midstream.flows.flow import Flow
from midstream.flows.http import HTTPFlow, Request, Response
from midstream.flows.response import reason_phrase
from midstream.flows.tunnel import TunnelFlow, TunnelMessage
from midstream.flows.websocket import WebSocketMessage
from midstream.hub import config, ctx, markers, unclaimed
from midstream.hub.addons import Loader
from midstream.hub.adopting import DEFAULT_SOURCE, can_be_adopted
from midstream.hub.commands import argument, command
from midstream.hub.log import ALERT
from midstream.hub.types import Choice, Marker, Path
from midstream.store.rows import Row
from midstream.store.specs import Flows
from midstream.work.slices import cooperate

logger = logging.getLogger(__name__)

ENCODINGS = ("gzip", "deflate", "br", "zstd")
REQUEST_ATTRIBUTES = ("host", "method", "path", "url")
RESPONSE_ATTRIBUTES = ("status_code", "reason")
# With more flows the addons are told in slices, so that the loop goes on meanwhile.
_MANY = 500


class Core:
    """The addon; see the module."""

    def load(self, loader: Loader) -> None:
        config.declare_folder(loader.master.options)
        loader.add_option(
            "showhost", bool, False, "Print URLs with the host that the client named; the console always does."
        )

    def running(self) -> None:
        """At the very first start: say how the state of the program that people come from is taken over."""
        folder = ctx.options.confdir
        if folder != config.DEFAULT_FOLDER or os.path.exists(os.path.expanduser(folder)):
            return
        if can_be_adopted(FilePath(os.path.expanduser(DEFAULT_SOURCE))):
            logger.info("there is a %s: `midstream --adopt` takes over its CA, config.yaml and keys", DEFAULT_SOURCE)

    # -- options --------------------------------------------------------------------------------------------------

    @command("set")
    def set(self, option: str, *value: str) -> None:
        """Set an option: `set showhost true`. A list takes several values; a bool alone is turned on."""
        # `set intercept="~m POST"` lexes as two words, `intercept=` and the text.
        given = option.removesuffix("=") if value else option
        if value and "=" in given:
            raise CommandError(f"set: {given!r} is followed by more words; put quotes around the whole")
        specs = [f"{given}={each}" for each in value] or [given]
        name = given.partition("=")[0]
        if len(value) > 1 and name in ctx.options and not ctx.options.option(name).type.sequence:
            raise CommandError(f"set: {name} takes one value, {len(value)} were given; put quotes around the whole")
        try:
            ctx.options.set(*specs)
        except OptionsError as error:
            raise CommandError(f"set: {error}") from None

    @command("jobs.stop")
    def jobs_stop(self) -> None:
        """Stop reading and saving files; what has been read stays, what was half saved does not."""
        asked = ctx.master.jobs.stop()
        if not asked:
            raise CommandError("jobs.stop: nothing is being read or saved")
        logger.log(ALERT, "stopping: %s", ", ".join(job.what for job in asked))

    @command("options.load")
    def options_load(self, path: Path) -> None:
        """Set the options that a YAML file names."""
        try:
            # Here a missing file is a mistake, at the start it is not.
            if not os.path.exists(path):
                raise OptionsError(f"{path}: no such file")
            waiting = set(ctx.options.deferred)
            config.load_paths(ctx.options, path, source="session")
        except OptionsError as error:
            raise CommandError(f"options.load: {error}") from None
        unknown = unclaimed.sentence(ctx.options, besides=waiting)
        if unknown:
            logger.warning("options.load: %s", unknown)

    @command("options.save")
    def options_save(self, path: Path) -> None:
        """Write the options that differ from their defaults into a YAML file, keeping what else it says."""
        try:
            config.save(ctx.options, path)
        except OptionsError as error:
            raise CommandError(f"options.save: {error}") from None

    @command("options.reset")
    def options_reset(self) -> None:
        """Give every option its default back."""
        try:
            ctx.options.reset()
        except OptionsError as error:
            raise CommandError(f"options.reset: {error}") from None

    @command("options.reset.one")
    def options_reset_one(self, name: str) -> None:
        """Give one option its default back."""
        try:
            ctx.options.reset_one(name)
        except (KeyError, OptionsError) as error:
            raise CommandError(f"options.reset.one: {error.args[0]}") from None

    # -- held, killed and marked flows ----------------------------------------------------------------------------

    @command("flow.resume")
    def resume(self, flows: Sequence[Flow]) -> None:
        """Let held flows go on."""
        _each(_at_hand(flows), _resume)

    @command("flow.kill")
    def kill(self, flows: Sequence[Flow]) -> None:
        """End flows that are still in flight; nothing more of them is forwarded."""
        _each(_at_hand(flows), _kill)

    @command("flow.drop")
    def drop(self, flows: Sequence[Flow]) -> None:
        """Keep back the WebSocket, TCP or UDP message at which flows are held, and let them go on."""
        held = _at_hand(flows)
        with ctx.master.events.recorder.of_command((held,), "flow.drop"):  # there may have been too many to look at
            if not _each(held, _drop):
                raise CommandError("flow.drop: no flow is held at a message")

    @command("flow.revert")
    def revert(self, flows: Sequence[Flow]) -> None:
        """Take back what was edited."""
        self._edit(flows, "flow.revert", _revert, lambda row: row.modified)

    @command("flow.mark")
    def mark(self, flows: Sequence[Flow], marker: Marker) -> None:
        """Mark flows: true, a name such as :dog:, or false for no mark."""

        def put(flow: Flow) -> bool:
            changed = flow.marked != marker
            flow.marked = str(marker)
            return changed

        self._edit(flows, "flow.mark", put, lambda row: row.marked != marker)

    @command("flow.mark.toggle")
    def mark_toggle(self, flows: Sequence[Flow]) -> None:
        """Mark flows that have no mark, and take the mark from those that have one."""

        def flip(flow: Flow) -> bool:
            flow.marked = "" if flow.marked else markers.DEFAULT
            return True

        self._edit(flows, "flow.mark.toggle", flip)

    def _edit(self, flows: Sequence[Flow], name: str, edit: Edit, may: Callable[[Row], bool] = lambda row: True) -> int:
        """Edit flows, and tell the addons; very many in slices. How many are, or may be, changed."""
        if are_many(flows):
            edit_all(flows, name, edit, may)
            return len(flows)
        return _each(flows, edit)

    # -- editing --------------------------------------------------------------------------------------------------

    @command("flow.set")
    @argument("attr", type=Choice("flow.set.options"))
    def flow_set(self, flows: Sequence[Flow], attr: str, value: str) -> None:
        """Change one attribute of the request or response of HTTP flows."""
        if attr not in REQUEST_ATTRIBUTES + RESPONSE_ATTRIBUTES:
            raise CommandError(f"flow.set: {attr!r} cannot be set; flow.set.options lists what can")
        # Tried on a message of our own first: a value that is refused changes no flow at all.
        _set_attribute(Request.make("GET", "http://example/"), Response.make(), attr, value)

        def change(flow: Flow) -> bool:
            if not isinstance(flow, HTTPFlow) or (flow.response is None and attr in RESPONSE_ATTRIBUTES):
                return False
            flow.backup()
            _set_attribute(flow.request, flow.response, attr, value)
            return True

        if not self._edit(flows, "flow.set", change, _is_http) and len(flows):
            part = "response" if attr in RESPONSE_ATTRIBUTES else "request"
            raise CommandError(f"flow.set: none of these flows has an HTTP {part} with a {attr}")

    @command("flow.set.options")
    def flow_set_options(self) -> Sequence[str]:
        """What `flow.set` can change."""
        return ["host", "status_code", "method", "path", "url", "reason"]

    @command("flow.decode")
    def decode(self, flows: Sequence[Flow], part: str) -> None:
        """Undo the content encoding of requests or responses."""
        self._edit_messages(flows, part, "flow.decode", _decode)

    @command("flow.encode")
    @argument("encoding", type=Choice("flow.encode.options"))
    def encode(self, flows: Sequence[Flow], part: str, encoding: str) -> None:
        """Give requests or responses that have no content encoding one."""
        self._edit_messages(flows, part, "flow.encode", lambda flow, message: _encode(flow, message, encoding))

    @command("flow.encode.toggle")
    def encode_toggle(self, flows: Sequence[Flow], part: str) -> None:
        """Switch requests or responses between plain and deflate."""

        def switch(flow: HTTPFlow, message: Request | Response) -> bool:
            return _decode(flow, message) or _encode(flow, message, "deflate")

        self._edit_messages(flows, part, "flow.encode.toggle", switch)

    @command("flow.encode.options")
    def encode_options(self) -> Sequence[str]:
        """The content encodings that can be applied."""
        return list(ENCODINGS)

    def _edit_messages(
        self, flows: Sequence[Flow], part: str, name: str, change: Callable[[HTTPFlow, Request | Response], bool]
    ) -> None:
        if part not in ("request", "response"):
            raise CommandError(f"{part!r} is no part of a flow; the parts are request and response")

        def change_part(flow: Flow) -> bool:
            if not isinstance(flow, HTTPFlow):
                return False
            message = flow.request if part == "request" else flow.response
            try:
                return message is not None and change(flow, message)
            except ValueError as error:
                raise CommandError(f"the {part} of flow {flow.id}: {error}") from None

        self._edit(flows, name, change_part, _is_http)


def _is_http(row: Row) -> bool:
    return row.kind in ("http", "ws")


def _at_hand(flows: Sequence[Flow]) -> Sequence[Flow]:
    """Those that are held or in flight: they are in memory, so that of very many nothing has to be read."""
    if not isinstance(flows, Flows):
        return flows
    in_memory = (ctx.master.view.in_memory(id_) for id_ in flows.ids)
    return [flow for flow in in_memory if flow is not None and (flow.live or flow.intercepted)]


def _each(flows: Sequence[Flow], change: Callable[[Flow], bool]) -> int:
    """Apply `change` to flows and tell the addons which of them it changed; how many they are."""
    changed: list[Flow] = []
    try:
        for flow in flows:
            if change(flow):
                changed.append(flow)
    finally:
        if len(changed) > _MANY:
            ctx.master.background.spawn(_tell(changed), "tell of changed flows")
        elif changed:
            ctx.master.events.update.sync(changed)
    return len(changed)


async def _tell(changed: list[Flow]) -> None:
    async for some in cooperate(changed):
        await ctx.master.events.update(some)


def _resume(flow: Flow) -> bool:
    was_held = flow.intercepted
    flow.resume()
    return was_held


def _kill(flow: Flow) -> bool:
    if not flow.killable:
        return False
    flow.kill()
    return True


def _drop(flow: Flow) -> bool:
    """A held HTTP flow is held at its last WebSocket message as soon as there is one."""
    messages: Sequence[WebSocketMessage | TunnelMessage] = ()
    if isinstance(flow, HTTPFlow) and flow.websocket is not None:
        messages = flow.websocket.messages
    elif isinstance(flow, TunnelFlow):
        messages = flow.messages
    if not (flow.intercepted and messages):
        return False
    flow.backup()
    last = messages[-1]
    if isinstance(last, WebSocketMessage):
        last.drop()
    else:
        last.content = b""
    flow.resume()
    return True


def _revert(flow: Flow) -> bool:
    was_modified = flow.modified()
    flow.revert()
    return was_modified


def _set_attribute(request: Request, response: Response | None, attr: str, value: str) -> None:
    """CommandError for a value that no message can carry, before anything is changed."""
    if any(character < " " or character == "\x7f" for character in value):
        raise CommandError(f"flow.set: {attr}: control characters cannot be sent in it")
    if attr != "reason" and (not value or " " in value):
        raise CommandError(f"flow.set: {attr}: {value!r} is empty or has spaces in it")
    match attr:
        case "url":
            try:
                request.url = value
            except ValueError as error:
                raise CommandError(f"flow.set: {value!r} is no URL: {error}") from None
        case "host" | "method" | "path":
            setattr(request, attr, value)
        case "status_code" if response is not None:
            _set_status(response, value)
        case "reason" if response is not None:
            try:
                response.reason = value
            except ValueError:
                raise CommandError(f"flow.set: reason: {value!r} has characters beyond Latin-1") from None


def _set_status(response: Response, value: str) -> None:
    if not (value.isascii() and value.isdigit() and 100 <= int(value) <= 599):
        raise CommandError(f"flow.set: {value!r} is no status code: a number from 100 to 599")
    response.status_code = int(value)
    response.reason = reason_phrase(response.status_code)


def _encoding(message: Request | Response) -> str:
    encoding: str = message.headers.get("content-encoding", "identity")
    return encoding


def _decode(flow: HTTPFlow, message: Request | Response) -> bool:
    if _encoding(message) == "identity":
        return False
    message.get_content()  # a body that cannot be decoded raises here, before the flow counts as edited
    flow.backup()
    message.decode()
    return True


def _encode(flow: HTTPFlow, message: Request | Response, encoding: str) -> bool:
    if _encoding(message) != "identity":
        return False
    flow.backup()
    message.encode(encoding)
    return True
