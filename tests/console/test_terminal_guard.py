"""What the terminal guard keeps for the end; the rest of it is tested on a pty."""

from __future__ import annotations

import logging

from midstream.console.terminal_guard import LAST_ERRORS, _LastErrors


def failing(logger: logging.Logger, text: str, error: Exception) -> None:
    try:
        raise error
    except Exception:
        logger.exception("%s", text)


def test_the_last_errors_are_kept_once_each():
    errors = _LastErrors()
    logger = logging.Logger("test")
    logger.addHandler(errors)
    for _ in range(4):
        failing(logger, "mine.py failed in request: KeyError: 'sku'", KeyError("sku"))
    logger.warning("no error")
    logger.error("\x1b[31mred\x07")
    failing(logger, "saving failed", OSError("disk full"))
    logger.error("a mistyped command", extra={"seen_on_screen": True})
    assert errors.lines == [
        "mine.py failed in request: KeyError: 'sku' (4 times)",
        "␛[31mred␇",
        "saving failed: OSError('disk full')",
    ]
    for number in range(LAST_ERRORS):
        logger.error("error %d", number)
    assert errors.lines == [f"error {number}" for number in range(LAST_ERRORS)]
