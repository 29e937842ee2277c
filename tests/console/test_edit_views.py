"""Bodies edited in the form of their content view: the text goes out to the editor, bytes come back."""

from __future__ import annotations

import pytest

from midstream.flows.http import HTTPFlow
from tests.console.masters import shown_console
from tests.console.test_edit_parts import use_editor
from tests.kit.captured import dns_flow, http_flow, tcp_flow

MESSAGE = b"\x08\x96\x01\x12\x03tea\x20\x81\x00"
PROTOBUF = ((b"content-type", b"application/x-protobuf"),)


@pytest.fixture
async def shown(tmp_path):
    async with shown_console(tmp_path) as shown:
        yield shown


def protobuf_flow(**more: object) -> HTTPFlow:
    return http_flow("http://h/", "POST", request_body=MESSAGE, request_headers=PROTOBUF, **more)


async def test_a_message_is_edited_as_yaml_and_the_rest_of_it_stays(shown, monkeypatch, tmp_path):
    use_editor(monkeypatch, tmp_path, "text = text.replace(b'tea', b'coffee')")
    flow = protobuf_flow()
    shown.view.add(flow)
    shown.press("e", "v")
    assert "request-body (Protobuf)" in shown.text
    shown.press("enter")
    await shown.until_shown("request-body (Protobuf) edited")
    assert flow.request.raw_content == b"\x08\x96\x01\x12\x06coffee\x20\x81\x00", "also a number longer than it need be"
    assert flow.modified()
    flow.revert()
    assert flow.request.raw_content == MESSAGE


async def test_a_text_that_cannot_be_encoded_is_kept_and_can_be_mended(shown, monkeypatch, tmp_path):
    use_editor(monkeypatch, tmp_path, "text = text.replace(b'tea', b'!odd tea')")
    flow = protobuf_flow()
    shown.view.add(flow)
    shown.press(":", "console.edit.focus 'request-body (Protobuf)'", "enter")
    await shown.until_shown("edit again?")
    assert flow.request.raw_content == MESSAGE
    assert not flow.modified()


async def test_bytes_are_edited_as_hex_and_compressed_again(shown, monkeypatch, tmp_path):
    use_editor(monkeypatch, tmp_path, "text = text.replace(b'0001', b'0002')")
    flow = http_flow("http://h/", response_headers=((b"content-encoding", b"gzip"),))
    assert flow.response is not None
    flow.response.content = b"\x00\x01\x02\xff" * 10
    shown.view.add(flow)
    shown.press("e", "v", "enter")
    await shown.until_shown("response-body (Hex Stream) edited")
    assert flow.response.content == b"\x00\x02\x02\xff" * 10
    assert flow.response.raw_content != flow.response.content


async def test_json_is_edited_as_it_is_shown_and_sent_as_it_came(shown, monkeypatch, tmp_path):
    use_editor(monkeypatch, tmp_path, "text = text.replace(b'\\n  \"qty\": 1', b'\\n  \"qty\": 2')")
    flow = http_flow(
        "http://h/", response_headers=((b"content-type", b"application/json"),), response_body=b'{"qty":1}'
    )
    shown.view.add(flow)
    shown.press("e", "v", "enter")
    await shown.until_shown("response-body (JSON) edited")
    assert flow.response is not None
    assert flow.response.raw_content == b'{"qty":2}'


async def test_dns_answers_are_edited(shown, monkeypatch, tmp_path):
    use_editor(monkeypatch, tmp_path, "text = text.replace(b'dns.example', b'other.example')")
    flow = dns_flow()
    shown.view.add(flow)
    shown.press(":", "console.edit.focus 'request (DNS)'", "enter")
    await shown.until_shown("request (DNS) edited")
    assert flow.request.questions[0].name == "other.example"


async def test_the_last_message_of_a_tunnel(shown, monkeypatch, tmp_path):
    use_editor(monkeypatch, tmp_path, "text = b'ff00'")
    flow = tcp_flow((True, b"\x00\x01\x02"))
    shown.view.add(flow)
    shown.press(":", "console.edit.focus 'message (Hex Stream)'", "enter")
    await shown.until_shown("message (Hex Stream) edited")
    assert flow.messages[-1].content == b"\xff\x00"


async def test_where_there_is_nothing_to_choose(shown):
    shown.view.add(http_flow("http://h/"))
    shown.press("e", "v")
    assert "no part of this flow has a content view" in shown.text
