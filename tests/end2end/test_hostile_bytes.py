"""promises.md 3, on real terminals and pipes: nothing of what traffic, files or scripts say is obeyed.

A server, a client, a flow file, a key file, a config file and a script send every control, bidi and invisible character
that there is; a person walks through everything that can be seen. What the terminal was sent in all is read strictly
(tests/kit/terminal_bytes.py): only sequences that our own screen writes, and text.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from midstream.io import FlowWriter
from tests.kit.hostile_flows import clean_name, hostile_bodies, hostile_certificate, hostile_flows, hostile_key, raw
from tests.kit.program import free_port
from tests.kit.pty import ProgramOnPty
from tests.kit.terminal_bytes import COLOURS, assert_ours, assert_text
from tests.kit.waiting import PATIENCE

pytestmark = pytest.mark.end2end

MIDSTREAM = [sys.executable, "-c", "from midstream.cli import midstream; raise SystemExit(midstream())"]
MIDDUMP = [sys.executable, "-c", "from midstream.cli import middump; raise SystemExit(middump())"]

ENVIRONMENT = {
    "MIDSTREAM_EDITOR": "true", "PAGER": "true", "WAYLAND_DISPLAY": "", "DISPLAY": "", "TMUX": "",
    "PYTHONWARNINGS": "default",
}  # fmt: skip

ATTACK = (
    "\x1b[2J\x1b[31;47m\x1b]0;owned\x07\x1b]2;owned\x1b\\\x1b]8;;http://x\x07\x1b]52;c;ZXZpbA==\x07\x1bP+q544e\x1b\\"
    "\x1b_x\x1b\\\x1bc\x9b31m\x9d2;owned\x9c\udc9b5m\udc9d0;owned\x07\b\x7f\r\t\u202edcba\u2066\u200b\u2060\ufeff"
    "\U000e0041\udcff" + "e" + "\u0301" * 40 + "END"
)
LINE = raw(ATTACK).replace(b"\r", b"")
HIGH = b"hi\x9b31m\x9d2;owned\x9c\xc2\x9b5m\xe2\x80\xaedcba\xe2\x81\xa6\xe2\x80\x8b\xf3\xa0\x81\x81\xffEND"
"""What passes in a head: no control below space, everything above."""


# --- a server and a client without manners ----------------------------------------------------------------------------


def answers() -> list[bytes]:
    """Whole responses, by the number in the path."""
    found = []
    for kind, body in hostile_bodies(ATTACK):
        kind = re.sub(rb"[\x00-\x1f\x7f]", b"", kind)
        found.append(_answer(b"200 " + HIGH, body, b"Content-Type: " + kind))
        found.append(_answer(b"200 OK", gzip.compress(body), b"Content-Type: " + kind, b"Content-Encoding: gzip"))
    more = b"Set-Cookie: " + HIGH + b"=" + HIGH + b"; Path=" + HIGH
    found.append(_answer(b"302 " + HIGH, b"", b"Location: http://" + HIGH + b"/" + HIGH, more))
    found.append(_answer(b"401 no", b"", b'WWW-Authenticate: Basic realm="' + HIGH + b'"'))
    found.append(_answer(b"200 OK", LINE, b'Content-Disposition: attachment; filename="' + HIGH + b'"'))
    # Refused, with a reason that is shown.
    found.append(_answer(b"200 " + LINE, b""))
    found.append(_answer(b"200 OK", b"", b"X-A: " + LINE))
    found.append(_answer(b"200 OK", b"", LINE + b": a"))
    found.append(_answer(b"200 OK", b"", HIGH + b": a"))
    found.append(_answer(b"200 OK", b"", b"Content-Length: " + LINE))
    found.append(_answer(b"200 OK", b"", b"Transfer-Encoding: " + LINE))
    found.append(b"HTTP/1.1 " + LINE + b"\r\n\r\n")
    found.append(LINE + b"\r\n\r\n")
    return found


def _answer(status: bytes, body: bytes, *fields: bytes) -> bytes:
    head = b"".join([field + b"\r\n" for field in fields])
    return b"HTTP/1.1 %s\r\n%sContent-Length: %d\r\n\r\n%s" % (status, head, len(body), body)


def requests(port: int) -> list[bytes]:
    """To be sent over connections of their own; the first ones pass."""
    host = b"127.0.0.1:%d" % port
    plain = b"%s http://" + host + b"%s HTTP/1.1\r\nHost: %s\r\n%s\r\n%s"
    form = b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n" % len(LINE)
    paths = [b"/%d/%s?q=%s" % (number, HIGH, HIGH) for number in range(len(answers()))]
    return [
        *[plain % (b"GET", path, host, b"", b"") for path in paths],
        plain % (b"POST", b"/0", host, form, LINE),
        plain % (b"GET", b"/0", host, b"Cookie: " + HIGH + b"=" + HIGH + b"\r\nX-" + b"A: " + HIGH + b"\r\n", b""),
        plain % (b"GET", b"/0", HIGH, b"", b""),
        plain % (b"GET", b"/" + LINE, host, b"", b""),
        plain % (LINE, b"/", host, b"", b""),
        plain % (HIGH, b"/", host, b"", b""),
        plain % (b"GET", b"/0", LINE, b"", b""),
        plain % (b"GET", b"/0", host, LINE + b": a\r\n", b""),
        plain % (b"GET", b"/0", host, b"X: " + LINE + b"\r\n", b""),
        b"GET http://" + HIGH + b"/ HTTP/1.1\r\n\r\n",
        b"GET " + LINE + b"://x/ HTTP/1.1\r\n\r\n",
        b"CONNECT " + HIGH + b":443 HTTP/1.1\r\n\r\n",
        b"CONNECT " + LINE + b":443 HTTP/1.1\r\n\r\n",
        LINE + b"\r\n\r\n",
    ]


@contextmanager
def origin(tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """Answers each request with the answer whose number is the first segment of its path; /ws, /tcp: see `_talk`."""
    listener = socket.create_server(("127.0.0.1", 0))
    ready, threads = answers(), []

    def serve() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                threads.append(threading.Thread(target=_talk, args=(client, tls, ready)))
                threads[-1].start()

    server = threading.Thread(target=serve)
    server.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)  # closing it alone would not wake who waits for a client
        listener.close()
        for thread in (server, *threads):
            thread.join(PATIENCE)
            assert not thread.is_alive(), "the origin still talks to somebody"


def _talk(client: socket.socket, tls: ssl.SSLContext | None, ready: list[bytes]) -> None:
    with suppress(OSError), client:
        client.settimeout(10)
        if tls is None:
            _answer_one(client, ready)
            return
        with tls.wrap_socket(client, server_side=True) as secure:
            _answer_one(secure, ready)


def _answer_one(client: socket.socket, ready: list[bytes]) -> None:
    head = b""
    while b"\r\n\r\n" not in head:
        data = client.recv(65536)
        if not data:
            return
        head += data
        if head.startswith(b"RAW"):
            client.sendall(LINE + b"\n" + HIGH)
            return
    if b"upgrade: websocket" in head.lower():
        key = re.search(rb"(?i)sec-websocket-key: *(\S+)", head)
        assert key is not None
        accept = base64.b64encode(hashlib.sha1(key[1] + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        client.sendall(
            b"HTTP/1.1 101 " + HIGH + b"\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )
        text = LINE.decode("utf-8", "ignore").encode()
        for kind, data in ((0x81, text[:125]), (0x82, LINE[:125]), (0x88, b"\x03\xe9" + text[:100])):
            data = data if kind == 0x82 else data.decode("utf-8", "ignore").encode()
            client.sendall(bytes([kind, len(data)]) + data)
        client.recv(65536)
        return
    number = re.search(rb"/(\d+)", head.split(b"\r\n")[0])
    client.sendall(ready[int(number[1]) if number else 0])
    client.recv(65536)


def say(port: int, *data: bytes) -> bytes:
    """Send, each after something came back; what came back."""
    came = b""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 5) as server:
        server.settimeout(0.4)
        for each in data:
            server.sendall(each)
            came += server.recv(65536)
        server.shutdown(socket.SHUT_WR)
        while more := server.recv(65536):
            came += more
    return came


def client_hello(name: bytes, protocol: bytes) -> bytes:
    """A ClientHello with this server name and application protocol, as no library would write them."""
    sni = b"\0" + len(name).to_bytes(2, "big") + name
    sni = len(sni).to_bytes(2, "big") + sni
    alpn = bytes([len(protocol)]) + protocol
    alpn = len(alpn).to_bytes(2, "big") + alpn
    extensions = b"".join(
        kind.to_bytes(2, "big") + len(body).to_bytes(2, "big") + body for kind, body in ((0, sni), (16, alpn))
    )
    body = b"\3\3" + bytes(32) + b"\0" + b"\0\2\xc0\x2f" + b"\1\0" + len(extensions).to_bytes(2, "big") + extensions
    shake = b"\1" + len(body).to_bytes(3, "big") + body
    return b"\x16\3\1" + len(shake).to_bytes(2, "big") + shake


def attack(proxy: int, plain: int, tls: int) -> None:
    """Everything that a client can say."""
    with ThreadPoolExecutor(8) as crowd:
        list(crowd.map(lambda request: say(proxy, request), requests(plain)))
    host = b"127.0.0.1:%d" % plain
    upgrade = b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    key = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    say(proxy, b"GET http://%s/ws HTTP/1.1\r\nHost: %s\r\n%s%s\r\n" % (host, host, upgrade, key), b"\x88\x80abcd")
    connect = b"CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n"
    say(proxy, connect % (host, host), b"RAW " + LINE)
    for name, protocol in ((raw("\x1b]0;x\x07.example"), LINE[:60]), (b"ok.example", LINE[:60]), (HIGH[:40], b"h2")):
        say(proxy, connect % (host, host), client_hello(name, protocol))
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with suppress(OSError), socket.create_connection(("127.0.0.1", proxy), 5) as bare:
        bare.settimeout(5)
        bare.sendall(connect % (b"127.0.0.1:%d" % tls, b"x"))
        bare.recv(65536)
        with context.wrap_socket(bare, server_hostname="hostile.example") as secure:
            secure.sendall(b"GET /1 HTTP/1.1\r\nHost: hostile.example\r\nConnection: close\r\n\r\n")
            while secure.recv(65536):
                pass


# --- files ------------------------------------------------------------------------------------------------------------

SCRIPT = """
import logging, sys, warnings
from midstream import command, ctx
ATTACK = {attack!r}

