"""Starts that fail: one clear line on stderr, nothing on stdout, a status that is not 0, at once."""

import socket
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.kit.program import started

pytestmark = pytest.mark.end2end


async def failed_start(confdir: Path, *argv: str) -> str:
    """The one line of a start that fails."""
    async with started(confdir, *argv) as program:
        assert await program.ended() == 1
    assert program.lines == [], program.printed()
    assert len(program.errors) == 1, program.printed()
    return program.errors[0]


@pytest.mark.parametrize(
    ("argv", "parts"),
    [
        (["--listen-prot", "1"], ["--listen-prot", "'--listen-port'"]),
        (["--confdir", "~nobody-of-that-name/x"], ["confdir", "'~nobody-of-that-name/x'", "no such user"]),
        (["-p", "80a"], ["listen_port", "'80a'"]),
        (["-p", "65536"], ["listen_port", "65536"]),
        (["--set", "flow_detail=much"], ["flow_detail", "'much'"]),
        (["--set", "termlog_verbosity=loud"], ["termlog_verbosity", "'loud'", "debug"]),
        (["--set", "stream_large_bodies=1x"], ["stream_large_bodies", "'1x'"]),
        (["--set", "tcp_timeout=0"], ["tcp_timeout", "0"]),
        (["--certs", "/nowhere/a.pem"], ["certs", "/nowhere/a.pem", "No such file"]),
        (["--client-certs", "/nowhere/a.pem"], ["client_certs", "/nowhere/a.pem", "No such file"]),
        (["--set", "connect_addr=here"], ["connect_addr", "'here'"]),
        (["~u example ("], ["dumper_filter", "column 12"]),
        (["~zz"], ["dumper_filter", "~zz"]),
        (["~u", "["], ["dumper_filter", "column"]),
        (["-m", "regluar"], ["mode", "regluar", "'regular'"]),
        (["-m", "wireguard"], ["mode", "wireguard", "comes in a later version"]),
        (["-s", "/no/such/script.py"], ["/no/such/script.py does not exist"]),
        (["-s", "/"], ["is a folder"]),
        (["--set", "ssl_verify_upstream_trusted_ca=/no/such/ca.pem"], ["/no/such/ca.pem"]),
        (["--set", "ciphers_client=NO-SUCH"], ["ciphers_client", "NO-SUCH"]),
        (["--set", "tls_version_client_min=TLS1_3", "--set", "tls_version_client_max=TLS1_2"], ["tls_version_client"]),
        (["--listen-host", "192.0.2.1", "-p", "0"], ["192.0.2.1", "no such address"]),
        (["--listen-host", "no such host", "-p", "0"], ["no such host"]),
    ],
    ids=" ".join,
)
async def test_a_mistake_on_the_command_line(confdir: Path, argv: Sequence[str], parts: Sequence[str]):
    line = await failed_start(confdir, *argv)
    for part in parts:
        assert part in line


@pytest.mark.parametrize("listen", [("--listen-host", "127.0.0.1"), ()], ids=["one address", "every address"])
async def test_a_busy_port(confdir: Path, listen: tuple[str, ...]):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        line = await failed_start(confdir, *listen, "-p", str(port))
    assert f":{port}: the port is in use" in line
    assert "-p " in line  # what to do


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("flow_detail: much\n", ["config.yaml:1", "flow_detail"]),
        ("a: [\n", ["config.yaml:"]),
        ("- just\n- a list\n", ["config.yaml"]),
        ("flow_detail: 1\nmode: regular\n", ["config.yaml:2", "mode"]),
        ("x: !!python/object/apply:os.system ['true']\n", ["config.yaml:1"]),
    ],
)
async def test_a_broken_config_file(confdir: Path, text: str, parts: Sequence[str]):
    confdir.mkdir()
    (confdir / "config.yaml").write_text(text)
    line = await failed_start(confdir)
    for part in parts:
        assert part in line


async def test_a_config_folder_that_cannot_be_made(tmp_path: Path):
    (tmp_path / "file").write_text("")
    assert "file" in await failed_start(tmp_path / "file" / "conf", "-p", "0", "--listen-host", "127.0.0.1")


async def test_a_ca_that_cannot_be_read(confdir: Path):
    confdir.mkdir(mode=0o700)
    (confdir / "midstream-ca.pem").write_text("no certificate\n")
    (confdir / "midstream-ca.pem").chmod(0o600)
    async with started(confdir, "-p", "0", "--listen-host", "127.0.0.1") as program:
        assert await program.ended() == 1
    assert len(program.errors) == 1, program.printed()
    assert "midstream-ca.pem: holds no private key" in program.errors[0]
