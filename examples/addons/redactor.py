"""Mask secrets: tokens, cookies, e-mail addresses and card numbers, in what middump prints and in bodies for clients.

middump -s examples/addons/redactor.py --set flow_detail=3
middump -s examples/addons/redactor.py --set redact_bodies=true --set redact_also='EMP-\\d{6}'

For logs, recordings and screens that others will see. Each secret gets a name of its own, such as <email-2>, which is
the same wherever the secret turns up, so that what happened can still be followed.

What is printed is masked always; what the client gets only by `redact_bodies`: text up to 500 kB that does not stream.
Nothing else is: flows keep the secrets, and so do flow files. It knows patterns, not meanings; look before you publish.
"""

import hashlib
import logging
import re
import sys
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, TextIO

from midstream import command, ctx, exceptions, http
from midstream.addonmanager import Loader

MOST_NAMES = 50_000
LARGEST_BODY = 500_000  # bytes: masking more would keep the proxy from other work for too long

COLOURS = r"(?:\x1b\[[0-9;]*m)*"
# Each pattern begins where a word begins and has bounded parts, so that no text makes the search slow.
PATTERNS: list[tuple[str, re.Pattern[str]]] = [
    ("cookie", re.compile(rf"(?im)(?<=cookie)({COLOURS}: *{COLOURS})(?P<secret>[^\r\n\x1b]+)")),
    ("token", re.compile(r"(?i)\b(?:bearer|basic|token) +(?P<secret>[A-Za-z0-9._~+/=-]{8,})")),
    ("token", re.compile(r"(?<![\w-])(?P<secret>eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?)")),
    (
        "token",
        re.compile(
            r"(?i)(?<![a-z])(?:api[_-]?key|(?:access|refresh|id|auth|csrf)?[_-]?token|secret|password|passwd)"
            r"[\"']?\s{0,3}[:=]\s{0,3}[\"']?(?P<secret>[^\s\"'&,;<>{}\[\]]{4,4096})"
        ),
    ),
    ("email", re.compile(r"(?<![\w.+-])(?P<secret>[\w.+-]{1,64}(?:@|%40)[\w-]{1,63}(?:\.[\w-]{1,63}){1,5})")),
    ("card", re.compile(r"(?<![\w.-])(?P<secret>[2-6](?:[ -]?\d){12,18})(?![\w-])")),
]


class Names:
    """Names for secrets. The secrets themselves are not kept, only digests of them."""

    def __init__(self) -> None:
        self.names: OrderedDict[bytes, str] = OrderedDict()
        self.counts: Counter[str] = Counter()

    def name(self, kind: str, secret: str) -> str:
        digest = hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
        if digest not in self.names:
            self.counts[kind] += 1
            self.names[digest] = f"<{kind}-{self.counts[kind]}>"
            if len(self.names) > MOST_NAMES:
                self.names.popitem(last=False)
        return self.names[digest]


class Mask:
    def __init__(self, also: Sequence[re.Pattern[str]] = ()) -> None:
        self.names = Names()
        self.also = also

    def __call__(self, text: str) -> str:
        for pattern in self.also:
            text = pattern.sub(lambda found: self.names.name("secret", found[0]) if found[0] else "", text)
        for kind, pattern in PATTERNS:
            text = pattern.sub(self.replacing(kind), text)
        return text

    def replacing(self, kind: str) -> Callable[[re.Match[str]], str]:
        def replace(found: re.Match[str]) -> str:
            secret = found["secret"]
            if secret.startswith("<") or (kind == "card" and not is_card(secret)):
                return found[0]
            start, end = found.start("secret") - found.start(), found.end("secret") - found.start()
            return found[0][:start] + self.names.name(kind, secret) + found[0][end:]

        return replace


class MaskedOutput:
    """A text file that masks what is written to it, and is the file below in all else."""

    def __init__(self, below: TextIO, mask: Mask) -> None:
        # A script that is loaded anew must not wrap the wrapper of before.
        self.below: TextIO = getattr(below, "below", below)
        self.mask = mask

    def write(self, text: str) -> int:
        self.below.write(self.mask(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.below, name)


class Redactor:
    def __init__(self) -> None:
        self.mask = Mask()
        self.outputs: list[tuple[str, TextIO, MaskedOutput]] = []

    def load(self, loader: Loader) -> None:
        loader.add_option("redact_bodies", bool, False, "Mask secrets in the bodies that clients get, too.")
        loader.add_option("redact_also", Sequence[str], [], "More to mask: regular expressions.", kind="regex")

    def configure(self, updated: set[str]) -> None:
        if "redact_also" in updated:
            try:
                self.mask.also = [re.compile(text) for text in ctx.options.redact_also]
            except re.error as error:
                raise exceptions.OptionsError(f"redact_also: {error}") from None
        # Only middump prints flows. In midstream stdout is the screen, which must be left alone.
        if not self.outputs and "flow_detail" in ctx.options:
            for name in ("stdout", "stderr"):
                masked = MaskedOutput(getattr(sys, name), self.mask)
                self.outputs.append((name, masked.below, masked))
                setattr(sys, name, masked)

    def done(self) -> None:
        for name, below, masked in self.outputs:
            if getattr(sys, name) is masked:  # else somebody has put yet another one in its place
                setattr(sys, name, below)
        self.outputs.clear()

    def response(self, flow: http.HTTPFlow) -> None:
        response = flow.response
        if not ctx.options.redact_bodies or response is None or not response.raw_content:
            return  # also when it streams: then it is with the client already
        try:
            body = response.get_content(limit=LARGEST_BODY) or b""
            if len(body) > LARGEST_BODY:
                raise ValueError("it is too large")
        except ValueError as error:
            logging.warning("not masked: the body of %s: %s", flow.request.pretty_url, error)
            return
        if b"\0" in body[:1024]:
            return  # a picture or the like
        # All that is no UTF-8 goes through as it is, whatever the headers say about it.
        masked = self.mask(body.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
        if masked != body:
            response.content = masked
            flow.comment = "secrets were masked in the body"

    @command.command("redact.counts")
    def counts(self) -> Sequence[Sequence[str]]:
        """How many different secrets of each kind were seen."""
        return [[kind, str(count)] for kind, count in self.mask.names.counts.most_common()]


def is_card(text: str) -> bool:
    """Whether the check digit fits (ISO/IEC 7812): one in ten of other numbers passes."""
    digits = [int(sign) for sign in text if sign in "0123456789"]
    doubled = [2 * digit - 9 * (digit > 4) for digit in digits[-2::-2]]
    return len(set(digits)) > 1 and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


addons = [Redactor()]
