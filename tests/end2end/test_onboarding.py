"""The site that hands out our CA: by curl through each kind of client, and in a real browser."""

from __future__ import annotations

import asyncio
import io
import re
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html.parser import HTMLParser
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import pkcs12

from midstream.addons.onboarding_page import Visit, page
from midstream.certs.authority import Authority
from midstream.flows.server_hooks import ServerConnectionHookData
from tests.kit.browser import chromium, needs_chromium
from tests.kit.curl import Curled, curl, needs_curl, needs_openssl
from tests.kit.origins import answering, ok, origin
from tests.kit.running_master import RunningMaster, running_master

pytestmark = pytest.mark.end2end

PATHS = ("", "cert/pem", "cert/cer", "cert/p12", "cert/magisk")


class NoServers:
    """Fails the test where anything is dialled."""

    def __init__(self) -> None:
        self.reached: list[object] = []

    def server_connect(self, data: ServerConnectionHookData) -> None:
        if not data.postponed:
            self.reached.append(data.server.address)


@asynccontextmanager
async def site(confdir: Path, **options: object) -> AsyncIterator[RunningMaster]:
    watch = NoServers()
    async with running_master(confdir, watch, **options) as running:
        yield running
        assert watch.reached == []


async def ask(running: RunningMaster, url: str, *more: str) -> Curled:
    return await curl("--proxy", running.address, "--cacert", str(running.ca), *more, url)


def field(done: Curled, name: str) -> str:
    found = re.findall(rf"^{name}: *(.*?)\r?$", done.head.decode(), re.IGNORECASE | re.MULTILINE)
    return str(found[-1]) if found else ""


def key_of(confdir: Path) -> bytes:
    pem = (confdir / "midstream-ca.pem").read_bytes()
    return b"".join(pem.partition(b"-----END")[0].splitlines()[1:3])


# -- what is handed out --


@needs_curl
async def test_downloads(confdir: Path):
    async with site(confdir) as running:
        file = (confdir / "midstream-ca-cert.pem").read_bytes()
        for form in ("pem", "cer"):
            done = await ask(running, f"http://midstream.internal/cert/{form}")
            assert done.body == file == (confdir / "midstream-ca-cert.cer").read_bytes()
            assert field(done, "content-type") == "application/x-x509-ca-cert"
            assert field(done, "content-disposition") == f'inline; filename="midstream-ca-cert.{form}"'
        p12 = await ask(running, "http://midstream.internal/cert/p12")
        assert field(p12, "content-type") == "application/x-pkcs12"
        key, certificate, others = pkcs12.load_key_and_certificates(p12.body, None)
        assert key is None and certificate is None
        assert others == [x509.load_pem_x509_certificate(file)]
        magisk = await ask(running, "http://midstream.internal/cert/magisk")
        assert field(magisk, "content-type") == "application/zip"
        with zipfile.ZipFile(io.BytesIO(magisk.body)) as module:
            assert any(module.read(name) == file for name in module.namelist())


@needs_curl
@needs_openssl
async def test_openssl_reads_the_p12(confdir: Path, tmp_path: Path):
    async with site(confdir) as running:
        p12 = tmp_path / "ca.p12"
        p12.write_bytes((await ask(running, "http://midstream.internal/cert/p12")).body)
        argv = ("openssl", "pkcs12", "-in", str(p12), "-passin", "pass:", "-nodes")
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*argv, stdout=pipe, stderr=pipe)
        out, _ = await process.communicate()
        assert process.returncode == 0
        assert b"BEGIN CERTIFICATE" in out and b"PRIVATE KEY" not in out


@needs_curl
async def test_the_key_is_in_no_answer(confdir: Path):
    """Whatever is asked for: the certificate, or nothing."""
    tried = ("/../midstream-ca.pem", "/cert/../midstream-ca.pem", "/cert/%2e%2e/midstream-ca.pem", "/midstream-ca.pem",
             "/cert/midstream-ca.pem", "/cert/", "/cert", "/cert/pem/", "/cert/pem%00", "/cert/key", "//cert/pem",
             "/cert/..%2fmidstream-ca.pem", "/cert/PEM")  # fmt: skip
    async with site(confdir) as running:
        for path in tried:
            done = await ask(running, f"http://midstream.internal{path}", "--path-as-is")
            assert (done.status, done.body) == (404, b"There is nothing here; the page is at /\n"), path
        key = key_of(confdir)
        assert len(key) > 60
        for path in PATHS:
            body = (await ask(running, f"http://midstream.internal/{path}?key=1")).body
            assert body and b"PRIVATE" not in body and key not in body


