"""A small site that hands out the CA and tells how to trust it: http://midstream.internal, through the proxy.

It answers requests for that host (option onboarding_host), on any port, in the clear and inside TLS; no server is
asked, and the name is never looked up. It knows the CA's certificate only: the key is in no answer. The page itself is
onboarding_page.py.
"""

from __future__ import annotations

from midstream.addons.tlsconfig import TlsConfig
from midstream.certs.authority import Authority
from midstream.flows.errors import OptionsError
from midstream.flows.http import HTTPFlow, Request, Response
from midstream.flows.proxy_mode import RegularMode, Socks5Mode, UpstreamMode
from midstream.flows.server_hooks import ServerConnectionHookData
from midstream.hub import ctx
from midstream.hub.addons import Loader
from midstream.text.url import hostport

OUR_HOST = "midstream.internal"
THEIR_HOST = "mitm.it"
"""The option's default, which whoever knows mitmproxy types."""

PLAIN = {"Content-Type": "text/plain; charset=utf-8"}
# As a certificate, and not as an attachment: iOS and Firefox then offer at once to install it.
_CERTIFICATE = "application/x-x509-ca-cert"


class Onboarding:
    """The addon; see the module."""

    def __init__(self, tls: TlsConfig) -> None:
        self._tls = tls
        self.addons: list[object] = []

    def load(self, loader: Loader) -> None:
        loader.add_option(
            "onboarding", bool, True, f"Serve the site that hands out our CA's certificate, at http://{OUR_HOST}."
        )
        loader.add_option(
            "onboarding_host",
            str,
            THEIR_HOST,
            f"Host name of that site; by default it has two, {OUR_HOST} and {THEIR_HOST}.",
        )

    def configure(self, updated: set[str]) -> None:
        if updated & {"onboarding", "onboarding_host"}:
            host = ctx.options.onboarding_host.strip().lower().rstrip(".")
            if not host:
                raise OptionsError("onboarding_host: this is no host name; onboarding=false turns the site off")
            hosts = {OUR_HOST, THEIR_HOST} if host == THEIR_HOST else {host}
            self.addons[:] = [Site(frozenset(hosts), self._tls)] if ctx.options.onboarding else []
            ctx.master.addons.rebind()


class Site:
    """The site itself."""

    name = "onboarding_site"

    def __init__(self, hosts: frozenset[str], tls: TlsConfig) -> None:
        self._hosts, self._tls = hosts, tls
        self._in_bytes = frozenset(host.encode("utf-8", "surrogateescape") for host in hosts)

    def server_connect(self, data: ServerConnectionHookData) -> None:
        """There is no server behind a tunnel to us."""
        address = (data.target or data.server).address
        if address is not None and self._is_ours(address[0]):
            data.postponed = f"{address[0]} is midstream itself, which speaks HTTP there and nothing else"

    def request(self, flow: HTTPFlow) -> None:
        """Answer what is for us."""
        request = flow.request
        host = request.host
        if self._is_ours(host):
            is_ours = True
        elif host[-1:].isdigit() or ":" in host:
            # The client dialled an address; what it wrote tells which name it has for that.
            is_ours = _named(request).lower().partition(b":")[0].rstrip(b".") in self._in_bytes
        else:
            return
        if is_ours and flow.live and not flow.error and not flow.response:
            flow.response = self._answer(flow)

    def _is_ours(self, host: str) -> bool:
        return host.lower().rstrip(".") in self._hosts

    def _answer(self, flow: HTTPFlow) -> Response:
        request = flow.request
        authority = self._tls.authority
        if request.method not in ("GET", "HEAD"):
            return Response.make(405, "Only GET and HEAD are for this site.\n", {**PLAIN, "Allow": "GET, HEAD"})
        if authority is None:
            return Response.make(503, "There is no CA yet; the log of midstream says why.\n", PLAIN)
        path = request.path.partition("?")[0]
        if path == "/":
            content, fields = _page(flow, authority)
        elif path.startswith("/cert/") and (found := _download(path.removeprefix("/cert/"), authority)) is not None:
            content, fields = found
        else:
            return Response.make(404, "There is nothing here; the page is at /\n", PLAIN)
        return Response.make(200, content, {**fields, "Cache-Control": "no-store"})


def _named(request: Request) -> bytes:
    """The host that the client wrote. Requests to addresses are many, so the raw fields are looked at."""
    if request.raw_authority:
        return request.raw_authority
    for name, value in request.headers.fields:
        if len(name) == 4 and name.lower() == b"host":
            return value
    return b""


def _download(form: str, authority: Authority) -> tuple[bytes, dict[str, str]] | None:
    """One form of the certificate; None for any other name."""
    match form:
        case "pem" | "cer":
            return authority.public_pem(), _fields(_CERTIFICATE, f"midstream-ca-cert.{form}")
        case "p12":
            return authority.public_p12(), _fields("application/x-pkcs12", "midstream-ca-cert.p12")
        case "magisk":
            # Imported here: few starts need zip files.
            from midstream.certs.magisk import magisk_module

            return magisk_module(authority.certificate), _fields("application/zip", "midstream-magisk-module.zip")
    return None


def _fields(kind: str, name: str) -> dict[str, str]:
    return {
        "Content-Type": kind,
        "Content-Disposition": f'inline; filename="{name}"',
        "X-Content-Type-Options": "nosniff",
    }


def _page(flow: HTTPFlow, authority: Authority) -> tuple[bytes, dict[str, str]]:
    # Imported here: a start is quicker without it.
    from midstream.addons.onboarding_page import PAGE_FIELDS, Visit, page

    client = flow.client_conn
    scheme = {RegularMode: "http", UpstreamMode: "http", Socks5Mode: "socks5h"}.get(type(client.proxy_mode))
    visit = Visit(
        host=flow.request.pretty_host,
        user_agent=flow.request.headers.get("User-Agent", ""),
        proxy=f"{scheme}://{hostport('', *client.sockname[:2])}" if scheme else "",
    )
    return page(authority.certificate, visit), PAGE_FIELDS
