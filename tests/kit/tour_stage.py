"""The stage of the tour: the real program on a terminal, origins over TLS, curl; and a count of the keys that are sent.

with stage(folder, ca) as each:
    each.visit()
    each.press("f")               # counts as one key
    each.write("~m POST")         # text, which §11 of console.md counts as t
    each.press("<enter>")
    each.shot("What it looks like")

`tour_jobs.py` plays on it. The hosts are names that an addon leads to an origin here; nothing leaves the machine.
"""

from __future__ import annotations

import base64
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.kit.origins import OriginCA
from tests.kit.program import free_port
from tests.kit.pty import ProgramOnPty
from tests.kit.threaded_origin import QuietHandler, threaded_origin

COLUMNS, ROWS = 100, 20
HOSTS = ("shop.example", "cdn.example", "api.example", "img.example")
CART = '{"currency": "EUR", "items": [{"sku": "A-1009", "qty": 2}, {"sku": "B-7", "qty": 1}], "voucher": null}'

# path: (status, content type, body)
ANSWERS = {
    "/": (200, "text/html", b"<html>" + b"<p>shop</p>\n" * 1500 + b"</html>"),
    "/app.3f9c.js": (200, "application/javascript", b"// shop\n" * 39_000),
    "/theme.css": (200, "text/css", b"a { color: teal }\n" * 200),
    "/v2/session": (401, "application/json", b'{"error": "log in first"}'),
    "/v2/login": (200, "application/json", b'{"user": "ada", "until": "2027-01-01"}'),
    "/v2/cart?currency=EUR": (200, "application/json", CART.encode()),
    "/v2/cart?currency=USD": (200, "application/json", CART.replace("EUR", "USD").replace("2}", "3}").encode()),
    "/v2/cart/items": (201, "application/json", b'{"added": "A-1009"}'),
    "/logo.svg": (404, "text/html", b"<h1>no such picture</h1>"),
}
LOGIN = ("-H", "Content-Type: application/json", "-d", '{"user": "ada", "password": "secret"}')
VISITS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("https://shop.example/", ()),
    ("https://cdn.example/app.3f9c.js", ()),
    ("https://cdn.example/theme.css", ()),
    ("https://api.example/v2/session", ()),
    ("https://api.example/v2/login", LOGIN),
    ("https://api.example/v2/cart?currency=EUR", ()),
    ("https://api.example/v2/cart?currency=USD", ()),
    ("https://img.example/logo.svg", ()),
)
_LEAD_HOME = """
def server_connect(data):
    data.server.address = ("127.0.0.1", {port})
"""
# An editor that says what it got, waits for a key, and doubles every quantity.
_EDITOR = """
import sys
path = sys.argv[-1]
text = open(path).read()
print(f"-- your editor, with {len(text)} characters; the proxy goes on --", flush=True)
print(text, flush=True)
sys.stdin.readline()
open(path, "w").write(text.replace('"qty": 2', '"qty": 4'))
"""
# What is seen on the screen has to be the same in every run: no times, no rates, no memory.
_STILL = {
    "console_columns": ("number", "method", "url", "code", "type", "size"),
    "console_status": ("position", "marks", "held", "intercept", "replay", "jobs", "follow", "recording", "undo"),
}


MIDSTREAM = (sys.executable, "-c", "from midstream.cli import midstream; raise SystemExit(midstream())")
_NO_CLIPBOARD = {"WAYLAND_DISPLAY": "", "DISPLAY": "", "TMUX": ""}


@dataclass(frozen=True)
class Asked:
    """A request as the origin got it."""

    method: str
    url: str
    fields: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Shot:
    """A screen with a sentence about it."""

    caption: str
    rows: tuple[str, ...]


@dataclass(frozen=True)
class Sent:
    """What a person did: a key (`kind` is ""), or several that are counted as a kind: "n", "t", "search" …"""

    keys: str
    kind: str = ""


