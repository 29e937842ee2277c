"""Every option has its flag in both programs, and the letters are those that fingers know."""

from collections.abc import AsyncIterator
from typing import get_args

import pytest

from midstream import app
from midstream.hub.flags import SHORT, make_parser
from midstream.hub.invocation import Tool
from midstream.hub.master import Master
from midstream.hub.option_types import BOOL

LETTERS = "m mode n server k ssl_insecure r rfile s scripts w save_stream_file p listen_port C client_replay"
LETTERS += " S server_replay M map_remote B modify_body H modify_headers"


@pytest.fixture(params=get_args(Tool))
async def master(request: pytest.FixtureRequest) -> AsyncIterator[Master]:
    """Each program's master with all its built-in addons, not running."""
    made = app.make_master(request.param, app.make_options())
    yield made
    made.let_go()


async def test_every_option_has_its_flag(master: Master) -> None:
    parser = make_parser("middump", "", master.options)
    known = parser._option_string_actions
    for name, option in master.options.items():
        flag = name.replace("_", "-")
        assert f"--{flag}" in known
        assert (f"--no-{flag}" in known) == (option.type is BOOL)
        if name in SHORT:
            assert f"-{SHORT[name]}" in known


def test_the_letters_are_the_known_ones() -> None:
    words = LETTERS.split()
    assert {name: letter for letter, name in zip(words[::2], words[1::2], strict=True)} == SHORT