@needs_curl
async def test_methods(confdir: Path):
    async with site(confdir) as running:
        for path in PATHS:
            url = f"http://midstream.internal/{path}"
            whole, head = await ask(running, url), await ask(running, url, "-I")
            assert head.status == 200 and head.body == head.head  # where curl writes it, too
            if path != "cert/magisk":  # which holds the time
                assert field(head, "content-length") == str(len(whole.body))
        refused = await ask(running, "http://midstream.internal/", "-d", "x")
        assert refused.status == 405 and field(refused, "allow") == "GET, HEAD"


# -- who is served --


@needs_curl
@pytest.mark.parametrize("strategy", ["eager", "lazy"])
@pytest.mark.parametrize("host", ["midstream.internal", "mitm.it", "MITM.it", "midstream.internal."])
async def test_hosts(confdir: Path, strategy: str, host: str):
    """By either name, on any port, in the clear and in TLS, where no name is looked up and no server dialled."""
    async with site(confdir, connection_strategy=strategy) as running:
        for url in (f"http://{host}/", f"http://{host}:8081/", f"https://{host}/", f"https://{host}:8443/"):
            done = await ask(running, url)
            assert done.status == 200, (url, done.errors)
            assert b"<title>Trust the CA of midstream</title>" in done.body


@needs_curl
async def test_a_host_of_ones_own_and_none(confdir: Path):
    async with origin(answering(lambda heard: ok(b"the real one"))) as web, running_master(confdir) as running:
        options = running.master.options
        options.update(onboarding_host="ca.example")
        assert (await ask(running, "http://ca.example/cert/pem")).status == 200
        assert (await ask(running, "http://mitm.it:1/cert/pem")).status == 502  # the real one is asked
        options.update(onboarding_host="127.0.0.1")
        assert b"<title>Trust" in (await ask(running, web.url("/"))).body
        options.update(onboarding=False)
        assert (await ask(running, web.url("/"))).body == b"the real one"


@needs_curl
async def test_other_hosts_are_not_answered(confdir: Path):
    async with origin(answering(lambda heard: ok(heard.target.encode()))) as web, running_master(confdir) as running:
        assert (await ask(running, web.url("/cert/pem"))).body == b"/cert/pem"
        for host in ("x.midstream.internal", "midstream.internal.invalid"):
            assert (await ask(running, f"http://{host}/cert/pem")).status == 502
        # What an absolute target names counts, not the field.
        lying = await ask(running, web.url("/cert/pem"), "-H", "Host: midstream.internal")
        assert lying.body == b"/cert/pem"


@needs_curl
async def test_socks_and_an_address(confdir: Path):
    """A SOCKS client that looked the name up itself dials an address: there the Host field says what is meant."""
    async with site(confdir, mode=["socks5"]) as running:
        for flag in ("--socks5-hostname", "--socks5"):
            proxy = (flag, f"127.0.0.1:{running.port}", "--cacert", str(running.ca), "-k")
            where = ("--resolve", "midstream.internal:80:192.0.2.1") if flag == "--socks5" else ()
            if flag == "--socks5":
                running.master.options.update(connection_strategy="lazy")
            done = await curl(*proxy, *where, "http://midstream.internal/cert/pem")
            assert done.body == running.ca.read_bytes(), done.errors


@needs_curl
async def test_what_is_no_http_is_told_so(confdir: Path):
    async with site(confdir) as running:
        done = await curl(
            "--proxytunnel", "--proxy", running.address, "telnet://midstream.internal:80", stdin=b"\x00\x01"
        )
        assert done.body == b""
        error = running.recorder.last("tcp_error").error
        assert (
            error is not None
            and error.msg == "midstream.internal is midstream itself, which speaks HTTP there and nothing else"
        )


