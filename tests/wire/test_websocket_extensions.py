"""The values of Sec-WebSocket-Extensions, hostile ones first."""

import contextlib

import pytest

from midstream.wire.websocket_deflate import Agreement, Deflate, agreed, narrow
from tests.kit.stopwatch import within


@pytest.mark.parametrize(
    "text",
    ['"' + '\\"' * 30_000, '\\"' * 30_000, '"' * 60_001, "," * 60_000, "permessage-deflate" + '; a="\\' * 10_000],
    ids=["escaped quotes", "quotes behind backslashes", "quotes", "commas", "parameters"],
)
def test_what_is_as_long_as_a_head_may_be_is_read_in_no_time(text: str):
    with within(0.5):
        narrow(text)
        with contextlib.suppress(ValueError):
            agreed(text)


@pytest.mark.parametrize(
    ("offers", "left"),
    [
        ("permessage-deflate", "permessage-deflate"),
        ("x-mine, permessage-deflate; client_max_window_bits", "permessage-deflate; client_max_window_bits"),
        ('x-mine; a="b, permessage-deflate", Permessage-Deflate', "Permessage-Deflate"),
        ('x-mine; a="b\\", permessage-deflate', ""),  # a quoted string that never ends
        ('x-mine; a="b\\', ""),
    ],
)
def test_other_extensions_are_taken_out_of_an_offer(offers: str, left: str):
    assert narrow(offers) == left


def test_what_is_agreed_on():
    assert agreed("") is None
    assert agreed('permessage-deflate; client_max_window_bits="9"; server_no_context_takeover') == Agreement(
        Deflate(9), Deflate(15, takeover=False)
    )
