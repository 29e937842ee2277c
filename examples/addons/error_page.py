"""Show people a page of your own instead of a server's bare error, with what the server said folded away.

midstream -s examples/addons/error_page.py --set error_page=friendly.html

Only for clients that ask for HTML: programs want the error as it is. In the page, {status}, {reason}, {url} and {body}
are filled in. The status stays what it was.
"""

import html
import re
from pathlib import Path

from midstream import ctx, exceptions, http
from midstream.addonmanager import Loader

PAGE = """<!doctype html><meta charset=utf-8><title>{status} {reason}</title>
<h1>This did not work</h1><p>The server answered {status} ({reason}) to {url}.
<details><summary>What it said</summary><pre>{body}</pre></details>"""
PLACE = re.compile(r"\{(status|reason|url|body)\}")
MOST = 10_000  # characters of what the server said


class ErrorPage:
    def __init__(self) -> None:
        self.page = PAGE

    def load(self, loader: Loader) -> None:
        loader.add_option(
            "error_page", str, "", "An HTML file to show instead of errors; our own when empty.", kind="path"
        )

    def configure(self, updated: set[str]) -> None:
        if "error_page" in updated:
            file = ctx.options.error_page
            try:
                self.page = Path(file).expanduser().read_text("utf-8") if file else PAGE
            except (OSError, UnicodeDecodeError) as error:
                raise exceptions.OptionsError(f"error_page: {file}: {error}") from None

    def response(self, flow: http.HTTPFlow) -> None:
        assert flow.response is not None
        if flow.response.status_code < 500 or "text/html" not in flow.request.headers.get("accept", ""):
            return
        values = {
            "status": str(flow.response.status_code),
            "reason": flow.response.reason,
            "url": flow.request.pretty_url,
            "body": (flow.response.get_text(strict=False) or "")[:MOST],
        }
        # Whatever a server says is text here, never markup.
        page = PLACE.sub(lambda found: html.escape(values[found[1]]), self.page)
        flow.response.headers.pop("content-encoding", None)
        flow.response.headers["content-type"] = "text/html; charset=utf-8"
        flow.response.content = page.encode("utf-8", "replace")


addons = [ErrorPage()]
