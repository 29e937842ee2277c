"""The worker process, which is a real one here."""

import asyncio
import gc
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from midstream.work import worker_main
from midstream.work.worker import Worker, WorkerFailed
from tests.kit.stopwatch import never_held, within
from tests.kit.waiting import until

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="it looks into /proc")


def shout(data: bytes, ending: str) -> str:
    return data.decode().upper() + ending


def reverse(data: bytes) -> bytes:
    return data[::-1]


def refuse(sentence: str) -> None:
    raise ValueError(sentence)


def fail() -> None:
    raise KeyError("no such thing")


def spin() -> None:
    while True:
        pass


def spin_in_c() -> object:
    return sum(iter(int, 1))  # one call, which neither ends nor looks for signals


def die() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def eat() -> int:
    return len(bytearray(worker_main.MOST_MEMORY * 2))


def return_too_much() -> bytes:
    return bytes(worker_main.LARGEST_ANSWER + 1)


def return_a_generator() -> Iterator[int]:
    return iter(range(3))


def chatter() -> str:
    print("to stdout")
    print("to stderr", file=sys.stderr)
    os.write(1, b"to descriptor 1")
    return "said"


def facts() -> dict[str, Any]:
    return {
        "pid": os.getpid(),
        "nice": os.nice(0),
        "cwd": os.getcwd(),
        "files": [os.readlink(f"/proc/self/fd/{one}") for one in range(20) if os.path.lexists(f"/proc/self/fd/{one}")],
        "session": os.getsid(0),
    }


@pytest.fixture
async def worker() -> Worker:
    worker = Worker()
    yield worker
    worker.close()
    gc.collect()  # a pipe or a process that was left would be warned of now


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:  # an orphan may stay a zombie where nobody inherits it
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return sys.platform != "linux"


async def test_it_calls_functions_of_modules_in_one_process(worker: Worker) -> None:
    assert worker.pid is None, "none is started before there is work"
    assert await worker.run(shout, "straße".encode(), "!") == "STRASSE!"
    pid = worker.pid
    assert await asyncio.gather(*(worker.run(shout, b"%d" % number, "") for number in range(20))) == [
        str(number) for number in range(20)
    ]
    assert worker.pid == pid
    assert (await worker.run(facts))["pid"] == pid


@pytest.mark.parametrize("size", [0, 1, 65_536, 40_000_001])
async def test_bytes_come_and_go_as_they_are(worker: Worker, size: int) -> None:
    data = os.urandom(min(size, 1000)) * (size // 1000 + 1)
    data = data[:size]
    assert await worker.run(reverse, data, seconds=20) == data[::-1]


async def test_a_refusal_is_a_value_error_and_other_errors_are_failures(worker: Worker) -> None:
    with pytest.raises(ValueError, match=r"^this is no cheese$"):
        await worker.run(refuse, "this is no cheese")
    with pytest.raises(WorkerFailed, match=r"^KeyError: 'no such thing'$"):
        await worker.run(fail)
    pid = worker.pid
    assert await worker.run(shout, b"still ", "here") == "STILL here"
    assert worker.pid == pid


@pytest.mark.parametrize("endless", [spin, spin_in_c])
async def test_what_takes_too_long_is_killed_and_the_next_request_is_served(worker: Worker, endless: Any) -> None:
    await worker.run(shout, b"", "")
    pid = worker.pid
    assert pid is not None
    with pytest.raises(TimeoutError):
        await worker.run(endless, seconds=0.1)
    await until(lambda: not is_there(pid), "its end")
    assert await worker.run(shout, b"next", "") == "NEXT"
    assert worker.pid != pid


async def test_one_that_is_cancelled_is_killed_and_one_that_waits_is_not_harmed(worker: Worker) -> None:
    await worker.run(shout, b"", "")
    pid = worker.pid
    first = asyncio.ensure_future(worker.run(spin, seconds=60))
    second = asyncio.ensure_future(worker.run(shout, b"second", ""))
    third = asyncio.ensure_future(worker.run(shout, b"third", ""))
    await asyncio.sleep(0)
    third.cancel()
    first.cancel()
    assert await second == "SECOND"
    assert first.cancelled()
    assert third.cancelled()
    assert worker.pid != pid


async def test_one_that_is_cancelled_when_its_answer_has_come_leaves_nothing(worker: Worker) -> None:
    await worker.run(len, b"abc")
    pid = worker.pid
    asked = asyncio.create_task(worker.run(len, b"abc"))
    threads = threading.active_count()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    while threading.active_count() > threads:  # the loop is held: the answer is there, and has not been taken
        time.sleep(0.001)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    await until(lambda: not Path(f"/proc/{pid}").exists(), "the process is gone, and no zombie")
    assert await worker.run(len, b"abcd") == 4


async def test_a_request_that_kills_the_process_fails_alone(worker: Worker) -> None:
    with pytest.raises(WorkerFailed, match="ended by itself: SIGSEGV"):
        await worker.run(die)
    assert await worker.run(shout, b"next", "") == "NEXT"


async def test_a_process_that_somebody_ended_is_replaced(worker: Worker) -> None:
    await worker.run(shout, b"", "")
    pid = worker.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    # Before it has ended the request may still reach it, and fails then.
    await until(lambda: os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT), "its end")
    assert await worker.run(shout, b"next", "") == "NEXT"


