"""A content view of your own: bodies of JSON lines (a value on each line, as logs and bulk uploads are), made readable.

midstream -s examples/addons/content_view.py
middump -s examples/addons/content_view.py --set flow_detail=4

Bodies of type application/x-ndjson are shown by it at once; for others choose `JSON lines` among the views.
"""

import json

from midstream import contentviews

TYPES = {"application/x-ndjson", "application/ndjson", "application/jsonl", "application/json-lines"}


class JsonLinesView(contentviews.Contentview):
    name = "JSON lines"
    syntax_highlight = "yaml"

    def prettify(self, data: bytes, metadata: contentviews.Metadata) -> str:
        shown = []
        for number, line in enumerate(
            data.decode("utf-8").splitlines(), 1
        ):  # no UTF-8: a ValueError, shown with the body
            if line.strip():
                shown.append(f"# {number}\n{pretty(line)}")
        return "\n".join(shown)

    def render_priority(self, data: bytes, metadata: contentviews.Metadata) -> float:
        return 2 if metadata.content_type in TYPES else 0


def pretty(line: str) -> str:
    try:
        return json.dumps(json.loads(line), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return line  # one broken line is no reason to hide the others


contentviews.add(JsonLinesView)
