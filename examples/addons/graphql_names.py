"""Write the name of the GraphQL operation beside each request, where the list shows only /graphql again and again.

midstream -s examples/addons/graphql_names.py

The name is the flow's comment; `~comment CreateOrder` finds it.
"""

import re

from midstream import http

OPERATION = re.compile(r"\b(query|mutation|subscription)\b\s*([A-Za-z_][A-Za-z0-9_]*)?")


def request(flow: http.HTTPFlow) -> None:
    if flow.request.method != "POST" or "json" not in flow.request.headers.get("content-type", ""):
        return
    try:
        body = flow.request.json()
    except (ValueError, RecursionError):
        return
    # A batch is a list of operations.
    operations = body if isinstance(body, list) else [body]
    names = [name for each in operations[:20] if isinstance(each, dict) and (name := described(each))]
    if names:
        flow.comment = ", ".join(names)


def described(operation: dict[str, object]) -> str:
    query = operation.get("query")
    if not isinstance(query, str):
        return ""
    found = OPERATION.search(query[:10_000])
    kind, name = (found[1], found[2]) if found else ("query", None)
    named = operation.get("operationName") or name
    return f"{kind} {named}" if isinstance(named, str) else kind
