"""Mark the flows that went wrong, and write beside them why: answers from 500 on, and exchanges that failed.

midstream -s examples/addons/mark_errors.py

In the list, `~marked` shows them alone.
"""

from midstream import http

MOST = 120  # characters of an answer that fit into a comment


def response(flow: http.HTTPFlow) -> None:
    assert flow.response is not None
    if flow.response.status_code >= 500:
        flow.marked = ":red_circle:"
        # strict=False: a body that is not in the encoding that it claims is shown as it is.
        text = flow.response.get_text(strict=False) or ""
        first = next((line.strip() for line in text[:4096].splitlines() if line.strip()), "no body")
        flow.comment = f"{flow.response.status_code} {flow.response.reason}: {first[:MOST]}"


def error(flow: http.HTTPFlow) -> None:
    flow.marked = ":cross_mark:"
    flow.comment = f"failed: {flow.error}"
