"""Say which security headers a site's pages lack: once per host, as a warning in the log and a comment on the flow.

midstream -s examples/addons/security_headers.py
"""

import logging

from midstream import http

WANTED = {
    "content-security-policy": "which code may run",
    "x-content-type-options": "nosniff",
    "referrer-policy": "what other sites learn",
}
HTTPS_ONLY = {"strict-transport-security": "stay on HTTPS"}

seen: set[str] = set()


def response(flow: http.HTTPFlow) -> None:
    assert flow.response is not None
    if not flow.response.headers.get("content-type", "").startswith("text/html"):
        return
    wanted = WANTED | HTTPS_ONLY if flow.request.scheme == "https" else WANTED
    missing = [f"{name} ({why})" for name, why in wanted.items() if name not in flow.response.headers]
    if not missing:
        return
    flow.comment = "lacks " + ", ".join(missing)
    if flow.request.pretty_host not in seen:
        seen.add(flow.request.pretty_host)
        logging.warning("%s: pages lack %s", flow.request.pretty_host, ", ".join(missing))