@linux_only
async def test_memory_is_bounded(worker: Worker) -> None:
    with pytest.raises(WorkerFailed, match="too much memory"):
        await worker.run(eat)
    assert await worker.run(shout, b"next", "") == "NEXT"


async def test_what_cannot_be_returned_is_said(worker: Worker) -> None:
    with pytest.raises(WorkerFailed, match="cannot be sent: it is too large"):
        await worker.run(return_too_much, seconds=20)
    with pytest.raises(WorkerFailed, match="cannot be sent: "):
        await worker.run(eval, "(x for x in ())")
    assert await worker.run(shout, b"next", "") == "NEXT"


async def test_what_it_prints_disturbs_nobody(worker: Worker, capfd: pytest.CaptureFixture[str]) -> None:
    assert await worker.run(chatter) == "said"
    assert await worker.run(shout, b"next", "") == "NEXT"
    assert capfd.readouterr() == ("", "")


@linux_only
async def test_it_is_nice_and_inherits_nothing(worker: Worker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.set_inheritable(True)  # Popen closes it all the same
        found = await worker.run(facts)
    assert found["nice"] == os.nice(0) + worker_main.NICENESS
    assert found["cwd"] == "/"
    assert {str(file).partition(":")[0] for file in found["files"]} == {"/dev/null", "pipe"}
    assert found["session"] == found["pid"], "ctrl c and ctrl z of the terminal do not reach it"


async def test_after_the_end_there_is_no_process_and_no_more_work() -> None:
    worker = Worker()
    busy = asyncio.ensure_future(worker.run(spin, seconds=60))
    await until(lambda: worker.pid, "a process")
    pid = worker.pid
    assert pid is not None
    with within(2, clock=time.monotonic):
        worker.close()
    assert not is_there(pid)
    with pytest.raises(WorkerFailed):
        await busy
    with pytest.raises(WorkerFailed, match="about to end"):
        await worker.run(shout, b"", "")
    worker.close()


@pytest.mark.parametrize("doing", ["shout, b'x', ''", "spin", "spin_in_c"])
async def test_it_does_not_outlive_a_parent_that_is_killed(tmp_path: Path, doing: str) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        textwrap.dedent(f"""\
            import asyncio, sys
            sys.path.insert(0, {str(Path(__file__).parents[2])!r})
            from midstream.work.worker import Worker
            from tests.work.test_worker import shout, spin, spin_in_c

            async def main():
                worker = Worker()
                await worker.run(shout, b"", "")
                task = asyncio.ensure_future(worker.run({doing}, seconds=2))
                await asyncio.sleep(0.1)
                print(worker.pid, flush=True)
                await asyncio.sleep(600)

            asyncio.run(main())
            """)
    )
    with subprocess.Popen([sys.executable, str(program)], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert is_there(pid)
        parent.kill()
    await until(lambda: not is_there(pid), "its end")


async def test_the_loop_goes_on_while_much_is_sent(worker: Worker) -> None:
    data = bytes(50_000_000)
    await worker.run(shout, b"", "")
    async with never_held(0.2):  # 20 ms on a quiet machine
        assert await worker.run(reverse, data, seconds=20) == data
