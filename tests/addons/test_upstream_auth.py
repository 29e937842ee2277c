"""The option upstream_auth; what is done with it is in tests/proxy/test_named_parents.py and test_reverse.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from midstream.addons.upstream_auth import parse_upstream_auth
from midstream.flows.errors import OptionsError
from midstream.wire.socks5 import Credentials
from tests.kit.running_master import running_master


@pytest.mark.parametrize(
    ("text", "value"), [("me:pw", b"Basic bWU6cHc="), ("me:", b"Basic bWU6"), ("ü:p:q", b"Basic w7w6cDpx")]
)
def test_credentials(text: str, value: bytes) -> None:
    assert parse_upstream_auth(text) == value


@pytest.mark.parametrize("text", ["", "secret", ":secret"])
def test_what_is_none_is_not_repeated_in_the_error(text: str) -> None:
    with pytest.raises(OptionsError, match="this is no user:password") as caught:
        parse_upstream_auth(text)
    assert "secret" not in str(caught.value)


async def test_the_option_may_change_while_running(tmp_path: Path) -> None:
    async with running_master(tmp_path) as running:
        options, events = running.master.options, running.master.events
        idle = len(events.http_connect_upstream.handlers)
        options.update(upstream_auth="me:pw", http_connect_send_host_header=False)
        assert running.proxy.settings.parent_credentials == Credentials(b"me", b"pw")
        assert not running.proxy.settings.connect_with_host
        assert len(events.http_connect_upstream.handlers) == idle + 1
        with pytest.raises(OptionsError):
            options.update(upstream_auth="what")
        assert running.proxy.settings.parent_credentials == Credentials(b"me", b"pw")
        options.update(upstream_auth=None)
        assert running.proxy.settings.parent_credentials is None
        assert len(events.http_connect_upstream.handlers) == idle
