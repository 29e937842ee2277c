"""Write one line of JSON for each exchange: for jq, a log shipper, or a spreadsheet.

middump -q -s examples/addons/json_lines.py --set json_lines=traffic.jsonl
jq -r 'select(.status >= 400) | .url' traffic.jsonl
"""

import json
from pathlib import Path
from typing import TextIO

from midstream import ctx, exceptions, http
from midstream.addonmanager import Loader


class JsonLines:
    def __init__(self) -> None:
        self.file: TextIO | None = None

    def load(self, loader: Loader) -> None:
        loader.add_option("json_lines", str, "", "Append a line of JSON for each exchange to this file.", kind="path")

    def configure(self, updated: set[str]) -> None:
        if "json_lines" not in updated:
            return
        self.done()
        if ctx.options.json_lines:
            try:
                # Line buffering: a line is in the file as soon as it is written, whatever happens next.
                self.file = Path(ctx.options.json_lines).expanduser().open("a", buffering=1, encoding="utf-8")
            except OSError as error:
                raise exceptions.OptionsError(f"json_lines: {ctx.options.json_lines}: {error.strerror}") from None

    def response(self, flow: http.HTTPFlow) -> None:
        self.write(flow)

    def error(self, flow: http.HTTPFlow) -> None:
        self.write(flow)

    def done(self) -> None:
        if self.file is not None:
            self.file.close()
            self.file = None

    def write(self, flow: http.HTTPFlow) -> None:
        if self.file is None:
            return
        request, response = flow.request, flow.response
        line = {
            "time": request.timestamp_start,
            "client": flow.client_conn.peername[0],
            "method": request.method,
            "url": request.pretty_url,
            "status": response.status_code if response else None,
            "type": response.headers.get("content-type") if response else None,
            "bytes": len(response.raw_content or b"") if response else 0,
            "seconds": round(response.timestamp_end - request.timestamp_start, 6)
            if response and response.timestamp_end
            else None,
            "error": flow.error.msg if flow.error else None,
        }
        # json escapes what is not ASCII, so nothing that a server sends can break the line.
        self.file.write(json.dumps(line) + "\n")


addons = [JsonLines()]
