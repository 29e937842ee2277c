"""Answer some requests without asking any server: a stub for an API that does not exist yet.

midstream -s examples/addons/answer_locally.py
curl --proxy http://127.0.0.1:8080 http://api.example/health
"""

import json

from midstream import http

ANSWERS = {
    ("GET", "/health"): (200, {"status": "ok"}),
    ("POST", "/v2/login"): (201, {"token": "a-token-for-tests"}),
}
HOST = "api.example"


def request(flow: http.HTTPFlow) -> None:
    if flow.request.pretty_host != HOST:
        return
    path = flow.request.path.partition("?")[0]
    status, body = ANSWERS.get((flow.request.method, path), (404, {"error": f"nobody wrote {path} yet"}))
    # A flow that has a response after this event is not sent to the server.
    flow.response = http.Response.make(status, json.dumps(body), {"content-type": "application/json"})
