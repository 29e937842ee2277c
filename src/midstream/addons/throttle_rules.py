"""What a throttle rule says: `/filter/latency=200ms jitter=50ms down=1m up=256k loss=1%`, or the name of a preset.

Parsed for the addon `throttle`; times are seconds, rates bytes per second.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from typing import Final

from midstream.filters import Filter, FilterError, match_all, parse
from midstream.text.escape import visible
from midstream.text.sizes import human_size, parse_size
from midstream.text.suggest import did_you_mean


@dataclass(frozen=True, slots=True)
class Settings:
    """How slow it is. None: as fast as it comes."""

    latency: float = 0.0
    jitter: float = 0.0
    down: float | None = None
    up: float | None = None
    loss: float = 0.0
    seed: int | None = None

    def __str__(self) -> str:
        words = [f"{name}={getattr(self, name) * 1000:g}ms" for name in ("latency", "jitter") if getattr(self, name)]
        words += [f"{name}={human_size(round(rate))}/s" for name in ("down", "up") if (rate := getattr(self, name))]
        return " ".join([*words, f"loss={self.loss:.4g}%"] if self.loss else words) or "nothing"


@dataclass(frozen=True, slots=True)
class Spec:
    """A rule as it was written."""

    expression: str
    matches: Filter
    settings: Settings


# Chromium's DevTools (front_end/core/sdk/NetworkManager.ts): what they call Slow 3G, Fast 3G (now Slow 4G) and Fast 4G,
# with their adjustments for what TCP and TLS take of it: bits per second / 8 * 0.8 or 0.9, latency * 5, 3.75 or 2.75.
PRESETS: Final = {
    "slow3g": Settings(latency=2.0, down=50_000, up=50_000),
    "3g": Settings(latency=0.5625, down=180_000, up=84_375),
    "4g": Settings(latency=0.165, down=1_012_500, up=168_750),
    "offline": Settings(loss=100),
}

_TIME = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)(ms|s)")
_BITS = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)([kmg])bit")
_PERCENT = re.compile(r"(\d{1,3}(?:\.\d{1,6})?)%")
_UNITS = {"k": 1e3, "m": 1e6, "g": 1e9}


def parse_spec(text: str) -> Spec:
    """Read a rule; without a filter it is for everything. Raises ValueError: one sentence."""
    text = text.strip()
    if not text:
        raise ValueError(
            "an empty text is no throttle rule; write a preset such as 3g, or /filter/latency=200ms down=1m"
        )
    if text[0].isalnum():
        return Spec("", match_all, _settings(text))
    separator, rest = text[0], text[1:]
    expression, found, words = rest.rpartition(separator)
    if not found:
        how = f"{separator}filter{separator}latency=200ms down=1m"
        raise ValueError(f"{visible(text)}: write it as {how}, and in the prompt with quotes around it")
    try:
        matches = parse(expression) if expression.strip() else match_all
    except FilterError as error:
        raise ValueError(f"{visible(text)}: {error}") from None
    return Spec(expression.strip(), matches, _settings(words))


def _settings(text: str) -> Settings:
    settings = Settings()
    words = text.split()
    if not words:
        raise ValueError(f"it says nothing to do; write a preset ({', '.join(PRESETS)}) or latency=200ms down=1m")
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            if name not in PRESETS:
                known = [*PRESETS, *(f"{field.name}=" for field in fields(Settings))]
                hint = did_you_mean(name, known)
                raise ValueError(f"{visible(word)} is no preset{hint.rstrip('?')}; there are {', '.join(PRESETS)}")
            settings = PRESETS[name]
            continue
        settings = replace(settings, **{name: _value(name, value)})  # type: ignore[arg-type]
    return settings


def _value(name: str, value: str) -> float | int | None:
    match name:
        case "latency" | "jitter":
            if found := _TIME.fullmatch(value):
                return float(found[1]) * (0.001 if found[2] == "ms" else 1)
            raise ValueError(f"{name}={visible(value)}: write a time such as 200ms or 1.5s")
        case "down" | "up":
            return _rate(name, value)
        case "loss":
            if (found := _PERCENT.fullmatch(value)) and float(found[1]) <= 100:
                return float(found[1])
            raise ValueError(f"loss={visible(value)}: write a share such as 1% or 0.5%")
        case "seed" if value.isdecimal() and len(value) < 10:
            return int(value)
        case "seed":
            raise ValueError(f"seed={visible(value)}: write a whole number")
        case _:
            names = ", ".join(field.name for field in fields(Settings))
            raise ValueError(f"{visible(name)} is nothing that can be throttled; there are {names}")


def _rate(name: str, value: str) -> float:
    if found := _BITS.fullmatch(value):
        rate = float(found[1]) * _UNITS[found[2]] / 8
    else:
        try:
            rate = parse_size(value)
        except ValueError:
            rate = 0
    if rate < 1:
        raise ValueError(f"{name}={visible(value)}: write bytes per second such as 256k or 1m, or 400kbit")
    return rate
