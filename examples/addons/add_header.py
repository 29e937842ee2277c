"""Add a header to every response. The shortest addon: a module with a function that is named like an event.

middump -s examples/addons/add_header.py
"""

from midstream import http


def response(flow: http.HTTPFlow) -> None:
    if flow.response:
        flow.response.headers["x-seen-by"] = "midstream"