@dataclass
class Stage:
    """See the module."""

    folder: Path
    port: int
    asked: list[Asked]
    stack: ExitStack
    ways: list[list[Sent]] = field(default_factory=lambda: [[]])
    shots: list[Shot] = field(default_factory=list)
    program: ProgramOnPty = field(init=False)
    _settings: dict[str, tuple[str, ...]] = field(init=False)

    def prepare(self, origin: int, ca: OriginCA) -> None:
        """The files that it starts with."""
        (self.folder / "lead_home.py").write_text(_LEAD_HOME.format(port=origin))
        editor = self.folder / "editor"
        editor.write_text(f"#!{sys.executable}\n{_EDITOR}")
        editor.chmod(0o755)
        self._settings = {
            "confdir": ("conf",),
            "listen_host": ("127.0.0.1",),
            "ssl_verify_upstream_trusted_ca": (str(ca.file),),
            "connection_strategy": ("lazy",),  # an eager connection would be led home before its name is known
            **_STILL,
        }

    def start(self) -> None:
        """The program, on a terminal of its own."""
        sets = [
            word for name, values in self._settings.items() for each in values for word in ("--set", f"{name}={each}")
        ]
        argv = [*MIDSTREAM, "-p", str(self.port), "-s", "lead_home.py", *sets]
        env = {**_NO_CLIPBOARD, "MIDSTREAM_EDITOR": str(self.folder / "editor"), "HOME": str(self.folder)}
        self.program = self.stack.enter_context(ProgramOnPty(argv, COLUMNS, ROWS, env=env, cwd=self.folder))
        self.see(f"127.0.0.1:{self.port}")

    def end(self) -> None:
        """Leave the program. It has to end well, and nothing may have gone wrong meanwhile."""
        assert not re.search(r"6 log \d*!", self.program.text), self.program.text
        self.program.send("Q")
        assert self.program.wait_ended() == 0
        assert self.program.is_restored()

    # -- the person -----------------------------------------------------------------------------------------------

    def press(self, *keys: str) -> None:
        """Keys that count."""
        self.ways[-1] += map(Sent, keys)
        self.program.send(*keys)

    def write(self, text: str, kind: str = "t") -> None:
        """Text, which is counted as what it is: t, or another word."""
        self.ways[-1].append(Sent(text, kind))
        self.program.send(text)

    def cross(self, key: str, kind: str) -> None:
        """A key that moves the focus; how often depends on the rows on the way."""
        self.ways[-1].append(Sent(key, kind))
        self.program.send(key)

    def instead(self) -> None:
        """What follows is another way to do the job."""
        self.ways.append([])

    def see(self, wanted: str | Callable[[ProgramOnPty], object], what: str = "") -> None:
        """Until it is on the screen."""
        self.program.wait_for(wanted, what=what)

    def focus(self, text: str) -> None:
        """Until a row with this text has the focus."""
        self.see(lambda program: any(row[:1] == ">" and text in row for row in program.lines), f"the focus on {text}")

    def go_to(self, row: int, text: str) -> None:
        """Before the job begins: the focus on a row of the list. Counts nothing."""
        self.program.send("g", *["j"] * (row - 1))
        self.focus(text)

    def shot(self, caption: str) -> None:
        """Keep what is on the screen, once all of it is: a frame may come in pieces."""
        while self.program.read(0.15):
            pass
        self.shots.append(Shot(caption, tuple(self._without_chance(row) for row in self.program.lines)))

    def _without_chance(self, row: str) -> str:
        port = str(self.port)
        row = row.replace(f"127.0.0.1:{port}", "127.0.0.1:8080")
        if row.endswith(":8080"):  # stays at the right
            row = row.replace(" midstream", " midstream".rjust(len(" midstream") + len(port) - 4))
        row = re.sub(r"\d\d:\d\d:\d\d\.\d{3}", "14:02:07.512", row)
        return re.sub(r"\d{8}-\d{6}", "20261122-140207", row)

    # -- what came of it --------------------------------------------------------------------------------------------

    def visit(self) -> None:
        """All pages of the shop, one after the other; then they are on the screen."""
        words = [word for url, more in VISITS for word in ("--next", *self._arguments(url, *more))]
        self.finish(subprocess.Popen(["curl", "-q", *words[1:]], stdout=subprocess.DEVNULL))
        self.see("/logo.svg")
        self.see(lambda program: "404" in program.text, "the last answer")

    def curl(self, url: str, *arguments: str) -> subprocess.Popen[bytes]:
        """A request that goes on by itself; its body comes out at `finish`."""
        return subprocess.Popen(["curl", "-q", *self._arguments(url, *arguments)], stdout=subprocess.PIPE)

    def _arguments(self, url: str, *arguments: str) -> list[str]:
        via = ["--proxy", f"http://127.0.0.1:{self.port}", "--cacert", str(self.folder / "conf/midstream-ca-cert.pem")]
        out = [] if "-o" in arguments else ["-o", "-"]
        return ["-sS", "--max-time", "60", *via, "-A", "curl/8.5", *out, *arguments, url]

    def finish(self, child: subprocess.Popen[bytes]) -> bytes:
        """What curl printed. The screen is read meanwhile: the program must not wait for us."""
        self.see(lambda _: child.poll() is not None, "the end of curl")
        assert child.returncode == 0
        return child.communicate()[0] or b""

    def asked_for(self, path: str) -> list[Asked]:
        """What the origin got for a path."""
        return [each for each in self.asked if each.url.endswith(path)]

    @property
    def copied(self) -> list[str]:
        """What the terminal was asked to put on the clipboard (OSC 52)."""
        found = re.findall(rb"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07", bytes(self.program.output))
        return [base64.b64decode(each).decode() for each in found]


@contextmanager
def stage(folder: Path, ca: OriginCA) -> Iterator[Stage]:
    """The program up and listening, in a folder of its own; it has to end well."""
    asked: list[Asked] = []
    with ExitStack() as stack:
        origin = stack.enter_context(threaded_origin(_shop(asked), ca.context(*HOSTS)))
        made = Stage(folder, free_port(), asked, stack)
        made.prepare(origin, ca)
        made.start()
        yield made
        made.end()


def _shop(asked: list[Asked]) -> type[QuietHandler]:
    class Shop(QuietHandler):
        """Notes what it is asked for, and answers from the table."""

        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            fields = {name.lower(): value for name, value in self.headers.items()}
            asked.append(Asked(self.command, f"https://{self.headers['host']}{self.path}", fields, body))
            status, kind, answer = ANSWERS[self.path]
            self.send_response_only(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_POST = do_GET

    return Shop
