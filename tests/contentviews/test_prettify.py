"""Messages as text in one call."""

import gzip
from pathlib import Path

import pytest

from midstream import contentviews
from midstream.contentviews import Contentview, InteractiveContentview, Metadata, prettify_message, reencode_message
from midstream.contentviews.registries import Registry
from midstream.flows.http import HTTPFlow
from midstream.hub import ctx
from midstream.hub.master import Master
from midstream.hub.options import Options
from tests.kit.captured import dns_flow, http_flow, tcp_flow, udp_flow, websocket_flow


class Failing(Contentview):
    def prettify(self, data: bytes, metadata: Metadata) -> str:
        raise KeyError("where")

    def render_priority(self, data: bytes, metadata: Metadata) -> float:
        return 5 if data == b"fail" else 0


class Told(Contentview):
    """Shows what it is told."""

    def prettify(self, data: bytes, metadata: Metadata) -> str:
        told = [name for name in vars(metadata) if getattr(metadata, name) is not None]
        return f"{data!r} {metadata.content_type} {' '.join(told)}"


@pytest.fixture
def views() -> Registry:
    made = Registry()
    made.register(Failing)
    made.register(Told)
    return made


def response(body: bytes | None, *headers: tuple[bytes, bytes]) -> HTTPFlow:
    flow = http_flow(response_headers=headers)
    assert flow.response is not None
    flow.response.raw_content = body
    return flow


def shown(flow: HTTPFlow, view: str, views: Registry) -> tuple[str, str, str | None, str]:
    assert flow.response is not None
    result = prettify_message(flow.response, flow, view, views)
    return result.text, result.syntax_highlight, result.view_name, result.description


def test_results(views: Registry) -> None:
    flow = response(b'{"a":1}', (b"content-type", b"application/json"))
    assert shown(flow, "auto", views) == ('{\n  "a": 1\n}', "yaml", "JSON", "")
    assert shown(flow, "RAW", views) == ('{"a":1}', "none", "Raw", "")
    assert shown(response(b"a\x1b\x07\x7f\r\n\tb"), "raw", views) == ("a...\r\n\tb", "none", "Raw", "")


def test_no_content_and_codings(views: Registry) -> None:
    text, highlight, view, _ = shown(response(None), "auto", views)
    assert (text.startswith("There is no content"), highlight, view) == (True, "error", None)
    packed = response(gzip.compress(b"abc"), (b"content-encoding", b"gzip"))
    assert shown(packed, "auto", views) == ("abc", "none", "Raw", "[decoded gzip]")
    broken = response(b"abc", (b"content-encoding", b"quantum"))
    assert shown(broken, "auto", views)[0] == "abc"
    assert shown(broken, "auto", views)[3].startswith("[cannot decode: 'quantum' is no known")


def test_a_view_that_fails(views: Registry, caplog: pytest.LogCaptureFixture) -> None:
    flow = response(b"fail")
    assert shown(flow, "auto", views) == ("fail", "none", "Raw", "[Failing failed: KeyError: 'where']")
    text, highlight, view, _ = shown(flow, "failing", views)
    assert (highlight, view) == ("error", "Failing")
    assert text.startswith("Failing failed: KeyError: 'where'\n  File ")
    assert 'raise KeyError("where")' in text
    assert "calling.py" not in text


def test_json_that_is_none(views: Registry) -> None:
    flow = response(b'{"a":', (b"content-type", b"application/json"))
    assert shown(flow, "auto", views)[3] == "[JSON failed: the text ends before the JSON does]"


@pytest.mark.parametrize("end", [SystemExit(3), KeyboardInterrupt(), GeneratorExit()])
def test_a_view_cannot_end_the_program(end: BaseException) -> None:
    class Ending(Failing):
        def prettify(self, data: bytes, metadata: Metadata) -> str:
            raise end

    views = Registry()
    views.register(Ending)
    assert shown(response(b"fail"), "auto", views)[0] == "fail"


def test_a_view_that_returns_no_text() -> None:
    class Odd(Failing):
        def prettify(self, data: bytes, metadata: Metadata) -> str:
            return 5  # type: ignore[return-value]

    views = Registry()
    views.register(Odd)
    assert shown(response(b"fail"), "auto", views)[3] == "[Odd failed: prettify returned int, not str]"


def test_an_unknown_name_is_warned_of(views: Registry, caplog: pytest.LogCaptureFixture) -> None:
    assert shown(response(b"x"), "dance", views)[2] == "Raw"
    assert "no content view is called 'dance'" in caplog.text


def test_what_a_view_is_told(views: Registry) -> None:
    flow = response(b"x", (b"content-type", b"Text/Example; charset=utf-8"))
    assert shown(flow, "told", views)[0] == "b'x' text/example flow content_type http_message"
    tcp, udp, socket, dns = tcp_flow((True, b"t")), udp_flow((True, b"u")), websocket_flow((True, b"w")), dns_flow()
    assert socket.websocket is not None
    for message, of, kind in [
        (tcp.messages[0], tcp, "tcp_message"),
        (udp.messages[0], udp, "udp_message"),
        (socket.websocket.messages[0], socket, "websocket_message"),
        (dns.request, dns, "dns_message"),
    ]:
        assert prettify_message(message, of, "told", views).text.endswith(f"None flow {kind}")


async def test_the_option_for_protobuf_reaches_the_view(views: Registry) -> None:
    master = Master(Options())
    master.options.add_option("protobuf_definitions", str | None, "~/x.proto", "Definitions.")
    with ctx.use(master):
        assert shown(response(b"x"), "told", views)[0].endswith("protobuf_definitions")
        await master.done()
    assert Path("~/x.proto").expanduser() != Path("~/x.proto")


def test_encoding_again() -> None:
    class Reversed(InteractiveContentview):
        def prettify(self, data: bytes, metadata: Metadata) -> str:
            return data.decode()[::-1]

        def reencode(self, prettified: str, metadata: Metadata) -> bytes:
            assert metadata.original_data is not None
            return metadata.original_data + prettified[::-1].encode()

    flow = response(b"abc")
    assert flow.response is not None
    contentviews.add(Reversed)
    try:
        assert reencode_message("xyz", flow.response, flow, "reversed") == b"abczyx"
    finally:
        contentviews.remove(Reversed)
    assert reencode_message("616263", flow.response, flow, "Hex Stream") == b"abc"
    with pytest.raises(ValueError, match="XML/HTML only shows"):
        reencode_message("{}", flow.response, flow, "xml/html")
    with pytest.raises(KeyError):
        reencode_message("{}", flow.response, flow, "auto")
