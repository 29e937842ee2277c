"""A failure in one word of at most six letters, for a narrow column: what the long reason says stands in the details.

Looked for in the words of the reason, because that is all that flows of files have, whoever wrote them.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

# The first that fits counts: a name server that does not answer is about names.
_WORDS: Final = (
    ("killed", r"\bkilled\b"),
    ("left", r"client disconnected|client (has )?(left|closed)|by (the )?client"),
    ("dns", r"cannot be resolved|name server|name or service|nodename|getaddrinfo|no address"),
    ("tls", r"\btls\b|\bssl\b|certificate|handshake"),
    ("down", r"refused the connection|connection refused|connect call failed|unreachable|no route"),
    ("late", r"did not answer|timed? ?out|stopped (reading|sending)|no (answer|byte)s? .*within"),
    ("reset", r"\breset\b|connection aborted|broken pipe"),
    ("closed", r"\bclosed\b|disconnected|end of"),
    ("bad", r"malformed|request refused|protocol|invalid|cannot be sent"),
)
_ANY: Final = re.compile("|".join(f"(?P<{word}>{pattern})" for word, pattern in _WORDS), re.IGNORECASE)
_LONGEST: Final = 300  # characters that are looked at


@lru_cache(256)
def failure_word(reason: str) -> str:
    """`reset`, `tls`, `dns` …; "" where the reason is of another kind."""
    found = {match.lastgroup for match in _ANY.finditer(reason[:_LONGEST])}
    return next((word for word, _ in _WORDS if word in found), "")


def is_fault(reason: str, media_type: str) -> bool:
    """Whether something went wrong: there is no other end to a stream of events than that a page closes it."""
    return bool(reason) and not (media_type == "text/event-stream" and failure_word(reason) == "left")
