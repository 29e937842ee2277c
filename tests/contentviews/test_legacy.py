"""Views in the old form."""

from typing import Any

from midstream.contentviews import Metadata, View, legacy, prettify_message
from midstream.contentviews.registries import Registry
from tests.kit.captured import http_flow


class Swap(View):
    name = "Legacy Swap"

    def __call__(self, data: bytes, **metadata: Any) -> legacy.TViewResult:
        assert set(metadata) == {"content_type", "flow", "http_message"}
        return "swapped", legacy.format_text(data.swapcase())

    def render_priority(self, data: bytes, *, content_type: str | None = None, **metadata: Any) -> float:
        return 2 if content_type == "text/plain" else 0


def test_an_old_view_is_a_view_like_any_other() -> None:
    views, flow = Registry(), http_flow(response_body=b"hi There\n\xff")
    assert flow.response is not None
    old = Swap()
    views.register(old)
    result = prettify_message(flow.response, flow, registry=views)
    assert (result.text, result.view_name) == ("HI tHERE\n\\xff", "Legacy Swap")
    assert views["legacy swap"].syntax_highlight == "none"
    views.unregister(old)
    assert "legacy swap" not in views
    views.register(Swap)
    assert views.get_view(b"x", Metadata(content_type="text/plain")).name == "Legacy Swap"
    views.unregister(Swap)
    assert "legacy swap" not in views


def test_the_priority_is_none_unless_written() -> None:
    class Silent(Swap):
        render_priority = View.render_priority

    assert Silent().render_priority(b"") == 0
    assert sorted([Swap(), Silent()])


def test_lines() -> None:
    assert list(legacy.format_text("a\nb")) == [[("text", "a")], [("text", "b")]]
    assert list(legacy.format_pairs([("k", "v"), ("kk", b"w")])) == [
        [("header", "k:  "), ("text", "v")],
        [("header", "kk: "), ("text", b"w")],
    ]
    assert list(legacy.format_dict({b"a": "b"})) == [[("header", b"a: "), ("text", "b")]]
    (long, short) = legacy.format_pairs([("x" * 100, ""), ("y", "")])
    assert len(long[0][1]) == 101
    assert len(short[0][1]) == legacy.KEY_MAX + 2
