"""The helpers that scripts borrow."""

from mitmproxy import http, version
from mitmproxy.coretypes import multidict
from mitmproxy.net.http import cookies, status_codes, url
from mitmproxy.net.http.http1 import assemble_request, assemble_response
from mitmproxy.utils import human, strutils


def response(flow: http.HTTPFlow):
    found = cookies.parse_cookie_header(flow.request.headers.get("cookie", ""))
    lines = [
        strutils.bytes_to_escaped_str(assemble_request(flow.request).split(b"\r\n")[0] + b"\r\n"),
        strutils.always_str(assemble_response(flow.response).split(b"\r\n")[0]),
        f"{human.pretty_size(1536)} {found} {url.encode([('a', 'b c')])} {status_codes.NOT_FOUND}",
        f"{multidict.MultiDict([('a', 'b')])['a']} {strutils.is_mostly_bin(flow.response.content)}",
        f"{int(version.VERSION.split('.')[0]) >= 12}",
    ]
    flow.response = http.Response.make(200, "\n".join(lines), {"content-type": "text/plain"})
