"""What the flow list says while there is nothing in it: the next steps for somebody who has just started."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from midstream.console.widgets.canvas import Run
from midstream.flows.proxy_mode import ProxyMode, ReverseMode
from midstream.text.escape import visible
from midstream.text.url import hostport

if TYPE_CHECKING:
    from midstream.console.pane import Pane
    from midstream.hub.options import Options

_HINTS = (
    ("console.command.set intercept", "hold flows"),
    ("console.command", "type a command"),
    ("console.view.help", "all keys"),
    ("console.view.pop", "quit"),
)


def no_flows(pane: Pane) -> list[list[Run]]:
    """No flow has arrived yet: where to send one, and how to be trusted."""
    options = pane.console.master.options
    modes = list(options.mode if "mode" in options else ()) or ["regular"]
    words, command = _way_in(ProxyMode.parse(modes[0]), options)
    lines: list[list[Run]] = [[("strong", "  No flows yet.")], []]
    lines += [[("text", f"  {line}")] for line in words[:1]]
    lines += [[], *([("prompt.label", f"    {line}")] for line in command)] if command else []
    if words[1:]:
        lines += [[], *([("text", f"  {line}")] for line in words[1:])]
    if len(modes) > 1:
        lines += [[], [("text", "  The log names where the other modes listen.")]]
    return [*lines, [], _hints(pane, *_HINTS)]


def _way_in(mode: ProxyMode, options: Options) -> tuple[list[str], list[str]]:
    """How clients come by this mode, in words, and a command that is one."""
    host = mode.listen_host(options.listen_host if "listen_host" in options else "")
    if host in ("", "0.0.0.0", "::"):  # noqa: S104  # not bound here, only shown
        host = "127.0.0.1"
    port = mode.listen_port(options.listen_port if "listen_port" in options else None) or 0
    here = visible(hostport("", host, port))
    confdir = options.confdir if "confdir" in options else "~/.midstream"
    trusting = f"  --cacert {visible(_for_shell(f'{confdir}/midstream-ca-cert.pem'))} \\"
    if isinstance(mode, ReverseMode) and mode.scheme != "dns":
        words = f"midstream stands in for {visible(mode.target)} at {here}"
        if mode.scheme == "https":
            # A name, since one that is asked for in TLS is put into the certificate, and an address is not.
            name = hostport("", "localhost", port) if host == "127.0.0.1" else here
            return [f"{words}:", "A client has to trust the certificate in that file."], [
                "curl \\",
                trusting,
                f"  https://{name}/",
            ]
        return ([f"{words}:"], [f"curl http://{here}/"]) if mode.scheme == "http" else ([f"{words}."], [])
    if mode.type_name in ("dns", "reverse"):
        return [f"Ask the name server at {here}:"], [f"dig -p {port} @{visible(host)} example.com"]
    if mode.type_name == "transparent":
        return [f"Let the firewall redirect connections to port {port}; docs/modes.md tells how."], []
    if mode.type_name == "socks5":
        kind, command = "SOCKS proxy", f"curl --socks5-hostname {here} \\"
    else:
        here = f"http://{here}"
        kind, command = "proxy", f"curl --proxy {here} \\"
    site = _site(options)
    other = [
        f"For a browser or a phone: set this address as its {kind}, then {'open' if site else 'let it'}",
        f"{site} there: it tells how to trust us." if site else "trust the certificate in that file.",
    ]
    return [f"Send something through the {kind} at {here}:", *other], [command, trusting, "  https://example.com/"]


def _site(options: Options) -> str:
    """Where clients find our certificate; empty if nowhere."""
    if "onboarding" not in options or not options.onboarding:
        return ""
    host = str(options.onboarding_host)
    return f"http://{visible('midstream.internal' if host == 'mitm.it' else host)}"


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
