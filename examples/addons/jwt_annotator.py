"""Write what is in JSON web tokens beside the requests that carry them: who, from whom, and how long it is still valid.

midstream -s examples/addons/jwt_annotator.py --set jwt_claims=sub --set jwt_claims=scope

Tokens are found in Authorization headers and in cookies. They are read, never checked: nobody here knows the key, so
that a comment says what the token claims, not what is true. A token whose time is over gets a mark.
"""

import base64
import json
import time
from collections.abc import Iterator, Sequence
from typing import Any

from midstream import ctx, http
from midstream.addonmanager import Loader

LONGEST_TOKEN = 16_384  # characters; longer ones are left alone
LONGEST_VALUE = 60
MOST_TOKENS = 5  # of one request


class JwtAnnotator:
    def load(self, loader: Loader) -> None:
        loader.add_option("jwt_claims", Sequence[str], ["iss", "sub", "aud"], "Claims to show, beside the expiry.")

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        notes: list[str] = []
        for where, token in candidates(flow.request):
            if (read := decoded(token)) is None or len(notes) == MOST_TOKENS:
                continue
            header, claims = read
            until, expired = expiry(claims)
            shown = [f"{name}={brief(claims[name])}" for name in ctx.options.jwt_claims if name in claims]
            notes.append(", ".join([f"{where}: JWT {brief(header.get('alg', 'without alg'))}", *shown, until]))
            if expired:
                flow.marked = ":hourglass:"
        if notes:
            flow.comment = "; ".join(notes) + " (not checked)"


def candidates(request: http.Request) -> Iterator[tuple[str, str]]:
    """What may be a token, and where it was."""
    scheme, _, rest = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() in ("bearer", "jwt"):
        yield "authorization", rest.strip()
    for name, value in request.cookies.items(multi=True):
        yield f"cookie {name[:LONGEST_VALUE]}", value


def decoded(token: str) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Header and claims of a token (RFC 7519); None for what is none."""
    parts = token.split(".", 3)
    if len(parts) != 3 or len(token) > LONGEST_TOKEN:
        return None
    try:
        header, claims = (json.loads(base64.b64decode(padded(part), b"-_", validate=True)) for part in parts[:2])
    except (ValueError, RecursionError):
        return None
    return (header, claims) if isinstance(header, dict) and isinstance(claims, dict) else None


def padded(part: str) -> str:
    return part + "=" * (-len(part) % 4)


def expiry(claims: dict[str, Any]) -> tuple[str, bool]:
    """How long it is valid, in words, and whether that is over."""
    until = claims.get("exp")
    if until is None:
        return "never expires", False
    # Anything may stand here: text, true, a number that is not one, an age of the universe.
    if isinstance(until, bool) or not isinstance(until, int | float) or not 0 <= until < 1e11:
        return "expires at no time that can be read", False
    left = until - time.time()
    return (f"expired {human(-left)} ago", True) if left < 0 else (f"expires in {human(left)}", False)


def human(seconds: float) -> str:
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def brief(value: object) -> str:
    """On one line, and nothing that cannot be written down, such as half of a character."""
    try:
        text = value if isinstance(value, str) else json.dumps(value)
    except RecursionError:
        text = "(deeply nested)"
    text = text.encode("utf-8", "replace").decode()
    return text if len(text) <= LONGEST_VALUE else text[:LONGEST_VALUE] + "…"


addons = [JwtAnnotator()]
