"""What the flow list says while there is nothing in it: the next steps for somebody who has just started."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from midstream.console.widgets.canvas import Run
from midstream.text.escape import visible
from midstream.text.url import hostport

if TYPE_CHECKING:
    from midstream.console.pane import Pane

_DEFAULT_PORT = 8080
_HINTS = (
    ("console.command.set intercept", "hold flows"),
    ("console.command", "type a command"),
    ("console.view.help", "all keys"),
    ("console.view.pop", "quit"),
)


def no_flows(pane: Pane) -> list[list[Run]]:
    """No flow has arrived yet: where to send one, and how to be trusted."""
    options = pane.console.master.options
    host = (options.listen_host if "listen_host" in options else "") or "127.0.0.1"
    if host in ("0.0.0.0", "::"):  # noqa: S104  # not bound here, only shown
        host = "127.0.0.1"
    port = (options.listen_port if "listen_port" in options else None) or _DEFAULT_PORT
    address = "http://" + visible(hostport("", host, port))
    confdir = options.confdir if "confdir" in options else "~/.midstream"
    authority = visible(_for_shell(f"{confdir}/midstream-ca-cert.pem"))
    return [
        [("strong", "  No flows yet.")],
        [],
        [("text", "  Send something through the proxy at "), ("host", address), ("text", ":")],
        [],
        [("prompt.label", f"    curl --proxy {address} \\")],
        [("prompt.label", f"      --cacert {authority} \\")],
        [("prompt.label", "      https://example.com/")],
        [],
        [("text", "  For a browser or a phone: set this address as its proxy, then let it")],
        [("text", "  trust the certificate in that file.")],
        [],
        _hints(pane, *_HINTS),
    ]


def _hints(pane: Pane, *commands: tuple[str, str]) -> list[Run]:
    return [run for command, words in commands for run in (("hint", "  "), *pane.key_hint(command, words))]


def _for_shell(path: str) -> str:
    """The path as it can be copied into a shell; short where it is in the home folder."""
    home = os.path.expanduser("~") + "/"
    if path.startswith(home):
        path = "~/" + path.removeprefix(home)
    return "~/" + shlex.quote(path[2:]) if path.startswith("~/") else shlex.quote(path)


def nothing_matches(pane: Pane) -> list[list[Run]]:
    """There are flows, but none is shown."""
    view = pane.console.view
    hidden = f"{len(view):,} flow is hidden." if len(view) == 1 else f"{len(view):,} flows are hidden."
    lines: list[list[Run]] = [[("strong", "  Nothing to show: "), ("text", hidden)], []]
    if view.filter_text:
        lines.append([("text", "  The filter is "), ("prompt", visible(view.filter_text))])
        lines.append(_hints(pane, ("console.filter", "change it")))
    if view.marked_only:
        lines.append([("text", "  Only marked flows are shown.")])
        lines.append(_hints(pane, ("view.properties.marked.toggle", "show all")))
    return lines
