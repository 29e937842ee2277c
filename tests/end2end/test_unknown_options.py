"""Unknown option names: one warning when everything is loaded, in running programs."""

from pathlib import Path

import pytest

from tests.kit.program import middump

pytestmark = pytest.mark.end2end


async def test_one_warning_names_them_all(confdir: Path, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text('def load(loader):\n    loader.add_option("mine", int, 1, "Mine.")\n')
    confdir.mkdir()
    (confdir / "config.yaml").write_text("web_port: 8081\nmin: 4\nconsole_palette: dark\n")
    argv = ("-s", str(script), "--set", "mine=3", "--set", "flow_detial=1")
    async with middump(confdir, *argv) as program:
        line = await program.line("no such option:")
        assert "flow_detial (--set; did you mean 'flow_detail'?)" in line
        assert f"min ({confdir}/config.yaml:2:6" in line
        assert "mine (" not in line and "web_port" not in line and "palette" not in line
    assert sum("no such option" in each for each in program.lines) == 1


async def test_an_addon_that_comes_later_claims_its_name(confdir: Path, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from midstream import ctx\n\n"
        "class Late:\n"
        '    def load(self, loader):\n        loader.add_option("late", int, 1, "Late.")\n\n'
        '    def running(self):\n        print("late is", ctx.options.late)\n\n'
        "def running():\n    ctx.master.addons.add(Late())\n"
    )
    async with middump(confdir, "-s", str(script), "--set", "late=5") as program:
        await program.line("late is 5")
    assert not any("no such option" in each for each in program.lines)
