"""What the flow list says while there is nothing in it: the next steps for somebody who has just started.

Three of them: where clients are sent to, how they come to trust us, and a command that shows that it works. Below,
where traffic is kept. The less room there is, the less is said, from the end.
"""

from __future__ import annotations

import os
import shlex
import textwrap
from typing import TYPE_CHECKING, NamedTuple

from midstream.console.widgets.canvas import Run
from midstream.flows.proxy_mode import ProxyMode, ReverseMode
from midstream.text.escape import visible
from midstream.text.url import hostport

if TYPE_CHECKING:
    from midstream.console.pane import Pane
    from midstream.hub.options import Options

_HINTS = (
    ("console.command.set intercept", "hold flows"),
    ("console.compose", "new request"),
    ("console.command", "type a command"),
    ("console.view.help", "all keys"),
    ("console.view.pop", "quit"),
)
_MARGIN = 5  # cells before a step's words, where its number stands
_WIDEST = 90

_Line = list[Run]


class _Ways(NamedTuple):
    """How clients come by a mode: what to do, how they trust us, and a command to try it."""

    here: str
    trust: str
    command: list[str]


def no_flows(pane: Pane, columns: int, rows: int) -> list[_Line]:
    """No flow has arrived yet: where to send one, and how to be trusted."""
    options = pane.console.master.options
    modes = list(options.mode if "mode" in options else ()) or ["regular"]
    ways = _ways_in(ProxyMode.parse(modes[0]), options, _port_given(pane))
    lines: list[_Line] = [[("strong", "  No flows yet.")], []]
    steps = [text for text in (ways.here, ways.trust) if text]
    for number, text in enumerate(steps, 1):
        lines += _step(str(number), text, columns)
    if ways.command:
        lines += _step(str(len(steps) + 1), "To see that it works, in a shell:", columns)
        lines += [[("prompt.label", f"{' ' * _MARGIN}{line}")] for line in ways.command]
    if len(modes) > 1:
        lines += [[], *_step("", "The log names where the other modes listen.", columns)]
    hints = _hints(pane, *_HINTS)
    note = _note(pane, columns)
    return _fitted(lines, note, hints, rows)


def _fitted(lines: list[_Line], note: list[_Line], hints: _Line, rows: int) -> list[_Line]:
    """With the note and empty lines where there is room for them."""
    whole = [*lines, [], *note, *([[]] if note else []), hints]
    if len(whole) <= rows:
        return whole
    tight = [line for line in whole if line]
    if len(tight) <= rows:
        return tight
    steps = [line for line in lines if line]
    begun = note[: max(rows - len(steps) - 1, 0)]
    if begun and len(begun) < len(note):
        begun[-1] = [*begun[-1], ("dim", " …")]
    return [*steps, *begun, hints]


def _step(number: str, text: str, columns: int) -> list[_Line]:
    wrapped = textwrap.wrap(text, max(min(columns, _WIDEST) - _MARGIN - 1, 20), break_long_words=False)
    return [
        [("hint.key", f"  {number if not at else '':<{_MARGIN - 2}}"), ("text", line)]
        for at, line in enumerate(wrapped)
    ]


def _note(pane: Pane, columns: int) -> list[_Line]:
    """Where traffic is kept, as the addon of the session says it."""
    addon = pane.console.master.addons.get("session")
    words = " ".join(addon.note()) if addon is not None else ""
    room = max(min(columns, _WIDEST) - _MARGIN - 1, 20)
    return [[("dim", f"{' ' * _MARGIN}{line}")] for line in textwrap.wrap(visible(words), room, break_on_hyphens=False)]


def _port_given(pane: Pane) -> int:
    """The port that the system gave to the first mode, when it was left to it; 0 while it listens nowhere."""
    addon = pane.console.master.addons.get("proxyserver")
    return next((port for _, port in addon.listen_addrs()), 0) if addon is not None else 0


