"""A copy of a session file that SQLite does not open, made readable: cut short, or damaged in its first page.

`addons/session.py` asks for it when an earlier session cannot be opened. The copy is only read: its flows are taken
over into a new session, the damaged file stays as it is. Damage elsewhere needs none of this (`session_file.scan`).
"""

from __future__ import annotations

import os
import shutil
import struct
import tempfile
from pathlib import Path
from typing import Final

from midstream.store.session_file import PAGE, SessionFile
from midstream.work.whole_file import PRIVATE

COPY: Final = ".copy"


def readable_copy(path: Path) -> Path:
    """A copy beside the file, for the caller to delete. OSError."""
    copy = path.with_suffix(COPY)
    for ending in ("", "-wal"):
        if os.path.exists(f"{path}{ending}"):
            descriptor = os.open(f"{copy}{ending}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE)
            with open(descriptor, "wb") as target, open(f"{path}{ending}", "rb") as source:
                shutil.copyfileobj(source, target, 1 << 20)
    with open(copy, "r+b") as file:
        pages = -(-os.fstat(file.fileno()).st_size // PAGE)
        # The first page of every session is the same but for a few counters: where the tables begin stands in it.
        file.write(_first_page(pages))
        file.truncate(pages * PAGE)
    return copy


def _first_page(pages: int) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "new.session")
        new = SessionFile(path)
        new.open()
        new.close(is_clean=False)
        with open(path, "rb") as file:
            page = bytearray(file.read(PAGE))
    # https://www.sqlite.org/fileformat2.html §1.3: size in pages, which is believed when two counters are equal; the
    # list of free pages, which nothing here needs.
    page[24:28] = page[92:96]
    page[28:32] = struct.pack(">I", pages)
    page[32:40] = bytes(8)
    return bytes(page)
