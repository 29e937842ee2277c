"""Makes the screen in README.md from the real program: the console on a pty, curl, and local origins over TLS.

    .venv/bin/python docs/make_screens.py            writes the screen into README.md
    .venv/bin/python docs/make_screens.py --check    only shows it

The hosts of the screen are names that an addon leads to the local origins; nothing leaves the machine. Needs curl and
the dev extra.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # for the tests' fakes: origins, curl, a terminal

from tests.kit.curl import curl  # noqa: E402
from tests.kit.origins import OriginCA, hear, ok, origin  # noqa: E402
from tests.kit.program import free_port  # noqa: E402
from tests.kit.pty import ProgramOnPty  # noqa: E402
from tests.kit.socket_end import SocketEnd  # noqa: E402

README = ROOT / "README.md"
BEGIN, END = "<!-- screen: begin (made by docs/make_screens.py) -->", "<!-- screen: end -->"
COLUMNS, ROWS = 110, 18
HOSTS = ("shop.example", "cdn.example", "api.example", "img.example")

# (seconds the server thinks, status, content type, body size)
ANSWERS = {
    "/": (0.05, "200 OK", "text/html", 18_422),
    "/app.3f9c.js": (0.09, "200 OK", "application/javascript", 311_204),
    "/theme.css": (0.01, "304 Not Modified", "text/css", 0),
    "/v2/session": (0.03, "401 Unauthorized", "application/json", 88),
    "/v2/login": (0.16, "200 OK", "application/json", 1_210),
    "/v2/cart?currency=EUR": (0.06, "200 OK", "application/json", 4_018),
    "/banner@2x.webp": (0.02, "404 Not Found", "text/html", 512),
    "/logo.svg": (0.02, "200 OK", "image/svg+xml", 2_048),
}
VISIT = [
    "shop.example/",
    "cdn.example/app.3f9c.js",
    "cdn.example/theme.css",
    "api.example/v2/session",
    "api.example/v2/login",
    "api.example/v2/cart?currency=EUR",
    "img.example/banner@2x.webp",
    "img.example/logo.svg",
]
HELD = ("https://api.example/v2/cart/items", json.dumps({"sku": "A-1009", "qty": 2}))

# An eager connection would be made, and led elsewhere, before the request is read; its port would then be the row's.
LAZY = "connection_strategy=lazy"
LEAD_HOME = """
def server_connect(data):
    data.server.address = ("127.0.0.1", {port})
"""


async def serve(end: SocketEnd) -> None:
    """What the shop answers."""
    while (heard := await hear(end)) is not None:
        seconds, status, kind, size = ANSWERS[heard.target]
        await asyncio.sleep(seconds)
        end.say(ok(b"x" * size, f"Content-Type: {kind}", status=status))
        await end.drain()


@asynccontextmanager
async def console(work: Path, origin_port: int, origin_ca: Path) -> AsyncIterator[tuple[ProgramOnPty, tuple[str, ...]]]:
    """The real program, up, and the arguments that lead curl through it."""
    script, port = work / "lead_home.py", free_port()
    script.write_text(LEAD_HOME.format(port=origin_port))
    confdir = work / "midstream"
    arguments = ["-p", str(port), "-s", str(script)]
    for setting in (f"confdir={confdir}", f"ssl_verify_upstream_trusted_ca={origin_ca}", "listen_host=127.0.0.1", LAZY):
        arguments += ["--set", setting]
    with ProgramOnPty([str(Path(sys.executable).with_name("midstream")), *arguments], COLUMNS, ROWS) as program:
        await wait_for(program, f"127.0.0.1:{port}")
        ca = confdir / "midstream-ca-cert.pem"
        yield program, ("--proxy", f"http://127.0.0.1:{port}", "--cacert", str(ca))
        program.send("Q")
        await asyncio.to_thread(program.wait_ended)


async def wait_for(program: ProgramOnPty, text: str) -> None:
    # In a thread: the origins answer in this loop meanwhile.
    await asyncio.to_thread(program.wait_for, text)


async def screen() -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        ca = OriginCA(work)
        async with origin(serve, tls=ca.context(*HOSTS)) as shop, console(work, shop.port, ca.file) as (program, via):
            for url in VISIT:
                await curl(*via, f"https://{url}")
            await asyncio.to_thread(program.send, "i")
            await wait_for(program, "intercept")
            program.send("~m POST", "<enter>")
            await wait_for(program, "i:~m POST")
            url, body = HELD
            held = asyncio.ensure_future(curl(*via, "-H", "Content-Type: application/json", "-d", body, url))
            await wait_for(program, "v2/cart/items")
            program.send("G")
            await asyncio.to_thread(
                program.wait_for, lambda p: any("items" in row and row[0] == ">" for row in p.lines)
            )
            rows = program.lines
            program.send("X")
            await held
            return [row.replace(f":{program_port(via)}", ":8080").rstrip() for row in rows]


def program_port(via: tuple[str, ...]) -> str:
    return via[1].rpartition(":")[2]


def main() -> None:
    rows = asyncio.run(screen())
    print("\n".join(rows))
    if "--check" not in sys.argv:
        text = README.read_text("utf-8")
        before, _, rest = text.partition(BEGIN)
        _, _, after = rest.partition(END)
        block = "\n".join(["```text", *rows, "```"])
        README.write_text(f"{before}{BEGIN}\n{block}\n{END}{after}", "utf-8")


if __name__ == "__main__":
    main()
