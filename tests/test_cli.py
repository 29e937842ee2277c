"""The entry points as processes see them."""

import subprocess
import sys

import pytest

from midstream import __version__, cli


def test_version_is_quick_and_needs_no_config(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.middump(["--version"]) == 0
    assert capsys.readouterr().out.startswith(f"midstream {__version__}\n")


def test_version_imports_no_proxy() -> None:
    code = "import sys; from midstream import cli; cli.midstream(['--version']); print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for heavy in ("urwid", "cryptography", "midstream.app", "midstream.proxy", "ruamel.yaml", "asyncio"):
        assert f"'{heavy}'" not in done.stdout