def _ways_in(mode: ProxyMode, options: Options, port_given: int) -> _Ways:
    host = mode.listen_host(options.listen_host if "listen_host" in options else "")
    phones = ", of a phone to this machine's address (another port: option listen_port)"
    if host in ("", "0.0.0.0", "::"):  # noqa: S104  # not bound here, only shown
        host = "127.0.0.1"
    elif host in ("127.0.0.1", "::1", "localhost"):
        phones = " (for phones: option listen_host; another port: listen_port)"
    port = mode.listen_port(options.listen_port if "listen_port" in options else None) or port_given
    here = visible(hostport("", host, port))
    if isinstance(mode, ReverseMode) and mode.scheme != "dns":
        return _reverse(mode, host, port, options)
    if mode.type_name in ("dns", "reverse"):
        return _Ways(f"Ask the name server at {here}.", "", [f"dig -p {port} @{visible(host)} example.com"])
    if mode.type_name == "transparent":
        words = f"Let the firewall redirect connections to port {port}; docs/modes.md tells how."
        return _Ways(words, _trust(options, "over it"), [])
    if mode.type_name == "socks5":
        kind, command = "SOCKS proxy", f"curl --socks5-hostname {here} \\"
    else:
        kind, here = "proxy", f"http://{here}"
        command = f"curl --proxy {here} \\"
    return _Ways(
        f"Set the {kind} of a browser or an app to {here}{phones}.",
        _trust(options, "through the proxy"),
        [command, _trusting(options), "  https://example.com/"],
    )


def _reverse(mode: ReverseMode, host: str, port: int, options: Options) -> _Ways:
    here = hostport("", host, port)
    words = f"Send clients to {visible(here)}, which stands in for {visible(mode.target)}."
    if mode.scheme == "https":
        # A name, since one that is asked for in TLS is put into the certificate, and an address is not.
        name = hostport("", "localhost", port) if host == "127.0.0.1" else here
        trust = f"Let them trust the CA in {visible(_ca_file(options))}."
        return _Ways(words, trust, ["curl \\", _trusting(options), f"  https://{visible(name)}/"])
    return _Ways(words, "", [f"curl http://{visible(here)}/"] if mode.scheme == "http" else [])


def _trust(options: Options, how: str) -> str:
    site = _site(options)
    if site:
        return f"Trust the CA there, so that HTTPS can be read: open {site} {how}."
    return f"Trust the CA there, so that HTTPS can be read: it is in {visible(_ca_file(options))}."


def _ca_file(options: Options) -> str:
    confdir = options.confdir if "confdir" in options else "~/.midstream"
    return _for_shell(f"{confdir}/midstream-ca-cert.pem")


def _trusting(options: Options) -> str:
    return f"  --cacert {visible(_ca_file(options))} \\"


def _site(options: Options) -> str:
    """Where clients find our certificate; empty if nowhere."""
    if "onboarding" not in options or not options.onboarding:
        return ""
    host = str(options.onboarding_host)
    return f"http://{visible('midstream.internal' if host == 'mitm.it' else host)}"


def _hints(pane: Pane, *commands: tuple[str, str]) -> _Line:
    return [run for command, words in commands for run in (("hint", "  "), *pane.key_hint(command, words))]


def _for_shell(path: str) -> str:
    """The path as it can be copied into a shell; short where it is in the home folder."""
    home = os.path.expanduser("~") + "/"
    if path.startswith(home):
        path = "~/" + path.removeprefix(home)
    return "~/" + shlex.quote(path[2:]) if path.startswith("~/") else shlex.quote(path)


def nothing_matches(pane: Pane) -> list[_Line]:
    """There are flows, but none is shown."""
    view = pane.console.view
    hidden = f"{len(view):,} flow is hidden." if len(view) == 1 else f"{len(view):,} flows are hidden."
    lines: list[_Line] = [[("strong", "  Nothing to show: "), ("text", hidden)], []]
    if view.filter_text:
        lines.append([("text", "  The filter is "), ("prompt", visible(view.filter_text))])
        lines.append(_hints(pane, ("console.filter.pop", "drop it"), ("console.filter", "another one")))
    if view.marked_only:
        marked = len(pane.console.tally.marked)
        none = "none of them passes the filter" if marked else "none is marked"
        lines.append([("text", f"  Only marked flows are shown, and {none}.")])
        lines.append(_hints(pane, ("view.properties.marked.toggle", "show all")))
    return lines
