"""`--check`: every mistake in scripts and config files by itself, and nothing done beside."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from midstream import cli

SCRIPT = '''\
from midstream import command


def reqest(flow):
    """Misspelled."""


def load(loader):
    loader.add_option("tcp_timeout", str, "3", "Another one.")
    loader.add_option("mine", int, 3, "Mine.")


@command.command("a.b")
def skipped(x: dict) -> None: ...


@command.command("set")
def again(x: str) -> None: ...
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("MIDSTREAM_CONFDIR", str(tmp_path / "conf"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "conf").mkdir()
    yield tmp_path
    assert not list(tmp_path.rglob("__pycache__"))
    assert not list(tmp_path.rglob("*.pem"))


@pytest.fixture
def checked(capsys: pytest.CaptureFixture[str]) -> object:
    def check(status: int, *argv: str) -> list[str]:
        assert cli.middump(["--check", *argv]) == status
        printed = capsys.readouterr()
        assert printed.err == ""
        return printed.out.splitlines()

    return check


def test_nothing_is_wrong(folder: Path, checked) -> None:
    (folder / "good.py").write_text("import helper\n\ndef request(flow):\n    pass\n")
    (folder / "helper.py").write_text("")
    (folder / "conf" / "config.yaml").write_text("mine: 3\nweb_port: 8081\nmode: [regular]\n")
    (folder / "more.py").write_text('def load(loader):\n    loader.add_option("mine", int, 1, "Mine.")\n')
    summary = f"checked 2 scripts and {folder}/conf/config.yaml: nothing is wrong"
    assert checked(0, "-s", "good.py", "-s", "more.py", "-p", "8080") == [summary]
    (folder / "conf" / "config.yaml").write_text("scripts: [../more.py]\n")
    assert checked(0)[-1].startswith("checked 1 script and")
    assert checked(0, "--set", "scripts=good.py")[-1].startswith("checked 1 script and")


def test_every_problem_is_told_with_its_place(folder: Path, checked) -> None:
    (folder / "a.py").write_text(SCRIPT)
    (folder / "b.py").write_text("x = 1\ndef response(flow:\n")
    (folder / "c.py").write_text("\nraise SystemExit(3)\n")
    (folder / "conf" / "config.yaml").write_text("listen_port: x\nlisten_prot: 3\nmode: regular\nmine: 4\n")
    lines = checked(
        1, *("-s", "a.py"), *("-s", "no.py"), *("-s", "b.py"), *("-s", "c.py"), "--set", "tcp_timeot=3", "-m", "revers"
    )
    for expected in (
        "option mode: mode 'revers'",
        f"{folder}/conf/config.yaml:1:14: option listen_port: expected int or nothing, got 'x' (str)",
        f"{folder}/conf/config.yaml:3:7: option mode: expected list of str, got 'regular' (str)",
        f"{folder}/a.py:4: reqest is no event; it looks like request",
        f"{folder}/a.py:9: option tcp_timeout is declared again",
        "a.py:13: command a.b is skipped: parameter 'x' is dict",
        "a.py:17: command set is declared again",
        f"scripts: {folder}/no.py does not exist",
        f"{folder}/b.py:2: SyntaxError: '(' was never closed",
        f"{folder}/c.py:2: SystemExit: 3",
        "--set: no option is called 'tcp_timeot'; did you mean 'tcp_timeout'?",
        f"{folder}/conf/config.yaml:2:14: no option is called 'listen_prot'; did you mean 'listen_port'?",
    ):
        assert sum(expected in line for line in lines) == 1, (expected, lines)
    assert lines[-1] == f"checked 3 scripts and {folder}/conf/config.yaml: {len(lines) - 1} problems"


def test_a_value_that_a_script_refuses(folder: Path, checked) -> None:
    (folder / "a.py").write_text('def load(loader):\n    loader.add_option("mine", int, 3, "Mine.")\n')
    (folder / "conf" / "config.yaml").write_text("mine: three\n")
    lines = checked(1, "-s", "a.py")
    assert lines[0] == f"{folder}/a.py: {folder}/conf/config.yaml:1:7: option mine: expected int, got 'three' (str)"
    assert len(lines) == 2


def test_what_the_compiler_warns_of(folder: Path, checked) -> None:
    (folder / "a.py").write_text("import helper\n")
    (folder / "helper.py").write_text("\nx = '\\d'\n")
    lines = checked(1, "-s", "a.py")
    assert lines[0].startswith(f"{folder}/helper.py:2: ")
    assert "invalid escape sequence" in lines[0]
    assert len(lines) == 2


def test_a_config_file_that_is_no_yaml(folder: Path, checked) -> None:
    (folder / "conf" / "config.yaml").write_text("a: [\n")
    lines = checked(1)
    assert lines[0].startswith(f"{folder}/conf/config.yaml:")
    assert lines[1] == f"checked 0 scripts and {folder}/conf/config.yaml: 1 problem"


def test_the_console_checks_too(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "bad.py").write_text("def load(): pass\n")
    assert cli.midstream(["--check", "-s", "bad.py"]) == 1
    assert f"{folder}/bad.py:1: load() cannot be called by this event" in capsys.readouterr().out


def test_the_console_checks_its_keys(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "conf" / "keys.yaml").write_text("- key: x\n  cmd: view.claer\n- kez: y\n  cmd: view.clear\n")
    assert cli.midstream(["--check"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert any("keys.yaml:1:" in line or "keys.yaml:2:" in line for line in lines)
    assert any(line.startswith(f"{folder}/conf/keys.yaml:3:3: ") for line in lines)
    assert lines[-1] == "checked 0 scripts: 2 problems"
    (folder / "conf" / "keys.yaml").write_text("- key: x\n  cmd: view.clear\n")
    assert cli.midstream(["--check"]) == 0


def test_a_flag_that_nobody_knows_is_a_bad_start(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.middump(["--check", "--listen-prot", "1"]) == 1
    assert capsys.readouterr().err.startswith("middump: no flag is called --listen-prot")


def test_places_of_what_the_config_file_names(folder: Path, checked) -> None:
    config = folder / "conf" / "config.yaml"
    config.write_text("scripts:\n- ../a.py\n- no.py\n- ../a.py\nmode: [regular, regular]\n")
    (folder / "a.py").write_text("addons = 3\n")
    lines = checked(1)
    assert f"{config}:3:3: scripts: {folder}/conf/no.py does not exist" in lines
    assert f"{config}:4:3: scripts: '{folder}/conf/../a.py' is named twice" in lines
    assert f"{folder}/a.py:1: `addons` must be a list of addons, not 3" in lines
    assert any(line.startswith(f"{config}:5:7: mode 'regular' and 'regular' both want") for line in lines)


def test_absent_options_have_a_reason(folder: Path, checked) -> None:
    line = checked(1, "--set", "proxy_debug")[0]
    assert line == "--set: no option is called 'proxy_debug'; it is not needed: -v shows what the proxy does"


def test_names_that_a_broken_script_may_have(folder: Path, checked) -> None:
    (folder / "a.py").write_text(
        "from midstream import ctx, exceptions\n"
        'def load(loader):\n    loader.add_option("mine", int, 3, "Mine.")\n'
        "def configure(updated):\n    raise exceptions.OptionsError('I refuse')\n"
    )
    assert checked(1, "-s", "a.py", "--set", "mine=x", "--set", "other=3") == [
        f"{folder}/a.py: option mine: 'x' is no whole number",
        "--set: no option is called 'other'; unless a script declares it that did not load",
        "checked 1 script: 2 problems",
    ]
    assert checked(1, "-s", "a.py")[0] == f"{folder}/a.py:5: I refuse"


def test_the_files_that_were_read_are_named_also_when_they_name_another_folder(folder: Path, checked) -> None:
    (folder / "conf" / "config.yaml").write_text(f"confdir: {folder}/other\n")
    assert checked(0) == [f"checked 0 scripts and {folder}/conf/config.yaml: nothing is wrong"]
