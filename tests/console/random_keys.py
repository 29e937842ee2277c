"""Keys, pastes, clicks and sizes at random, from a seed, and what is done to flows meanwhile.

test_random_keys_*.py press them in a console that records, tests/end2end/test_random_keys.py in the real program.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

from midstream.console.console import Console
from midstream.flows.flow import Error, Flow
from midstream.flows.http import HTTPFlow
from midstream.flows.tcp import TCPFlow
from midstream.flows.websocket import WebSocketMessage
from tests.kit.captured import START, dns_flow, http_flow, tcp_flow, udp_flow, websocket_flow
from tests.kit.hostile import TEXTS

SIZES = ((20, 5), (40, 10), (59, 15), (60, 16), (80, 24), (99, 30), (100, 30), (120, 32), (200, 50), (300, 80))
MOVES = ("up", "down", "left", "right", "home", "end", "page up", "page down", "enter", "enter", "enter", "tab", " ")
EDITING = (
    "backspace", "delete", "ctrl a", "ctrl e", "ctrl w", "ctrl u", "ctrl k", "ctrl y", "ctrl t", "meta b", "meta d",
)  # fmt: skip
FINDING = ("ctrl f", "meta n", "meta p", "meta g")  # in texts
ODD = (
    "f1", "f5", "f12", "f30", "insert", "shift tab", "shift up", "ctrl @", "ctrl _", "ctrl x", "ctrl g", "ctrl c",
    "ctrl l", "ctrl left", "ctrl right", "meta enter", "meta esc", "meta é", "é", "日", "\u0301", "\u202e", "<0>",
)  # fmt: skip
WORDS = (
    "~m POST", "~d exam", "(", "~b [", "!~a & ~c 200", '~u "unclosed', "~replay", "@focus", "@all", ":todo", "*", "",
    "set view_order ", "set console_layout ", "set console_palette ", "set view_filter ", "set stickycookie ~a",
    "set console_plain true", "set console_ascii true", "set console_columns ", "set intercept ~a", "set anticache",
    "flow.mark @all :x", "flow.comment @focus 'ab c'", "flow.set @focus url http://a.invalid/", "flow.resume @all",
    "flow.encode @focus response gzip", "replay.client @focus", "replay.client @all", "cut.clip @all ", "curl", "har",
    "export.file har @all b.har", "save.file @all a.flows", "view.flows.load a.flows", "script.run @shown s.py", "raw",
    "options.save o.yaml",
    "console.choose x a,b set intercept ", "console.key.bind global X console.exit.ask", "console.tab.next", "console.",
    "console.compose", "console.mark.go", "console.nav.line 4", "view.flows.", "view.focus.go 3", "x.yaml", "a.flows",
    "http://127.0.0.1:9/x", "a=1&b=2", "Host: x", '{"a": [1, 2]}', "200", "0", "-1", "99999999999", "true", "none", "e",
    "1", "x y z", "'", '"', "\\", ".*(a+)+$", "(?i)sku", "hello", "2m", "text/html", "utf-8",
)  # fmt: skip
REQUEST = "GET / HTTP/1.1\r\nHost: a\r\n\r\nbody"
PASTES = ("pasted", "two\nlines\r\nand more", "x" * 3000, REQUEST, "\x1b[2J\x07", *TEXTS)

Event = str | tuple[str, int, int, int]


@dataclass
class Keys:
    """The next thing a person does, by what is open: a key, as urwid reports it, or what a mouse does."""

    console: Console
    random: random.Random
    size: tuple[int, int] = (120, 32)
    _typing: list[str] = field(default_factory=list)

    def next(self) -> list[Event]:
        """One key, or a few events of the mouse."""
        draw = self.random.random()
        if self._typing:
            return [self._typing.pop(0)]
        if draw < 0.02:
            return self._mouse()
        console = self.console
        if console.active_prompt is not None or console.focused_pane.editing or self._is_in_a_field():
            return [self._in_text()]
        if console.overlay is not None:
            return [self._in_box()]
        return [self._bound() if draw < 0.7 else self._any()]

    def _is_in_a_field(self) -> bool:
        return self.console.overlay is not None and self.console.overlay.takes_text

    def _in_text(self) -> str:
        draw = self.random.random()
        if draw < 0.35:
            self._typing = list(self.random.choice(WORDS))
        elif draw < 0.45:
            return "enter"
        elif draw < 0.52:
            return "esc"
        elif draw < 0.6:
            return "tab"
        elif draw < 0.68:
            return self.random.choice(EDITING)
        elif draw < 0.72:
            return self.random.choice(["ctrl s", "ctrl o", "ctrl r", "meta s", "f1", *FINDING])
        return self._typing.pop(0) if self._typing else self._any()

    def _in_box(self) -> str:
        box = self.console.overlay
        assert box is not None
        own = [key for key, _ in box.keys if len(key) == 1 or key in MOVES]
        return self.random.choice([*own, *own, *MOVES, "esc", *"yndkh"]) if self.random.random() < 0.9 else self._any()

    def _bound(self) -> str:
        """A key that goes on from what is pressed, in the focused pane or anywhere."""
        console = self.console
        pending = console.keys.pending
        contexts = console.contexts() if self.random.random() < 0.9 else ("flows", "detail", "list", "global", "grid")
        following = [
            binding.keys[len(pending)]
            for context in contexts
            for binding in console.keys.keymap.starting_with(pending, context)
            if len(binding.keys) > len(pending)
        ]
        return to_urwid(self.random.choice(following)) if following else self._any()

    def _any(self) -> str:
        kinds: Sequence[Iterable[str]] = (MOVES, MOVES, ODD, EDITING, [chr(self.random.randrange(32, 127))], ["esc"])
        return self.random.choice(list(self.random.choice(kinds)))

    def _mouse(self) -> list[Event]:
        column, row = self.random.randrange(self.size[0]), self.random.randrange(self.size[1])
        press: Event = ("mouse press", self.random.choice([1, 1, 1, 2, 3, 4, 5]), column, row)
        if self.random.random() < 0.6:
            return [press, ("mouse release", 0, column, row)]
        to = self.random.randrange(self.size[0]), self.random.randrange(self.size[1])
        return [press, ("mouse drag", 1, *to), ("mouse release", 0, *to)]


def to_urwid(key: str) -> str:
    """urwid's name of one of our keys."""
    words = ["meta" if word == "alt" else word.replace("_", " ", 1) for word in key.split(" ")]
    if len(key) == 1:
        return key
    return " " if key == "space" else " ".join(words)


