"""A page inside the proxy that shows what it did: open http://status.proxy/ in a browser that uses it.

midstream -s examples/addons/status_page.py
"""

import html
import time
from collections import deque

from midstream import http

HOST = "status.proxy"
STYLE = "body {font: 14px monospace; margin: 2em} td {padding: 0 1em 0 0} .bad {color: #c00}"


class StatusPage:
    def __init__(self) -> None:
        self.started = time.time()
        self.count = 0
        self.last: deque[tuple[str, str, int]] = deque(maxlen=50)

    def request(self, flow: http.HTTPFlow) -> None:
        if flow.request.pretty_host == HOST:
            flow.response = http.Response.make(200, self.page(), {"content-type": "text/html; charset=utf-8"})

    def response(self, flow: http.HTTPFlow) -> None:
        assert flow.response is not None
        if flow.request.pretty_host != HOST:
            self.count += 1
            self.last.appendleft((flow.request.method, flow.request.pretty_url, flow.response.status_code))

    def page(self) -> str:
        rows = "".join(
            f"<tr class={'bad' if status >= 400 else 'good'}>"
            + "".join(f"<td>{html.escape(str(cell))}" for cell in (status, method, url))
            for method, url, status in self.last
        )
        up = int(time.time() - self.started)
        return f"<style>{STYLE}</style><p>{self.count} exchanges in {up} seconds<table>{rows}</table>"


addons = [StatusPage()]
