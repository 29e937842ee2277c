"""Mode specs and server specs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.flows import server_spec
from midstream.flows.proxy_mode import MODE_NAMES, ProxyMode, RegularMode, ReverseMode


@pytest.mark.parametrize(
    ("spec", "type_name", "host", "port", "transport"),
    [
        ("regular", "regular", "", 8080, "tcp"),
        ("REGULAR@1", "regular", "", 1, "tcp"),
        ("regular@0.0.0.0:9", "regular", "0.0.0.0", 9, "tcp"),
        ("regular@0", "regular", "", 0, "tcp"),
        ("regular@", "regular", "", 8080, "tcp"),
        ("socks5@::1:90", "socks5", "::1", 90, "tcp"),
        ("socks5@[::1]:90", "socks5", "::1", 90, "tcp"),
        ("transparent", "transparent", "", 8080, "tcp"),
        ("upstream:h:1", "upstream", "", 8080, "tcp"),
        ("reverse:example.com", "reverse", "", 8080, "both"),
        ("reverse:https://h:2@3", "reverse", "", 3, "both"),
        ("reverse:tcp://h:1", "reverse", "", 8080, "tcp"),
        ("reverse:http3://h", "reverse", "", 8080, "udp"),
        ("reverse:dns://1.1.1.1", "reverse", "", 53, "both"),
        ("dns", "dns", "", 53, "both"),
        ("wireguard:foo@1", "wireguard", "", 1, "udp"),
        ("local:curl,!x", "local", "", None, "both"),
        ("tun:x", "tun", "", None, "both"),
    ],
)
def test_parse(spec: str, type_name: str, host: str, port: int | None, transport: str) -> None:
    mode = ProxyMode.parse(spec)
    assert mode.full_spec == mode.get_state() == spec
    assert (mode.type_name, mode.listen_host(), mode.listen_port(), mode.transport_protocol) == (
        type_name, host, port, transport,
    )  # fmt: skip
    assert mode.description
    assert ProxyMode.from_state(spec) == mode
    assert repr(mode) == f"ProxyMode.parse({spec!r})"


def test_defaults_for_listening() -> None:
    assert ProxyMode.parse("regular").listen_host("h") == "h"
    assert ProxyMode.parse("regular").listen_port(0) == 0
    assert ProxyMode.parse("regular@a:1").listen_host("h") == "a"
    assert ProxyMode.parse("regular@a:1").listen_port(2) == 1
    assert ProxyMode.parse("regular@1").listen_host("h") == "h"
    assert ProxyMode.parse("regular@:1").listen_host("h") == ""


def test_targets() -> None:
    mode = ProxyMode.parse("reverse:h")
    assert isinstance(mode, ReverseMode)
    assert (mode.scheme, mode.address, mode.description) == ("https", ("h", 443), "reverse proxy to https://h")
    assert ProxyMode.parse("upstream:http://h:1@8081").description == "HTTP(S) proxy through http://h:1"
    assert ProxyMode.parse("upstream:h:1").description == "HTTP(S) proxy through http://h:1"


def test_equality() -> None:
    assert ProxyMode.parse("regular") is ProxyMode.parse("regular")
    assert RegularMode("regular") == ProxyMode.parse("regular") != ProxyMode.parse("regular@1")
    assert len({RegularMode("regular"), ProxyMode.parse("regular")}) == 1
    assert ProxyMode.parse("regular") != "regular"


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ("revers:http://h", "'revers' is no mode; did you mean 'reverse'"),
        ("", "'' is no mode"),
        ("osproxy", "now called local"),
        ("regular:x", "regular takes no 'x'"),
        ("regular@x", "'x' is no port"),
        ("regular@99999", "'99999' is no port"),
        ("regular@h:", "'' is no port"),
        ("reverse:tcp://h", "no default port"),
        ("upstream:ftp://h", "'ftp' is no scheme; use one of http, https, socks5$"),
        ("upstream:tcp://h:1", "upstream knows the schemes http, https and socks5 only"),
        ("upstream", "the host is missing"),
        ("upstream:http://me:pw@h:8080", "credentials are given by the option upstream_auth"),
        ("reverse:https://me:pw@h", "'h' is no port; .* credentials are given by the option upstream_auth"),
        ("reverse:socks5://h", "reverse knows the schemes http, https, .* and dns only"),
        ("local:a,,b", "a process name is missing"),
        ("tun:a/b", "no interface name"),
    ],
)
def test_parse_refuses_with_a_sentence(spec: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence) as caught:
        ProxyMode.parse(spec)
    assert repr(spec) in str(caught.value)


@given(st.text() | st.tuples(st.sampled_from(MODE_NAMES), st.text()).map(":".join))
def test_anything_is_a_mode_or_a_sentence(spec: str) -> None:
    try:
        mode = ProxyMode.parse(spec)
    except ValueError as exc:
        assert str(exc).startswith("mode ")
    else:
        assert mode.full_spec == spec


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("h", ("https", ("h", 443))),
        ("h:1", ("https", ("h", 1))),
        ("HTTP://h/", ("http", ("h", 80))),
        ("[::1]:8", ("https", ("::1", 8))),
        ("quic://h", ("quic", ("h", 443))),
        ("dns://h", ("dns", ("h", 53))),
        ("socks5://h", ("socks5", ("h", 1080))),
        ("http://bücher.de:8", ("http", ("xn--bcher-kva.de", 8))),
    ],
)
def test_server_spec(spec: str, expected: object) -> None:
    assert server_spec.parse(spec, "https") == expected


@pytest.mark.parametrize(
    "spec", ["", "http://", "http://h/x", "foo://h", "h:x", "h:70000", "u@h", "tls://h", "http://é:ü"]
)
def test_server_spec_refuses_with_a_sentence(spec: str) -> None:
    with pytest.raises(ValueError, match="server '"):
        server_spec.parse(spec, "https")
