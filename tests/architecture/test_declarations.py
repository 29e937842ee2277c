"""Every option, command and event is declared with help, in both programs (P4: panes and flags are derived from it)."""

import inspect
from collections.abc import AsyncIterator, Iterator
from typing import get_args

import pytest

from midstream import app
from midstream.hub.command import Command
from midstream.hub.events import DECLARATIONS
from midstream.hub.invocation import Tool
from midstream.hub.master import Master
from midstream.hub.option import Option

LONGEST_NAME = 40


@pytest.fixture(params=get_args(Tool))
async def master(request: pytest.FixtureRequest) -> AsyncIterator[Master]:
    """Each program's master with all its built-in addons, not running."""
    made = app.make_master(request.param, app.make_options())
    yield made
    await made.done()


def options(master: Master) -> Iterator[Option]:
    return (option for _, option in master.options.items())


def commands(master: Master) -> Iterator[Command]:
    return iter(master.commands.commands.values())


async def test_every_option_has_help(master: Master) -> None:
    assert not [option.name for option in options(master) if not option.help.strip()]
    assert not [option.name for option in options(master) if not option.help.rstrip().endswith((".", ")", "?"))]


async def test_every_option_has_an_owner_but_the_first(master: Master) -> None:
    assert {option.name for option in options(master) if not option.owner_name} <= {"confdir"}


async def test_every_command_has_help(master: Master) -> None:
    assert not [command.name for command in commands(master) if not (command.help or "").strip()]


async def test_every_command_parameter_has_a_type(master: Master) -> None:
    bare = [
        f"{command.name}({parameter.name})"
        for command in commands(master)
        for parameter in command.parameters
        if parameter.type is inspect.Parameter.empty
    ]
    assert not bare


async def test_names_are_lower_case_and_short(master: Master) -> None:
    names = [*master.options.keys(), *master.commands.commands]
    assert not [name for name in names if name != name.lower() or len(name) > LONGEST_NAME or " " in name]


@pytest.mark.parametrize("name", DECLARATIONS)
def test_every_event_is_documented(name: str) -> None:
    declaration = DECLARATIONS[name]
    assert declaration.doc.strip()
    assert declaration.group
    assert declaration.signature.startswith(f"{name}(")
