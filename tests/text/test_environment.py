"""Environment variables under our prefix and under that of the program people come from."""

import pytest

from midstream.text.environment import variable, variables


def test_ours_wins() -> None:
    assert variables("EDITOR") == ("MIDSTREAM_EDITOR", "MITMPROXY_EDITOR")
    assert variable("EDITOR", {"MITMPROXY_EDITOR": "ed", "MIDSTREAM_EDITOR": "vi"}) == "vi"
    assert variable("EDITOR", {"MITMPROXY_EDITOR": "ed"}) == "ed"
    assert variable("EDITOR", {"MITMPROXY_EDITOR": "ed", "MIDSTREAM_EDITOR": ""}) == "ed"
    assert variable("EDITOR", {}) == ""


def test_the_environment_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MITMPROXY_CONFDIR", "/theirs")
    monkeypatch.delenv("MIDSTREAM_CONFDIR", raising=False)
    assert variable("CONFDIR") == "/theirs"
    monkeypatch.setenv("MIDSTREAM_CONFDIR", "/ours")
    assert variable("CONFDIR") == "/ours"
