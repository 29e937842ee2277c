"""Types of options and commands in every spelling that scripts have, evaluated or left as text."""

from pathlib import Path

import pytest

from midstream.testing import context, tflow

SCRIPT = """
import collections.abc
import typing
from collections.abc import Sequence
from typing import List, Optional, Union

from mitmproxy import command, ctx, flow, http, types

KINDS = {
    "text": str, "number": int, "flag": bool,
    "maybe_text": typing.Optional[str], "maybe_number": Optional[int], "or_none": str | None, "union": Union[int, None],
    "texts": typing.Sequence[str], "abc_texts": collections.abc.Sequence[str], "list_texts": list[str],
    "old_texts": List[str],
}
DEFAULTS = {"text": "", "number": 0, "flag": False}

class Spellings:
    def load(self, loader):
        for name, kind in KINDS.items():
            default = DEFAULTS[name] if name in DEFAULTS else [] if name.endswith("texts") else None
            loader.add_option(name=name, typespec=kind, default=default, help="A test.")

    @command.command("spell.flows")
    def spell_flows(self, flows: typing.Sequence[flow.Flow], names: Sequence[str], count: int) -> typing.List[str]:
        return [*names, str(len(flows) + count)]

    @command.command("spell.one")
    def spell_one(self, one: http.HTTPFlow, where: types.Path, deep: bool = False) -> None:
        one.comment = f"{where} {deep}"

    @command.command("spell.lists")
    def spell_lists(self, flows: list[http.HTTPFlow], cuts: types.CutSpec, *more: str) -> collections.abc.Sequence[str]:
        return [type(flows).__name__, *cuts, *more]

    @command.command("spell.choice")
    @command.argument("part", type=types.Choice("spell.parts"))
    def spell_choice(self, part: str) -> str:
        return part

    @command.command("spell.parts")
    def spell_parts(self) -> Sequence[str]:
        return ["one", "two"]

addons = [Spellings()]
"""


@pytest.mark.parametrize("first", ["", "from __future__ import annotations\n"], ids=["evaluated", "as text"])
async def test_every_spelling_is_taken(tmp_path: Path, first: str) -> None:
    path = tmp_path / "script.py"
    path.write_text(first + SCRIPT)
    async with context() as tests:
        module = tests.script(path)
        tests.options.update(maybe_text="a", maybe_number=1, or_none=None, union=2, texts=["a"], old_texts=["b"])
        assert (tests.options.union, tests.options.texts, tests.options.old_texts) == (2, ["a"], ["b"])
        for name in module.KINDS:
            with pytest.raises(TypeError):
                tests.options.update(**{name: object()})
        assert {name for name in tests.commands.commands if name.startswith("spell.")} == {
            *("spell.flows", "spell.one", "spell.lists", "spell.choice", "spell.parts")
        }
        assert tests.commands.call("spell.flows", [tflow()], ["x"], 1) == ["x", "2"]
        assert tests.commands.execute("spell.choice two") == "two"
        shown = tests.commands.commands["spell.flows"].signature_help()
        assert shown == "spell.flows flows:flow[] names:str[] count:int -> str[]"
