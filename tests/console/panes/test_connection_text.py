"""The connection tab: all that is known of TLS."""

import math
import time

import pytest

from midstream.console.panes.connection_text import connection_pieces
from midstream.flows.certificate import Cert
from midstream.flows.flow import Flow
from midstream.testing import tflow
from tests.flows.test_tls_facts import hello
from tests.kit.pki import issue


def shown(flow: Flow) -> list[str]:
    return ["".join(text for _, text in (*piece.prefix, *piece.runs)).strip() for piece in connection_pieces(flow)]


def having(lines: list[str], *words: str) -> list[str]:
    return [line for line in lines if all(word in line for word in words)]


def test_all_that_is_known_of_tls() -> None:
    flow = tflow()
    client, server = flow.client_conn, flow.server_conn
    root = issue([], None, is_ca=True, common_name="root")
    middle = issue([], root, is_ca=True, common_name="middle")
    client.tls = server.tls = client.tls_resumed = True
    client.tls_version, client.cipher, client.sni = "TLSv1.3", "TLS_AES_256_GCM_SHA384", "a.test"
    client.alpn, client.alpn_offers, server.alpn_offers = b"h2", (b"h2", b"http/1.1"), (b"h2",)
    client.hello = hello()
    client.certificate_list = (Cert(issue([], middle, common_name="somebody").certificate),)
    server.certificate_list = tuple(
        Cert(item.certificate) for item in (issue(["a.test"], middle, common_name="the server"), middle, root)
    )
    lines = shown(flow)
    assert having(lines, "tls", "TLSv1.3 TLS_AES_256_GCM_SHA384 (session resumed)")
    assert having(lines, "sni", "a.test")
    assert having(lines, "alpn offers", "h2 http/1.1")
    assert len(having(lines, "alpn offers")) == 2
    assert having(lines, "ja3", client.ja3 or "?")
    assert having(lines, "ja4", client.ja4 or "?")
    assert having(lines, "Certificate of the client, chain of 1")
    assert having(lines, "Certificate of the server, chain of 3")
    assert [line.partition(",")[0].split("=")[-1] for line in having(lines, "signed by")] == ["middle", "root"]


def test_a_certificate_in_a_chain_that_nobody_can_read() -> None:
    flow = tflow()
    broken = Cert.from_der(b"\x30\x03\x02\x01\x01")
    flow.server_conn.certificate_list = (broken, broken)
    assert len(having(shown(flow), "it cannot be read")) == 2


def test_without_tls_there_is_nothing_of_it() -> None:
    flow = tflow()
    flow.client_conn.hello = b""
    assert not having(shown(flow), "ja3")


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (-1000, "not valid yet at that time"),
        (0, " left at that time"),
        (100_000, "expired at that time"),
        (math.nan, "UTC"),
    ],
)
def test_how_long_a_certificate_was_good(days: float, words: str) -> None:
    flow = tflow()
    flow.server_conn.certificate_list = (Cert(issue([], None, is_ca=True, common_name="root").certificate),)
    flow.request.timestamp_start = time.time() + days * 86_400
    lines = shown(flow)
    assert having(lines, "valid")[0].endswith(words)
    assert having(lines, "issuer", "itself")