class Evil:
    name = "evil" + ATTACK[:20]
    def load(self, loader):
        loader.add_option("evil_option", str, ATTACK.encode("utf-8", "replace").decode(), "Says " + ATTACK)
    def response(self, flow):
        flow.comment = ATTACK
        flow.marked = ATTACK
        if flow.request.path.startswith("/1"):
            logging.error(ATTACK)
            print(ATTACK.encode("utf-8", "replace").decode())
            print(ATTACK.encode("utf-8", "replace").decode(), file=sys.stderr)
            warnings.warn(ATTACK)
            raise RuntimeError(ATTACK)
    @command.command("evil.say")
    def say(self, what: str = ATTACK) -> str:
        "Says {attack_in_doc}."
        return ATTACK

addons = [Evil()]
"""


class Home:
    """A folder with a config, keys, a script and flows that mean harm."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.confdir = folder / "conf"
        self.confdir.mkdir(mode=0o700)
        name = clean_name(ATTACK) + "owned\x07"
        quoted = json.dumps(name)
        (self.confdir / "keys.yaml").write_text(
            f"version: 1\nname: {quoted}\nbind:\n  - {{keys: f5, run: evil.say, help: {quoted}}}\n"
            f"  - {{keys: {quoted}, run: {quoted}}}\n  - {{keys: ctrl e, run: {quoted}, in: [{quoted}]}}\n"
        )
        (self.confdir / "config.yaml").write_text(f"console_bell: false\nevil_option: {quoted}\n{quoted}: {quoted}\n")
        self.script = folder / "evil\x1b]0;owned\x07\u202e.py"
        doc = "".join(c for c in ATTACK if c not in "\r\\" and not "\ud800" <= c <= "\udfff")
        self.script.write_text(SCRIPT.format(attack=ATTACK, attack_in_doc=doc), encoding="utf-8")
        self.flows = folder / "evil\x1b]0;owned\x07\u202e.flows"
        with self.flows.open("wb") as file:
            writer = FlowWriter(file)
            for flow in hostile_flows(ATTACK):
                writer.add(flow)

    def argv(self, program: list[str], *more: str) -> list[str]:
        return [*program, "--confdir", str(self.confdir), *more]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home(tmp_path_factory.mktemp("hostile"))


