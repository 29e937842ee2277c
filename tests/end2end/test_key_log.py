"""SSLKEYLOGFILE and its prefixed forms: the secrets of both sides are written, privately."""

import os
import stat
from pathlib import Path

import pytest

from tests.end2end.test_tls import hello, trust_in
from tests.kit.origins import OriginCA, answering, origin
from tests.kit.program import middump
from tests.kit.socket_end import tunnelled

pytestmark = pytest.mark.end2end

NO_LOG = {"SSLKEYLOGFILE": "", "MITMPROXY_SSLKEYLOGFILE": "", "MIDSTREAM_SSLKEYLOGFILE": ""}


@pytest.mark.parametrize("name", NO_LOG)
async def test_the_secrets_of_both_sides_are_written(
    confdir: Path, tmp_path: Path, origin_ca: OriginCA, trusting: tuple[str, str], name: str
):
    path = tmp_path / "keys.log"
    tls = origin_ca.context("127.0.0.1")
    env = NO_LOG | {name: str(path)}
    async with origin(answering(hello), tls=tls) as web, middump(confdir, *trusting, env=env, umask=0) as program:
        await program.line("the secrets of TLS handshakes are written to")
        async with tunnelled(program.port, web.authority, trust_in(program.ca)):
            pass
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    secrets = {line.split()[1] for line in path.read_text().splitlines() if line.startswith("SERVER_TRAFFIC_SECRET_0 ")}
    assert len(secrets) == 2  # one conversation with the client, one with the server


async def test_ours_wins(confdir: Path, tmp_path: Path):
    env = {name: str(tmp_path / name) for name in NO_LOG}
    async with middump(confdir, env=env) as program:
        await program.line("written to", str(tmp_path / "MIDSTREAM_SSLKEYLOGFILE"))


async def test_a_file_that_cannot_be_written_is_no_reason_to_end(confdir: Path, tmp_path: Path):
    env = NO_LOG | {"SSLKEYLOGFILE": str(tmp_path / "no" / "such" / "folder")}
    async with middump(confdir, env=env) as program:
        await program.line("SSLKEYLOGFILE", "No such file or directory; no secrets are written")


async def test_a_file_that_others_can_read_is_reported(confdir: Path, tmp_path: Path):
    path = tmp_path / "keys.log"
    path.touch(0o644)
    path.chmod(0o644)
    async with middump(confdir, env=NO_LOG | {"SSLKEYLOGFILE": str(path)}) as program:
        await program.line("SSLKEYLOGFILE", "keys.log can be read by others")


async def test_a_pipe_that_nobody_reads_holds_nothing_up(confdir: Path, tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    async with middump(confdir, env=NO_LOG | {"SSLKEYLOGFILE": str(tmp_path / "pipe")}) as program:
        await program.line("SSLKEYLOGFILE", "no secrets are written")


async def test_a_file_that_goes_meanwhile_is_made_anew_as_private(
    confdir: Path, tmp_path: Path, origin_ca: OriginCA, trusting: tuple[str, str]
):
    path = tmp_path / "keys.log"
    env = NO_LOG | {"SSLKEYLOGFILE": str(path)}
    tls = origin_ca.context("127.0.0.1")
    async with origin(answering(hello), tls=tls) as web, middump(confdir, *trusting, env=env, umask=0) as program:
        await program.line("the secrets of TLS handshakes are written to")
        path.unlink()
        async with tunnelled(program.port, web.authority, trust_in(program.ca)):
            pass
    assert not path.exists() or stat.S_IMODE(path.stat().st_mode) == 0o600
