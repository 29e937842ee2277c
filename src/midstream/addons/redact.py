"""Redact: secrets are shown as names, `<token-1>`, while the option `redact` is on.

On the screen, in dumps, exports, cuts, copied texts and HAR files; the same secret has the same name everywhere. What
is forwarded, edited and saved in flow files stays as it is. It works by `ctx.master.showing` alone, so that it costs
nothing where nothing is shown.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from midstream.flows.errors import OptionsError
from midstream.flows.flow import Flow
from midstream.flows.http import HTTPFlow
from midstream.flows.message import Message
from midstream.flows.tunnel import TunnelFlow
from midstream.hub import ctx
from midstream.hub.addons import Loader

_NOT_LOOKED_INTO = b"<a body that redact cannot look into>"
_REMEMBERED = 16  # bodies that were masked last: a pane asks again and again


if TYPE_CHECKING:
    from midstream.addons.secrets import Masker, Names


class Redact:
    """The addon; see the module."""

    name = "redact"

    def __init__(self) -> None:
        self._names: Names | None = None
        self._masker: Masker | None = None  # None until it is first wanted
        # By the identity of the raw body, which is an immutable value that this keeps alive.
        self._bodies: OrderedDict[int, _Body] = OrderedDict()

    def load(self, loader: Loader) -> None:
        loader.add_option(
            "redact",
            bool,
            False,
            "Show names like <token-1> for passwords, tokens, cookies and keys, on the screen and in exports. Traffic "
            "and flow files keep them.",
        )
        loader.add_option(
            "redact_rules",
            Sequence[str],
            [],
            "What else is secret for redact: header:NAME, field:NAME, or a regular expression (its first group).",
        )
        loader.master.showing.maskers.append(self.mask_once)

    def configure(self, updated: set[str]) -> None:
        if not updated & {"redact", "redact_rules"}:
            return
        if not ctx.options.redact and not ctx.options.redact_rules:
            self._leave()
            ctx.master.showing.changed()
            return
        # Imported here: most starts do without.
        from midstream.addons.secrets import Masker, Names, Rules

        try:
            rules = Rules(ctx.options.redact_rules)
        except ValueError as error:
            raise OptionsError(f"option redact_rules: {error}") from None
        self._names = self._names or Names()
        self._masker = Masker(self._names, rules)
        self._bodies.clear()
        self._leave()
        if ctx.options.redact:
            ctx.master.showing.flows.append(self.mask)
            ctx.master.showing.texts.append(self.mask_text)
        ctx.master.showing.changed()

    def done(self) -> None:
        # At the end of the program others still write what they have.
        if ctx.master.is_running:
            self._leave()
            ctx.master.showing.maskers.remove(self.mask_once)

    def _leave(self) -> None:
        showing = ctx.master.showing
        if self.mask in showing.flows:
            showing.flows.remove(self.mask)
            showing.texts.remove(self.mask_text)

    @property
    def _wanted(self) -> Masker:
        assert self._masker is not None, "nothing is masked before redact is on"
        return self._masker

    def mask_text(self, data: bytes) -> bytes:
        """A text, or a line of a head, without secrets."""
        return self._wanted.line(data)

    def mask_once(self, flow: Flow) -> None:
        """The same for a flow that is to go out without secrets while the option is off."""
        if self._masker is None:
            from midstream.addons.secrets import Masker, Names, Rules

            self._names = self._names or Names()
            self._masker = Masker(self._names, Rules([]))
        self.mask(flow)

    def mask(self, flow: Flow) -> None:
        """Take the secrets out of a flow, which is a copy."""
        if isinstance(flow, HTTPFlow):
            flow.request.raw_path = self._wanted.text(flow.request.raw_path)
            self._mask_message(flow.request)
            if flow.response is not None:
                self._mask_message(flow.response)
            messages: Sequence[Any] = flow.websocket.messages if flow.websocket is not None else ()
        else:
            messages = flow.messages if isinstance(flow, TunnelFlow) else ()
        for message in messages:
            message.content = self._wanted.line(message.content)
        if flow.error is not None:
            masked = self._wanted.text(flow.error.msg.encode("utf-8", "surrogateescape"))
            flow.error.msg = masked.decode("utf-8", "surrogateescape")

    def _mask_message(self, message: Message) -> None:
        if message.raw_content and not _is_media(message):
            self._mask_body(message, message.raw_content)
        message.headers.fields = self._wanted.fields(message.headers.fields)
        if message.trailers is not None:
            message.trailers.fields = self._wanted.fields(message.trailers.fields)

    def _mask_body(self, message: Message, raw: bytes) -> None:
        encoding = message.headers.get("content-encoding")
        known = self._bodies.get(id(raw))
        if known is not None and known.raw is raw and known.encoding == encoding:
            self._bodies.move_to_end(id(raw))
            if known.masked is not None:
                message.raw_content = known.masked
                _correct(message)
            return
        try:
            content = message.get_content(limit=self._wanted.largest) if encoding else raw
        except ValueError:
            content = None
        masked = self._wanted.text(content) if content is not None else _NOT_LOOKED_INTO
        if masked != content:
            try:
                message.content = masked  # encoded again: the header that names the encoding stays true
            except ValueError:
                message.raw_content = masked
        # Who is asked again gives the same object again, so that a pane knows that nothing has changed.
        self._bodies[id(raw)] = _Body(raw, encoding, message.raw_content if masked != content else None)
        while len(self._bodies) > _REMEMBERED:
            self._bodies.popitem(last=False)


class _Body(NamedTuple):
    raw: bytes
    encoding: str | None
    masked: bytes | None
    """None: there is nothing in it."""


def _correct(message: Message) -> None:
    if message.raw_content is not None and "content-length" in message.headers:
        message.headers["content-length"] = str(len(message.raw_content))


def _is_media(message: Message) -> bool:
    kind: str = message.headers.get("content-type", "")
    return kind.lower().startswith(("image/", "video/", "audio/", "font/"))