@pytest.fixture
def origins(tmp_path: Path) -> Iterator[tuple[int, int]]:
    certificate = tmp_path / "evil.pem"
    key = hostile_key().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    certificate.write_bytes(key + hostile_certificate(ATTACK).public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with origin() as plain, origin(context) as secure:
        yield plain, secure


# --- the person -------------------------------------------------------------------------------------------------------


def press(program: ProgramOnPty, *keys: str) -> None:
    """Each key, and what is painted because of it; a lone esc is one only when nothing follows at once."""
    for key in keys:
        program.send(key)
        start = time.monotonic()
        least = 0.05 if key == "<esc>" else 0.012
        while not program.read(0.02) or time.monotonic() < start + least:
            assert program.process.poll() is None, program.text
            if time.monotonic() > start + max(least, 0.04):
                break
        while program.read(0):
            pass


def walk_details(program: ProgramOnPty) -> None:
    """The flows from the file, each in three of its tabs; one body in each view; some of what the attack left."""
    press(program, "1", "g", "<enter>")
    for _ in range(21):
        press(program, "<tab>", "<tab>", "<tab>", " ")
    press(program, *["p"] * 16, "<tab>", "G")
    for view in VIEWS:
        press(program, f":console.flowview.mode.set '{view}'", "<enter>")
    for _ in range(15):
        press(program, " ")
    press(program, "=", "G", "m", "<esc>", "<ctrl v>", "v", "k", "<esc>", "<esc>", "f", "1", "g")


VIEWS = ("raw", "hex dump", "json", "html", "xml", "css", "javascript", "url-encoded", "multipart", "grpc", "protobuf",
         "msgpack", "query", "graphql", "image", "dns", "auto")  # fmt: skip
BOXES: list[tuple[str, ...]] = [
    ("P", "P"),
    ("T", "l", "j", "l", "/", "own", "<enter>", "q"),
    ("t", "t", "t"),
    ("<ctrl p>", "own", "<down>", "<esc>", "<esc>"),
    ("f", "~d ", "<tab>", "<tab>", "<esc>", "<esc>"),
    ("f", "~u own", "<enter>"),
    (",", "f", "<esc>", "<backspace>"),
    ("/", "END", "<tab>", "<enter>", "n", "N", "<esc>"),
    (":", "evil.say", "<enter>", "<esc>"),
    (":", "flow.comment @focus x", "<ctrl r>", "e", "<esc>", "<esc>", "<esc>"),
    (":", "console.command.form evil.say", "<enter>", "<esc>", "<esc>"),
    (":", "set evil_option ", "<tab>", "<esc>", "<esc>"),
    ('"', "a", "'", "<esc>"),
    ("c", "j", "<enter>", "d", "<tab>", "w", "s", "n", "q"),
    *[("e", kind, "j", "l", "<enter>", "<esc>", "<esc>", "q") for kind in "hHqpcCfF"],
    *[("e", kind, "<down>", "x", "<esc>", "d", "<esc>", "<esc>") for kind in "rR"],
    ("e", "r", "<ctrl f>", "END", "<enter>", "<esc>", "<esc>"),
    ("f", "~websocket & ~c 101", "<enter>", ",", "n", "talks", "<enter>"),
    ("g", "e", "t", "x", "<esc>", "d", "<backspace>"),
    ("<enter>", "s", "q", "q"),
    ("e", "u", "<esc>", "<esc>"),
    ("e", "m", "<esc>", "<esc>"),
    ("e", ";", "<esc>", "<esc>"),
    ("+", "<esc>", "<esc>"),
    ("z", "<esc>"),
    ("2", "j", "<enter>", "q"),
    ("3", "/", "evil", "<enter>", "<enter>", "<esc>", "<esc>"),
    ("4", "/", "evil", "<enter>", "<enter>", "<esc>", "<esc>"),
    ("5", "/", "own", "<enter>", "n", "<esc>"),
    ("6", "g", "v", "j", "v", "j", "v", "/", "own", "<enter>", "a", "<esc>", "<esc>"),
    ("1", "E", "E", "k", "E"),
    ("?", "G", "q"),
    ("1", "-", "<enter>", "-", "-", "q"),
    ("m", "M", "M", "U"),
    ("d", "u", "<ctrl r>", "u"),
    ("|", "<esc>", "<esc>", "L", "/", "<tab>", "<esc>", "<esc>", "w", "<esc>", "<esc>", "S", "<esc>", "<esc>"),
]


SEEN = (
    "-- peek", "evil.say", "~d ", "- export", "quit", "compare", "headers", "set-cookies",
    "multipart", "evil_option", "failed in response", "RuntimeError", "keys  ", "-- log", "help", "bodies:",
    "hosts", "new request", "from the server", "@talks", "undone", "certificate", "Connection",
)  # fmt: skip
"""What the walk must have come by; some of it in lower case."""


def test_none_of_it_reaches_a_terminal_from_any_pane_or_box(home: Home, origins: tuple[int, int]) -> None:
    port = free_port()
    more = ["--listen-host", "127.0.0.1", "-p", str(port), "-s", str(home.script), "-r", str(home.flows), "-k"]
    with ProgramOnPty(home.argv(MIDSTREAM, *more), 120, 32, env=ENVIRONMENT) as program:
        program.wait_for(f":{port}")
        program.wait_for("/21 ")
        with ThreadPoolExecutor(1) as attacker:
            attacked = attacker.submit(attack, port, *origins)
            while not attacked.done():
                program.read()
            attacked.result()
        walk_details(program)
        seen = ""
        for key in "ey":  # their menus come when the next key does not
            program.send(key)
            program.wait_for(f"- {key}  ")
            press(program, "<esc>")
        for keys in (*BOXES, ("x", *"cwhrpx")):
            for key in keys:
                press(program, key)
                seen += program.text
            press(program, "<esc>", "1")
        assert not [word for word in SEEN if word not in seen]
        assert_ours(bytes(program.output))
        program.send("y", "u")
        program.wait_for("copied")
        program.resize(40, 10)
        press(program, "j", "<enter>", "<tab>", "q")
        program.send("Q")
        assert program.wait_ended() == 0
        assert program.is_restored()
        assert_ours(bytes(program.output), copies=1)
    # What was kept of it: the list of sessions, and the flows of one on the next start.
    with ProgramOnPty(home.argv(MIDSTREAM, "--sessions"), 120, 32, env=ENVIRONMENT) as program:
        assert program.wait_ended() == 0
        assert_ours(bytes(program.output), ours=COLOURS)
    again = home.argv(MIDSTREAM, "--resume", "--listen-host", "127.0.0.1", "-p", str(free_port()))
    with ProgramOnPty(again, 120, 32, env=ENVIRONMENT) as program:
        program.wait_for("/80 ")
        press(program, "G", "k", "g", "<enter>", "<tab>", "<tab>", "1", "6", "j", "1")
        program.send("Q")
        assert program.wait_ended() == 0
        assert_ours(bytes(program.output))


# --- without a screen -------------------------------------------------------------------------------------------------


def run(argv: list[str]) -> bytes:
    """What a program prints into a pipe."""
    ended = subprocess.run(
        argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ, **ENVIRONMENT}, timeout=60
    )
    return ended.stdout


