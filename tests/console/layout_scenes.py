"""What is there before the scenes of the golden screens about layouts, toasts, the queue and comparing."""

from __future__ import annotations

from collections.abc import Callable

from midstream.console.panes.queue import Queue
from tests.console.masters import Shown
from tests.kit.captured import http_flow


def traffic(shown: Shown) -> None:
    for number, (method, url, status) in enumerate(
        [
            ("GET", "https://shop.example/", 200),
            ("POST", "https://api.example/v2/login", 401),
            ("GET", "https://api.example/v2/cart?currency=EUR", 503),
        ]
    ):
        shown.view.add(http_flow(url, method, status=status, start=1_700_000_000.0 + number, response_body=b"x" * 900))


def a_queue(shown: Shown) -> None:
    """Two held flows, of which one says how long its client waits."""
    traffic(shown)
    for url, headers in (
        ("https://api.example/v2/cart/items", ()),
        ("https://api.example/rpc/Recommend", ((b"grpc-timeout", b"30S"),)),
    ):
        flow = http_flow(
            url, "POST", status=None, start=1_700_000_010.0, request_body=b"{}", request_headers=headers, live=True
        )
        shown.view.add(flow)
        flow.intercept()
        shown.view.update(flow)
    shown.options.intercept = "~m POST"
    queue, since = shown.console.stacks.get("queue"), shown.console.tally.held_since
    assert isinstance(queue, Queue)
    queue.clock = lambda: max(since.values()) + 4.12
    shown.console.messages.clear()


def two_carts(shown: Shown) -> None:
    """Two flows that differ in everything that is compared; the first is marked."""
    for page in (1, 2):
        flow = http_flow(
            f"https://api.example/v2/cart?page={page}",
            "POST",
            request_headers=((b"Accept", b"*/*"), (b"X-Trace" if page == 1 else b"X-Debug", b"%d" % page)),
            request_body=b'{"sku": "A-%d", "qty": 2, "note": "%s"}' % (page, b"the same words " * 9 + b"%d" % page),
            response_headers=((b"Content-Type", b"text/plain"),),
            response_body=b"one\nline %d\nthree\n" % page,
        )
        flow.marked = ":default:" if page == 1 else ""
        shown.view.add(flow)
    shown.view.set_focus(flow.id)


def three_toasts(shown: Shown) -> None:
    news = shown.console.messages.news
    news("held at request: 3 GET api.example/v2/cart", topic="held")
    news("copied 214 bytes as curl")
    news("my_addon: KeyError: 'sku' in response(), as happens to those who trust what they are sent", "error")


def two_panes(layout: str) -> Callable[[Shown], None]:
    """Such a layout."""

    def before(shown: Shown) -> None:
        traffic(shown)
        shown.options.console_layout = layout

    return before


def plain(shown: Shown) -> None:
    traffic(shown)
    shown.options.console_plain = True
