"""The entry points as processes see them."""

import subprocess
import sys
from pathlib import Path

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


def test_a_headless_start_leaves_out_what_it_does_not_need() -> None:
    code = "import sys; from midstream import cli; cli.middump(['--help']); print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for heavy in (
        *("urwid", "ruamel.yaml", "shtab", "midstream.compat", "midstream.hub.checking", "midstream.addons.view"),
        *("midstream.store.view", "midstream.store.formats.native", "midstream.contentviews.markup_text"),
    ):
        assert f"'{heavy}'" not in done.stdout


@pytest.fixture
def confdir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MIDSTREAM_CONFDIR", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--listen-prot", "8"], "middump: no flag is called --listen-prot; did you mean '--listen-port'?"),
        (["-p", "http"], "middump: option listen_port: 'http' is no whole number"),
        (["--set", "flow_detail=9"], "middump: option flow_detail: 9 is above 4"),
        (["~m"], "middump: option "),
        (["-m", "revers:http://x"], "middump: option mode: "),
        (["-s", "/no/such/script.py"], "middump: "),
    ],
)
def test_a_bad_start_is_one_line_and_status_1(
    confdir: Path, capfd: pytest.CaptureFixture[str], argv: list[str], message: str
) -> None:
    assert cli.middump(argv) == 1
    printed = capfd.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(message)
    assert printed.err.count("\n") == 1


def test_a_bad_config_file_is_one_line_with_its_place(confdir: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (confdir / "config.yaml").write_text("server: true\nflow_detail: much\n")
    assert cli.middump([]) == 1
    assert capfd.readouterr().err == (
        f"middump: {confdir}/config.yaml:2:14: option flow_detail: expected int, got 'much' (str)\n"
    )


@pytest.mark.parametrize(
    ("flag", "line"),
    [
        ("--help", "  -p, --listen-port N"),
        ("--options", "flow_detail: 1\n"),
        ("--commands", "flow.mark flows:flow[] marker:marker\n"),
        ("--version", "midstream "),
    ],
)
def test_listings_are_printed(confdir: Path, capfd: pytest.CaptureFixture[str], flag: str, line: str) -> None:
    assert cli.middump(["-q", flag]) == 0
    printed = capfd.readouterr()
    assert printed.err == ""
    assert line in printed.out.replace("-p N, --listen", "-p, --listen")  # as Python before 3.13 writes it
    assert list(confdir.iterdir()) == []


def test_names_of_other_programs_are_no_mistake(confdir: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (confdir / "config.yaml").write_text("web_port: 8081\nconsole_palette: dark\nunknown_to_all: 1\n")
    assert cli.middump(["--set", "console_layout=vertical", "--options"]) == 0
    assert capfd.readouterr().err == ""