def on_a_terminal(argv: list[str]) -> bytes:
    """The same on a terminal."""
    with ProgramOnPty(argv, 120, 32, env=ENVIRONMENT) as program:
        program.wait_ended()
        return bytes(program.output)


def printed(argv: list[str]) -> bytes:
    """Both, read strictly: on a terminal there may be colours, in a pipe nothing."""
    with ThreadPoolExecutor(2) as pair:
        piped, shown = pair.submit(run, argv), pair.submit(on_a_terminal, argv)
        assert_text(piped.result())
        assert_ours(shown.result(), ours=COLOURS)
        return piped.result()


@pytest.mark.parametrize("detail", range(5))
def test_what_middump_prints(home: Home, detail: int) -> None:
    more = ["-n", "-s", str(home.script), "-r", str(home.flows), "--flow-detail", str(detail)]
    out = printed(home.argv(MIDDUMP, *more)).decode()
    assert "\u241b]0;owned\u2407" in out
    assert detail < 3 or "<202E>" in out


@pytest.mark.parametrize(
    "more",
    [
        ("--options",),
        ("--commands",),
        ("--check",),
        ("--sessions", "delete", "\x1b]0;owned\x07"),
        ("--resume", "\x1b]0;owned\x07"),
        ("-s", "/none/\x1b]0;owned\x07.py"),
        ("-nr", "/none/\x1b]0;owned\x07.flows"),
        ("--check", "--set", "\x1b]0;owned\x07=1"),
        ("--set", "flow_detail=\x1b]0;owned\x07"),
        ("--mode", "\x1b]0;owned\x07"),
        ("--\x1b]0;owned\x07",),
        ("--confdir", "/proc/\x1b]0;owned\x07"),
        ("--set", "dumper_filter=~\x1b]0;owned\x07"),
    ],
)
def test_starts_that_only_say_something(home: Home, more: tuple[str, ...]) -> None:
    script = () if "-s" in more or "--sessions" in more or "--resume" in more else ("-s", str(home.script))
    program = MIDSTREAM if "--sessions" in more or "--resume" in more else MIDDUMP
    out = printed(home.argv(program, *script, *more))
    assert b"owned" in out, out
