"""Options of scripts in running programs: precedence, help in listings, gone and back with the script."""

from pathlib import Path

import pytest

from tests.kit.program import middump, started

pytestmark = pytest.mark.end2end

SCRIPT = """\
import asyncio
from midstream import ctx

def load(loader):
    loader.add_option("colour", str, "default", "Which colour.", choices=["default", "file", "cli", "later"])
    loader.add_option("depth", int, 1, "How deep it goes.")

def running():
    print("NOW", ctx.options.colour, ctx.options.depth)
"""


def script(folder: Path, text: str = SCRIPT) -> Path:
    path = folder / "script.py"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("config", "argv", "expected"),
    [
        ("", [], "default 1"),
        ("colour: file\ndepth: 3\n", [], "file 3"),
        ("colour: file\ndepth: 3\n", ["--set", "colour=cli"], "cli 3"),
        ("", ["--set", "depth=4", "--set", "colour=cli"], "cli 4"),
    ],
)
async def test_what_is_set_before_the_script_is_there(
    confdir: Path, tmp_path: Path, config: str, argv: list[str], expected: str
) -> None:
    confdir.mkdir()
    (confdir / "config.yaml").write_text(config)
    async with middump(confdir, "-s", str(script(tmp_path)), *argv) as program:
        await program.line(f"NOW {expected}")


async def test_values_outlive_a_reload_and_what_was_set_later_wins(confdir: Path, tmp_path: Path) -> None:
    confdir.mkdir()
    (confdir / "config.yaml").write_text("depth: 3\ncolour: file\n")
    change = SCRIPT + '    if ctx.options.colour == "file":\n        ctx.options.colour = "later"\n'
    path = script(tmp_path, change)
    async with middump(confdir, "-s", str(path)) as program:
        await program.line("NOW file 3")
        path.write_text(change + "\n# saved again\n")
        await program.line("NOW later 3")


async def test_scripts_of_the_config_file_count_from_its_folder(confdir: Path, tmp_path: Path) -> None:
    confdir.mkdir()
    script(confdir)
    (confdir / "config.yaml").write_text("scripts: [script.py]\ncolour: file\n")
    async with middump(confdir) as program:
        await program.line("NOW file 1")


async def test_a_value_that_the_script_refuses_names_its_place(confdir: Path, tmp_path: Path) -> None:
    confdir.mkdir()
    (confdir / "config.yaml").write_text("depth: deep\n")
    async with started(confdir, "-s", str(script(tmp_path))) as program:
        assert await program.ended() == 1
    assert len(program.errors) == 1, program.printed()
    assert f"{confdir}/config.yaml:1:8: option depth: expected int, got 'deep' (str)" in program.errors[0]


async def test_the_listing_shows_them(confdir: Path, tmp_path: Path) -> None:
    async with started(confdir, "--options", "-s", str(script(tmp_path))) as program:
        assert await program.ended() == 0
    at = program.lines.index('colour: "default"')
    assert program.lines[at - 2 : at] == [
        "# Which colour.",
        "# Type str. Choices: default, file, cli, later.",
    ]


async def test_they_go_and_come_back_with_the_script(confdir: Path, tmp_path: Path) -> None:
    path = script(tmp_path)
    other = tmp_path / "other.py"
    other.write_text(
        "import asyncio\nfrom midstream import ctx\n\n"
        "def configure(updated):\n"
        "    if 'listen_port' in updated or 'depth' in updated or 'scripts' in updated:\n"
        "        print('SEEN', 'depth' in ctx.options, ctx.options.depth if 'depth' in ctx.options else '-')\n\n"
        "async def running():\n"
        "    mine = ctx.options.scripts\n"
        "    ctx.options.depth = 7\n"
        "    await asyncio.sleep(0)\n"
        "    ctx.options.scripts = [mine[1]]\n"
        "    print('GONE', 'depth' in ctx.options)\n"
        "    ctx.options.scripts = mine\n"
        "    print('BACK', ctx.options.depth)\n"
    )
    async with middump(confdir, "-s", str(path), "-s", str(other)) as program:
        await program.line("GONE False")
        await program.line("BACK 7")
