"""Answer some requests without the server, kill others."""

import json

from mitmproxy import http


def request(flow: http.HTTPFlow) -> None:
    if flow.request.path_components[:1] == ("api",):
        flow.response = http.Response.make(
            201,
            json.dumps({"q": dict(flow.request.query.items()), "form": list(flow.request.urlencoded_form.items())}),
            {"Content-Type": "application/json", "X-Agent": flow.request.headers.get("user-agent", "none")[:4]},
        )
        flow.response.cookies["seen"] = ("yes", [("Path", "/")])
    elif flow.request.path == "/kill":
        flow.kill()


def response(flow):
    if flow.response.headers.get("content-type", "").startswith("text/"):
        flow.response.text = flow.response.text.replace("plain", "changed")
