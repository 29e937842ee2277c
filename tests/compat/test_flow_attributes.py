"""The attributes of flows that public scripts read, set and call, each on a real flow."""

from typing import Any

import pytest

from midstream.testing import tclient_conn, tflow, tserver_conn, ttcpflow, twebsocketflow

# Statements over `flow`, in the spelling of the table of usage: by how many scripts, most used first.
ON_HTTP = """
flow.response.content; flow.request.host; flow.response.status_code; flow.response; flow.request.path
flow.response = flow.response; flow.request.url; flow.request.method; flow.request.headers['a'] = 'b'
flow.request.pretty_url; flow.response.content = b'x'; flow.request; flow.request.headers; flow.request.content
flow.response.headers['a'] = 'b'; flow.response.headers.get('a'); flow.request.text; flow.id
flow.request.host = 'b.example'; flow.request.host.endswith('e'); flow.request.headers.get('a')
flow.request.pretty_host
flow.response.stream = True; flow.response.text; flow.websocket; flow.error; flow.response.headers['content-length']
flow.metadata['a'] = 1; flow.request.port = 80; flow.request.scheme = 'http'; flow.response.content.replace(b'a', b'b')
flow.response.headers; flow.response.text = 'é'; flow.request.headers.items(); flow.server_conn.address; flow.copy()
flow.metadata.get('a'); flow.request.headers['content-length']; flow.request.timestamp_start; flow.response.get_text()
'a' in flow.response.headers; flow.marked = ':dog:'; flow.request.cookies.fields; flow.request.get_text()
flow.request.http_version; flow.request.path = '/x'; flow.request.scheme; flow.response.headers.get_all('a')
flow.response.headers.pop('a', None); flow.response.headers.set_all('Set-Cookie', ['a=b', 'c=d']); flow.get_state()
flow.server_conn.timestamp_start; flow.marked; flow.request.content.decode(); flow.request.headers.pop('a', None)
'x' in flow.request.pretty_url; flow.request.pretty_url.startswith('http'); flow.response.content.decode()
flow.response.raw_content; flow.response.reason; flow.response.status_code = 404; flow.server_conn
flow.server_conn.address[0]; flow.client_conn.address[0]; flow.comment; 'a' in flow.request.headers
flow.request.headers.add('a', 'b'); flow.request.host_header; flow.request.path.endswith('x'); flow.request.port
flow.request.query; flow.request.query['a'] = 'b'; 'x' in flow.request.url; flow.request.url = 'http://c.example/'
flow.request.urlencoded_form; flow.response.http_version; flow.client_conn; flow.live; 'a' in flow.metadata
flow.request.content = b'x'; flow.request.is_http10; flow.is_replay; 'x' in flow.request.pretty_host
flow.request.stream; flow.request.stream = lambda data: data; flow.request.urlencoded_form = [('a', 'b')]
flow.request.urlencoded_form['a'] = 'b'; flow.response.headers.get('content-length').startswith('x')
flow.response.headers.items(); del flow.response.headers['content-length']; flow.response.status_code in (200, 404)
flow.response.stream; flow.response.timestamp_end; flow.response.timestamp_start; flow.client_conn.id
flow.client_conn.peername; flow.comment = 'x'; flow.comment.split(); flow.intercepted; flow.metadata.pop('a', None)
flow.modified(); flow.request.cookies; 'x' in flow.request.host; flow.request.host.split('.'); flow.request.is_http11
flow.request.method in ('GET',); 'x' in flow.request.path; flow.request.path.split('/'); flow.request.path_components
'a' in flow.request.query; flow.request.raw_content; flow.request.timestamp_end; flow.request.trailers
flow.request.trailers = None; flow.request.url.endswith('x'); flow.request.urlencoded_form.items()
flow.response.cookies.fields; flow.response.headers.get('content-length').split(); flow.response.text.replace('a', 'b')
flow.response.headers['content-length'].find('7'); flow.response.headers['content-length'].lower()
flow.response.trailers; flow.response.trailers = None; flow.server_conn.connected; flow.server_conn.timestamp_tcp_setup
flow.server_conn.timestamp_tls_setup; flow.kill()
"""
STATEMENTS = [one.strip() for line in ON_HTTP.strip().splitlines() for one in line.split(";")]


def run(statement: str, flow: Any) -> None:
    exec(statement, {"flow": flow})


@pytest.mark.parametrize("statement", STATEMENTS)
def test_on_http_flows(statement: str) -> None:
    run(statement, tflow(resp=True))


def test_on_errors() -> None:
    assert tflow(err=True).error.msg == "error"


def test_on_websockets() -> None:
    flow = twebsocketflow()
    for statement in ("flow.websocket.messages[-1].content", "flow.websocket.messages", "flow.websocket.timestamp_end"):
        run(statement, flow)


def test_on_raw_tcp() -> None:
    run("flow.messages[-1].content", ttcpflow())


def test_another_server() -> None:
    from mitmproxy import connection
    from mitmproxy.net.server_spec import ServerSpec, parse

    flow = tflow()
    flow.server_conn = connection.Server(address=("c.example", 80))
    spec: ServerSpec = parse("http://d.example:8080", "http")
    flow.server_conn.via = spec
    assert flow.server_conn.via == ("http", ("d.example", 8080))
    assert tclient_conn().peername and tserver_conn().address


@pytest.mark.parametrize("statement", ["flow.request.is_replay", "flow.attributes"])
def test_what_no_version_of_today_has(statement: str) -> None:
    with pytest.raises(AttributeError):
        run(statement, tflow(resp=True))