class Traffic:
    """Flows of every kind that come, change and go beside the person."""

    def __init__(self, console: Console, seed: random.Random, port: int) -> None:
        self._console = console
        self._port = port
        self._random = seed
        self._number = 0

    def fill(self) -> None:
        """One flow of each kind."""
        for make in self._kinds():
            self._add(make())

    def step(self) -> None:
        """One thing happens."""
        view, draw = self._console.view, self._random.random()
        if draw < 0.5 or not len(view):
            self._add(self._random.choice(self._kinds())())
            return
        flow = self._some()
        if flow is None:
            return
        if draw < 0.6:
            flow.kill() if flow.killable else flow.resume()
            view.remove([flow.id])
        elif draw < 0.7:
            self._messages(flow)
        elif draw < 0.8:
            self._answer(flow)
        elif draw < 0.85:
            flow.marked = self._random.choice(["", ":default:", ":todo:", "\u202ex"])
        elif draw < 0.9:
            flow.comment = self._random.choice(TEXTS)
        elif draw < 0.95:
            flow.error = Error("connection reset \x1b[2J")
        elif flow.live and not flow.intercepted:
            flow.intercept()
        if flow.id in view:
            view.update(flow)

    def release(self) -> None:
        """Nothing is held any more."""
        for id_ in self._console.view.all_ids:
            flow = self._console.view.in_memory(id_)
            if flow is not None:
                flow.resume()

    def _add(self, flow: Flow) -> None:
        flow.timestamp_created = START + self._number
        self._number += 1
        self._console.view.add(flow)

    def _some(self) -> Flow | None:
        view = self._console.view
        if not len(view):
            return None
        return view.get(self._random.choice(list(view.all_ids)))

    def _messages(self, flow: Flow) -> None:
        websocket = getattr(flow, "websocket", None)
        if websocket is not None:
            websocket.messages.append(WebSocketMessage(1, True, self._body(), START + self._number))
        elif isinstance(flow, TCPFlow):
            flow.messages += flow.messages[:1]

    def _answer(self, flow: Flow) -> None:
        if isinstance(flow, HTTPFlow) and flow.response is None:
            flow.response = http_flow("http://example.com/").response

    def _body(self) -> bytes:
        return self._random.choice(_BODIES)

    def _kinds(self) -> list[Callable[[], Flow]]:
        body, text = self._body(), self._random.choice(TEXTS).encode("utf-8", "surrogateescape")
        url, live = f"http://127.0.0.1:{self._port}/{self._number}", self._random.random() < 0.5

        def answered(kind: bytes, answer: bytes, *more: tuple[bytes, bytes], path: str = "") -> Callable[[], Flow]:
            headers = ((b"Content-Type", kind), *more)
            return partial(http_flow, url + path, response_body=answer, response_headers=headers)

        return [
            answered(b"application/json", body),
            answered(b"application/json", b'{"k": "' + b"v" * 300_000 + b'"}'),
            answered(b"image/png", b"\x89PNG\r\n\x1a\n" + bytes(256)),
            answered(b"text/event-stream", b"data: 1\n\ndata: x\n\n"),
            answered(b"text/html", b"no gzip", (b"Content-Encoding", b"gzip"), (b"Set-Cookie", b"a=b; Path=/")),
            answered(text, text, (b"X-" + text[:20], text), (b"Set-Cookie", text)),
            answered(b"text/plain", body, path="/x" * 4000),
            partial(http_flow, url + "?a=1&b=%20", "POST", request_body=b"a=1&b=2", request_headers=_FORM),
            partial(http_flow, url, "POST", request_body=_GRPC, response_body=_GRPC,
                    request_headers=_GRPC_HEADERS, response_headers=_GRPC_HEADERS),
            partial(http_flow, url, status=None, live=True),
            partial(http_flow, url, status=503, live=True),
            lambda: websocket_flow((True, body), (False, text), live=live),
            lambda: tcp_flow((True, body), (False, text), live=live),
            lambda: udp_flow((True, text)),
            lambda: dns_flow(),
            lambda: dns_flow("x" * 60 + ".example", answered=False),
        ]  # fmt: skip


_BODIES = (b"", b"{}", b'{"sku": [1, {"a": null}]}', b"\xff\x00\x1b[2J", b"<a><b>x</b></a>", b"a\n" * 2000)
_FORM = ((b"Content-Type", b"application/x-www-form-urlencoded"), (b"Cookie", b"a=b; c"))
_GRPC = b"\x00\x00\x00\x00\x02\x08\x01"
_GRPC_HEADERS = ((b"Content-Type", b"application/grpc"),)
