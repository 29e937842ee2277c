"""`mitmproxy.addons.export`: the formats as functions of a flow. What cannot be exported is a CommandError there."""

from __future__ import annotations

from collections.abc import Callable

from midstream.flows.errors import CommandError
from midstream.flows.flow import Flow
from midstream.hub import ctx
from midstream.store.exports.formats import NAMES, export


def _export(name: str, flow: Flow) -> bytes:
    master = ctx.current()
    keep_address = master is not None and bool(getattr(master.options, "export_preserve_original_ip", False))
    try:
        return export(name, flow, keep_address)
    except ValueError as error:
        raise CommandError(str(error)) from None


def curl_command(f: Flow) -> str:
    """A command line of curl."""
    return _export("curl", f).decode()


def httpie_command(f: Flow) -> str:
    """A command line of HTTPie."""
    return _export("httpie", f).decode()


def raw(f: Flow, separator: bytes = b"\r\n\r\n") -> bytes:
    """Request and response."""
    whole = _export("raw", f)
    if separator == b"\r\n\r\n":
        return whole
    parts = [_export("raw_request", f), _export("raw_response", f)]
    return separator.join(parts) + whole[len(b"\r\n\r\n".join(parts)) :]


def raw_request(f: Flow) -> bytes:
    """The request."""
    return _export("raw_request", f)


def raw_response(f: Flow) -> bytes:
    """The response."""
    return _export("raw_response", f)


def _text(name: str) -> Callable[[Flow], str]:
    return lambda f: _export(name, f).decode()


formats: dict[str, Callable[[Flow], str | bytes]] = {
    **{name: _text(name) for name in NAMES},
    "raw": raw,
    "raw_request": raw_request,
    "raw_response": raw_response,
}
