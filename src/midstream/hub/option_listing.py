"""All options as text and as plain data: for `--options` and for programs that read them.

Both are derived from the declarations; neither changes anything.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable
from typing import TextIO

from midstream.hub.options import Options


def dump_defaults(opts: Options, out: TextIO) -> None:
    """Write every option with its default, as YAML with its help above: a config file to start from."""
    for name, option in sorted(opts.items()):
        facts = f"Type {option.type.label}."
        if option.choices is not None:
            facts += f" Choices: {', '.join(option.choices)}."
        for paragraph in (option.help, facts):
            for line in textwrap.wrap(paragraph, 98, break_long_words=False, break_on_hyphens=False):
                out.write(f"# {line}\n")
        # JSON of plain values is YAML too, and needs no YAML writer.
        out.write(f"{name}: {json.dumps(option.default, ensure_ascii=False)}\n\n")


def dump_dicts(opts: Options, keys: Iterable[str] | None = None) -> dict[str, dict[str, object]]:
    """Declaration and value of all options, or those named, as plain data."""
    return {
        name: {
            "type": option.type.label,
            "default": option.default,
            "value": option.current(),
            "help": option.help,
            "choices": list(option.choices) if option.choices is not None else None,
        }
        for name, option in ((name, opts.option(name)) for name in sorted(keys if keys is not None else opts))
    }