@needs_curl
async def test_who_opens_the_proxy_like_a_site_is_told_where_to_go(confdir: Path):
    async with running_master(confdir) as running:
        done = await curl(f"http://127.0.0.1:{running.port}/")
        assert done.status == 400 and b"open http://midstream.internal" in done.body


# -- the page --

AGENTS = {
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36": ["windows"],
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:150.0) Gecko/20100101 Firefox/150.0": ["firefox", "windows"],
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.0 Safari/605.1.15": ["macos"],
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36": ["linux", "chromium"],
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148": ["ios"],
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36": ["android"],
    "Mozilla/5.0 (Android 14; Mobile; rv:150.0) Gecko/150.0 Firefox/150.0": ["android"],
    "curl/8.0": [],
    "": [],
}


class Outline(HTMLParser):
    """The guides of the page in order, which of them are open, and every link."""

    def __init__(self) -> None:
        super().__init__()
        self.guides: list[str] = []
        self.open: list[str] = []
        self.links: list[str] = []
        self.nesting: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        fields = dict(attrs)
        if tag not in ("meta", "link", "br"):
            self.nesting.append(tag)
        if tag == "details":
            self.guides.append(fields["id"] or "")
            if "open" in fields:
                self.open.append(fields["id"] or "")
        if "href" in fields:
            self.links.append(fields["href"] or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.nesting.pop() == tag


@pytest.mark.parametrize("agent", AGENTS)
def test_the_visitors_system_comes_first(agent: str):
    outline = Outline()
    outline.feed(page(Authority.create().certificate, Visit("mitm.it", agent, "http://[::1]:8080")).decode())
    outline.close()
    assert outline.nesting == []
    assert outline.open == AGENTS[agent] == outline.guides[: len(AGENTS[agent])]
    assert len(outline.guides) == 9
    assert set(outline.links) == {"data:,", "https://mitm.it/", *(f"/{path}" for path in PATHS[1:])}


def test_what_clients_say_is_escaped():
    hostile = '"><script>alert(1)</script>'
    text = page(Authority.create().certificate, Visit(hostile, hostile, hostile)).decode()
    assert "<script" not in text and "&lt;script&gt;" in text


@needs_curl
async def test_the_fields_of_the_page(confdir: Path):
    async with site(confdir) as running:
        done = await ask(running, "http://midstream.internal/")
        assert field(done, "content-security-policy").startswith("default-src 'none'; style-src 'sha256-")
        assert field(done, "cache-control") == "no-store"
        ca = x509.load_pem_x509_certificate(running.ca.read_bytes())
        assert ca.fingerprint(hashes.SHA256()).hex(":").upper().encode() in done.body
        assert f"curl --proxy {running.address} --cacert".encode() in done.body


LOOK = """() => [
    document.title,
    document.querySelectorAll("details[open]").length,
    getComputedStyle(document.querySelector("h1")).fontSize,
    [...document.querySelectorAll(".forms a")].map((link) => link.getAttribute("href")),
]"""


@needs_chromium
@needs_curl
async def test_in_a_browser(confdir: Path, tmp_path: Path):
    """The page is styled, its policy stands in no one's way, and each link gives its file; also inside TLS."""
    async with site(confdir) as running, chromium(tmp_path, running) as browser:
        for url in ("http://midstream.internal/", "https://midstream.internal/"):
            await browser.open(url)
            title, opened, size, links = await browser.evaluate(LOOK)
            assert (title, opened, size) == ("Trust the CA of midstream", 2, "27.2px")
            assert links == [f"/{path}" for path in PATHS[1:]]
            assert browser.complaints == []
        for form in PATHS[1:]:
            name, content = await browser.download(f"http://midstream.internal/{form}")
            expected = (await ask(running, f"http://midstream.internal/{form}")).body
            assert name.startswith("midstream-")
            if form == "cert/magisk":
                assert zipfile.ZipFile(io.BytesIO(content)).testzip() is None
            elif form == "cert/p12":
                assert pkcs12.load_key_and_certificates(content, None)[2]
            else:
                assert content == expected
