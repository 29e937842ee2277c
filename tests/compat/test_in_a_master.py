"""Who installs the alias: the first script of a master, until that master ends."""

import subprocess
import sys
import types
from pathlib import Path

import pytest

from midstream import compat
from midstream.compat.finder import Finder
from midstream.flows.errors import StartError
from midstream.master import DumpMaster
from midstream.options import Options

USES = "from mitmproxy import http\nseen = http.HTTPFlow\n"


@pytest.fixture(autouse=True)
def alias() -> None:
    """None here: the masters do it."""
    compat.uninstall()


def is_installed() -> bool:
    return any(isinstance(finder, Finder) for finder in sys.meta_path)


def options(folder: Path, *scripts: Path) -> Options:
    return Options(
        confdir=str(folder / "conf"), listen_host="127.0.0.1", listen_port=0, scripts=[str(path) for path in scripts]
    )


async def test_from_the_first_script_to_the_end_of_the_last_master(tmp_path: Path) -> None:
    script = tmp_path / "uses.py"
    script.write_text(USES)
    async with DumpMaster(options(tmp_path), with_termlog=False) as without:
        assert not is_installed()
        async with DumpMaster(options(tmp_path, script), with_termlog=False):
            without.options.update(scripts=[str(script)])
            assert is_installed()
        assert is_installed()
    assert not is_installed()


async def test_no_script_is_loaded_beside_the_real_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mitmproxy", types.ModuleType("mitmproxy"))
    scripts = [tmp_path / "one.py", tmp_path / "two.py"]
    for script in scripts:
        script.write_text("raise SystemExit('it ran')")
    with pytest.raises(StartError) as failed:
        async with DumpMaster(options(tmp_path, *scripts), with_termlog=False):
            pass
    lines = str(failed.value).splitlines()
    assert len(lines) == 2 and all("call midstream.compat.install() before" in line for line in lines)


def test_a_start_without_scripts_does_not_pay_for_it() -> None:
    code = "import sys\nfrom midstream.cli import middump\nmiddump(['--options'])\n"
    code += "sys.exit('midstream.compat' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=False).returncode == 0
