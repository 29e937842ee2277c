"""Taking over the state of a mitmproxy: copied whole, nothing replaced, everything named."""

import os
import stat
from collections.abc import Sequence
from pathlib import Path

import pytest

from midstream import cli
from midstream.certs.authority import Authority
from midstream.flows.errors import OptionsError
from midstream.hub.adopting import adopt, can_be_adopted
from midstream.hub.options import Options
from tests.kit.program import started

CONFIG = "# mine\nlisten_port: 8081  # why\nscripts: [a.py, /b.py]\nweb_port: 1\nlisten_prot: 1\nmode: regular\n"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "theirs"
    folder.mkdir()
    (folder / "mitmproxy-ca.pem").write_bytes(Authority.create().private_pem())
    (folder / "mitmproxy-ca-cert.pem").write_text("made anew from the other")
    (folder / "config.yaml").write_text(CONFIG)
    (folder / "keys.yaml").write_text("- key: x\n  cmd: view.clear\n")
    (folder / "command_history").write_text("set a b\n")
    return folder


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "ours"


@pytest.fixture
def options() -> Options:
    opts = Options()
    opts.add_option("listen_port", int | None, None, "The port.")
    opts.add_option("scripts", Sequence[str], [], "Scripts.")
    opts.add_option("mode", Sequence[str], [], "Modes.")
    return opts


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_everything_is_copied_and_told(source: Path, target: Path, options: Options) -> None:
    before = contents(source)
    old_umask = os.umask(0)
    try:
        lines, is_whole = adopt(source, target, options)
    finally:
        os.umask(old_umask)
    assert lines == [
        "copied mitmproxy-ca.pem",
        "copied config.yaml",
        "  of other programs: web_port",
        f"  {source}/config.yaml:5:14: there is no option 'listen_prot' here; did you mean 'listen_port'?",
        f"  {source}/config.yaml:6:7: option mode: expected list of str, got 'regular' (str); mend it before the next "
        "start",
        "copied keys.yaml",
        f"adopted {source} into {target}: 3 files copied, 0 left",
    ]
    assert is_whole
    assert contents(source) == before
    assert stat.S_IMODE(target.stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in target.iterdir()}
    assert modes == {
        "mitmproxy-ca.pem": 0o600,
        "config.yaml": 0o600,
        "keys.yaml": 0o600,
    }
    # Relative scripts count from the folder that the file stood in; all else is as it was.
    assert (target / "config.yaml").read_text() == CONFIG.replace("a.py, ", f"{source}/a.py, ")
    assert (target / "keys.yaml").read_bytes() == before["keys.yaml"]


def test_nothing_is_replaced(source: Path, target: Path, options: Options) -> None:
    target.mkdir()
    (target / "config.yaml").write_text("mine: 1\n")
    (target / "midstream-ca.pem").write_text("a CA of ours")
    lines, is_whole = adopt(source, target, options)
    assert f"left config.yaml: {target}/config.yaml is there already" in lines
    assert lines[-2].startswith("the CA midstream-ca.pem is now midstream-ca.pem.before-adopting; from the next start")
    assert (target / "midstream-ca.pem.before-adopting").read_text() == "a CA of ours"
    assert (target / "config.yaml").read_text() == "mine: 1\n"
    before = contents(target)
    again, is_whole = adopt(source, target, options)
    assert contents(target) == before
    assert again[-1] == f"adopted {source} into {target}: 0 files copied, 3 left"
    assert is_whole


def test_no_ca_is_moved_onto_another(source: Path, target: Path, options: Options) -> None:
    target.mkdir()
    (target / "midstream-ca.pem").write_text("a CA of ours")
    (target / "midstream-ca.pem.before-adopting").write_text("an older one")
    lines, _ = adopt(source, target, options)
    assert f"{target}/midstream-ca.pem stays in use; remove it, and the next start uses the adopted CA" in lines
    (target / "mitmproxy-ca.pem").unlink()
    (target / "midstream-ca.pem.before-adopting").unlink()
    (source / "mitmproxy-ca.pem").write_text("only words")
    lines, is_whole = adopt(source, target, options)
    assert "left mitmproxy-ca.pem: it holds no key and certificate in PEM" in lines
    assert not is_whole
    assert sorted(contents(target)) == ["config.yaml", "keys.yaml", "midstream-ca.pem"]


