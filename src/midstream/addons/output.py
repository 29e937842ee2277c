"""Where dump lines and log lines go: a text file whose reader may leave, that may be full, or not be there at all.

Used by the addons that print (dumper, termlog); they decide what the end of the output means. Texts are escaped and
coloured by the callers.
"""

from __future__ import annotations

import os
import sys
from typing import Literal, TextIO

from midstream.text import colours


class Output:
    """A given file, or stdout or stderr of the moment: tests and scripts put others in their places."""

    def __init__(self, given: TextIO | None = None, standard: Literal["stdout", "stderr"] = "stdout") -> None:
        self._given = given
        self._standard = standard
        self._gone = False
        self._complained = False

    @property
    def _file(self) -> TextIO | None:
        standard: TextIO | None = getattr(sys, self._standard)
        return self._given if self._given is not None else standard

    def wants_colour(self) -> bool:
        """Whether it is a terminal that shows colours, and nobody asked for none."""
        return self._file is not None and colours.wants_colour(self._file)

    def is_terminal(self) -> bool:
        """Whether it is a terminal."""
        return self._file is not None and colours.is_terminal(self._file)

    def write(self, text: str) -> bool:
        """Write `text` at once: whoever reads a pipe wants to see what happens when it happens.

        False when nobody reads any more (`middump | head`), now and at every later call. A file that takes nothing for
        a while, such as on a full disk, loses the text.
        """
        file = self._file
        if self._gone or file is None:  # a process may be started without stdout
            return not self._gone
        try:
            try:
                file.write(text)
            except UnicodeEncodeError:
                encoding = file.encoding or "ascii"
                file.write(text.encode(encoding, "backslashreplace").decode(encoding))
            file.flush()
        except (BrokenPipeError, ValueError):  # ValueError: the file is closed
            self._gone = True
            _divert(file)
        except OSError as error:
            self._complain(error)
        return not self._gone

    def _complain(self, error: OSError) -> None:
        if not self._complained and self._standard == "stdout" and sys.stderr is not None:
            self._complained = True
            sys.stderr.write(f"stdout: {error.strerror or error}; what should be printed is lost meanwhile\n")


def _divert(file: TextIO) -> None:
    """Let what is still buffered go nowhere: it would raise once more when Python flushes the file at its exit."""
    try:
        descriptor = file.fileno()
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, descriptor)
        os.close(null)
    except (OSError, ValueError):
        return
