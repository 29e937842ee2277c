"""A script that is its own addon, and starts the program with itself."""

import sys

from mitmproxy import ctx, http
from mitmproxy.tools.main import mitmdump


def request(flow: http.HTTPFlow):
    flow.response = http.Response.make(200, f"seen {flow.request.pretty_host}")


def response(flow: http.HTTPFlow):
    ctx.master.shutdown()


if __name__ == "__main__":
    mitmdump(["-s", __file__, "--listen-host", "127.0.0.1", "-p", sys.argv[1], "-q"])
    print("over")
