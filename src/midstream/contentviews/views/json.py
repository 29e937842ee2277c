"""JSON with line breaks and indentation; numbers, escapes and doubled keys stay as they came, also after an edit."""

from __future__ import annotations

import json
import re
from codecs import BOM_UTF8
from collections.abc import Iterator

from midstream.contentviews.api import InteractiveContentview, Metadata
from midstream.contentviews.json_text import begins_as_json, in_one_line, reindent
from midstream.contentviews.plain_text import as_utf8, content_type_of
from midstream.contentviews.stepped import Stepped, joined

# Not the types of several texts, one to a line.
_TYPE = re.compile(r"application/(?!.*(?:ndjson|jsonl|json-seq)).*json(?:-rpc)?|text/json")


class JSON(Stepped, InteractiveContentview):
    """By its type, or by how it begins when the type says nothing else."""

    name = "JSON"
    syntax_highlight = "yaml"  # which JSON is a part of
    comes_at_once = True
    needs_only_type = True

    def steps(self, data: bytes, metadata: Metadata) -> Iterator[bytes | None]:
        text = joined(as_utf8(data, content_type_of(metadata)))
        return reindent(text)

    def reencode(self, prettified: str, metadata: Metadata) -> bytes:
        original = metadata.original_data or b""
        try:
            if prettified == self.prettify(original, metadata):
                return original
        except ValueError:  # what came was none
            pass
        try:
            original.decode("utf-8")
            json.loads(prettified, parse_int=str)  # a number may have more digits than Python reads
        except json.JSONDecodeError as error:
            raise ValueError(f"this is no JSON: line {error.lineno}, column {error.colno}: {error.msg}") from None
        except UnicodeDecodeError:
            raise ValueError("the body is not in UTF-8: edit it as it came") from None
        except RecursionError:
            raise ValueError("the text is nested too deeply to be checked") from None
        edited, plain = prettified.strip().encode("utf-8"), original.removeprefix(BOM_UTF8)
        if any(joined(as_utf8(each, content_type_of(metadata))) != each for each in (plain, edited)):
            raise ValueError("the Content-Type says that the body is not in UTF-8: edit it as it came")
        if b"\n" not in plain.strip():  # else it goes in lines as well, as they were left
            edited = in_one_line(edited, plain)
        before, after = len(original) - len(plain.lstrip()), len(plain.rstrip())
        return original[:before] + edited + plain[after:]

    def render_priority(self, data: bytes, metadata: Metadata) -> float:
        if not data:
            return 0
        if _TYPE.fullmatch(metadata.content_type or ""):
            return 1
        return 0.3 if begins_as_json(data) else 0