def test_a_relative_source(
    source: Path, target: Path, options: Options, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    adopt("theirs", target, options)
    assert f"{source}/a.py" in (target / "config.yaml").read_text()


def test_links_and_odd_things(source: Path, target: Path, options: Options, tmp_path: Path) -> None:
    keys = source / "keys.yaml"
    keys.rename(tmp_path / "keys")
    keys.symlink_to(tmp_path / "keys")
    (source / "config.yaml").unlink()
    (source / "config.yaml").mkdir()
    (source / "config.yml").symlink_to("/dev/zero")
    target.mkdir()
    (target / "mitmproxy-ca.pem").symlink_to(tmp_path / "nowhere")
    lines, _ = adopt(source, target, options)
    assert lines == [
        f"left mitmproxy-ca.pem: {target}/mitmproxy-ca.pem is there already",
        "copied keys.yaml",
        f"adopted {source} into {target}: 1 file copied, 1 left",
    ]
    assert not (tmp_path / "nowhere").exists()


def test_a_folder_of_somebody_else(source: Path, target: Path, options: Options) -> None:
    """As one that sudo has made; the first start looks into it, too."""
    source.chmod(0)
    me = os.geteuid()
    if me == 0:  # root may look everywhere
        os.seteuid(65534)
    try:
        assert not can_be_adopted(source)
        with pytest.raises(OptionsError, match="cannot be read: Permission denied"):
            adopt(source, target, options)
    finally:
        os.seteuid(me)
        source.chmod(0o700)


def test_a_config_file_that_cannot_be_read_is_left(source: Path, target: Path, options: Options) -> None:
    (source / "config.yaml").write_text("a: [\n")
    (source / "config.yml").write_text("scripts: &x [a.py]\nlist: *x\n")
    lines, is_whole = adopt(source, target, options)
    assert any(line.startswith(f"left config.yaml: {source}/config.yaml:2:1: ") for line in lines)
    assert sorted(contents(target)) == ["keys.yaml", "mitmproxy-ca.pem"]
    assert not is_whole


def test_what_is_too_large_is_left(source: Path, target: Path, options: Options) -> None:
    with (source / "keys.yaml").open("wb") as file:
        file.truncate(100_000_000)
    lines, _ = adopt(source, target, options)
    assert "left keys.yaml: it is larger than 1,048,576 bytes" in lines


def test_refusals(source: Path, target: Path, options: Options, tmp_path: Path) -> None:
    with pytest.raises(OptionsError, match=r"there is no folder .*none; name the one to adopt: --adopt FOLDER"):
        adopt(tmp_path / "none", target, options)
    with pytest.raises(OptionsError, match="is our own config folder"):
        adopt(source, source, options)
    (tmp_path / "empty").mkdir()
    with pytest.raises(OptionsError, match="holds neither a CA"):
        adopt(tmp_path / "empty", target, options)
    assert not target.exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(OptionsError, match="the config folder cannot be made"):
        adopt(source, tmp_path / "file" / "conf", options)


def test_the_command(
    source: Path, target: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(source.parent))
    source.rename(source.parent / ".mitmproxy")
    assert cli.middump(["--adopt", "--confdir", str(target)]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.endswith("3 files copied, 0 left\n")
    assert cli.midstream(["--set", f"confdir={target}", "--adopt", "/no/such/folder"]) == 1
    assert "there is no folder /no/such/folder" in capsys.readouterr().err


@pytest.mark.end2end
async def test_the_first_start_names_the_command_and_the_ca_is_used(source: Path, target: Path, tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path), "MIDSTREAM_CONFDIR": ""}
    source.rename(tmp_path / ".mitmproxy")
    args = ("-p", "0", "--listen-host", "127.0.0.1")
    async with started(target, *args, env=home) as program:
        await program.line("there is a ~/.mitmproxy: `midstream --adopt` takes over its CA, config.yaml and keys")
        await program.line("listening at")
    async with started(target, *args, env=home) as program:
        await program.line("listening at")
        assert not any("--adopt" in line for line in program.lines)
    (tmp_path / ".mitmproxy" / "config.yaml").unlink()
    async with started(target, "--adopt", env={"HOME": str(tmp_path)}) as program:
        await program.line("2 files copied, 0 left")
        assert await program.ended() == 0
    async with started(target, *args, env={"HOME": str(tmp_path)}) as program:
        await program.line("listening at")
    assert not (target / "midstream-ca.pem").exists()
