"""A line in a real shell, in a folder of its own, as somebody would paste it."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

SHELLS = tuple(shell for shell in ("sh", "dash", "bash", "zsh", "fish") if shutil.which(shell))


async def run_line(line: str, folder: Path, shell: str = "sh") -> bytes:
    """What is printed. AssertionError when the line fails, or leaves anything in the folder, which is its home too."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    here = folder / "here"
    here.mkdir(exist_ok=True)
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        shell, "-c", line, cwd=here, env={**kept, "HOME": str(home)},
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(20):
        out, errors = await process.communicate()
    assert process.returncode == 0, (shell, line, errors)
    assert not list(here.iterdir()), (shell, line)
    return out


def batches(lines: Sequence[T], size: int = 6) -> list[Sequence[T]]:
    """Some at a time: starting a shell takes longer than what it runs. There are more of them than shells."""
    return [lines[start : start + size] for start in range(0, len(lines), size)]
