"""`--completion SHELL`: a script that lets a shell complete our flags, option names, values and files.

Made by shtab from the flags of a program; what it has no words for, `--set NAME=VALUE`, is added here. The scripts are
static: pressing tab starts no Python. Called by app.py; imported for this alone.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from shlex import quote
from typing import Any

import shtab

from midstream.hub.flags import Parser
from midstream.hub.option import Option
from midstream.hub.option_types import BOOL
from midstream.hub.options import Options

SHELLS = ("bash", "zsh", "fish")


def script(shell: str, parser: Parser, options: Options) -> str:
    """The completion script of a program; `parser` has its flags, all of them with help."""
    words = {name: _words(option) for name, option in sorted(options.items())}
    for action in parser._actions:
        if action.dest in options:
            _describe(action, options.option(action.dest), words[action.dest])
        elif action.dest == "set":
            _attach(action, _set_completer(parser.prog, words))
        elif action.dest == "sessions":
            action.choices = ("delete", "all")
        elif action.dest == "adopt":
            _attach(action, shtab.DIRECTORY)
    made = shtab.complete(parser, shell)
    return f"{made}\n{_bash_values(parser.prog, words) if shell == 'bash' else ''}"


def _describe(action: argparse.Action, option: Option, words: Sequence[str]) -> None:
    if option.type is BOOL:
        return
    if option.kind.name == "path":
        _attach(action, shtab.DIRECTORY if option.name == "confdir" else shtab.FILE)
    elif words:
        action.choices = words


def _attach(action: argparse.Action, completer: Mapping[str, Any]) -> None:
    action.complete = completer  # type: ignore[attr-defined]  # where shtab looks for it


def _words(option: Option) -> list[str]:
    """What a value may be, if that is a list of words."""
    if option.kind.name in ("path", "filter"):  # asked the file system; operators within a text
        return []
    return [word for word in option.completions("") if word and word.replace("_", "").replace("-", "").isalnum()]


def _set_completer(prog: str, words: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Names that end in `=`, then whole `name=value` words. No space is put behind the `=`."""
    names = " ".join(f"{name}=" for name in words)
    pairs = " ".join(f"{name}={word}" for name, offered in words.items() for word in offered)
    function = f"_{prog}_set"
    return {
        "bash": function,
        "zsh": function,
        "fish": f"({function})",
        "preamble": {
            "bash": f'{function}() {{\n  compgen -W "{names}" -- "$1"\n}}',
            "zsh": (
                f"{function}() {{\n  if [[ $PREFIX == *=* ]]; then\n    compadd -- {pairs}\n"
                f"  else\n    compadd -S '' -- {names}\n  fi\n}}"
            ),
            "fish": (
                f"function {function}\n  if string match -q '*=*' -- (commandline -ct)\n"
                f"    printf '%s\\n' {pairs}\n  else\n    printf '%s\\n' {names}\n  end\nend"
            ),
        },
    }


def _bash_values(prog: str, words: Mapping[str, Sequence[str]]) -> str:
    """Bash takes `name=value` for three words: completed here, before shtab's function is asked."""
    cases = []
    for name, offered in words.items():
        if offered:
            flag = "--" + name.replace("_", "-")
            cases.append(f"    {name}|{flag}) words={quote(' '.join(offered))} ;;")
    table = "\n".join(cases)
    return f"""
_{prog}_complete() {{
  local word="${{COMP_WORDS[COMP_CWORD]}}" name="" words=""
  if [[ $word == "=" ]]; then
    name="${{COMP_WORDS[COMP_CWORD-1]}}" word=""
  elif (( COMP_CWORD > 1 )) && [[ ${{COMP_WORDS[COMP_CWORD-1]}} == "=" ]]; then
    name="${{COMP_WORDS[COMP_CWORD-2]}}"
  fi
  case "$name" in
{table}
  esac
  if [[ -n $name ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$word"))
  else
    _shtab_{prog}
    [[ ${{#COMPREPLY[@]}} != 1 || ${{COMPREPLY[0]}} != *= ]] || compopt -o nospace 2>/dev/null
  fi
  return 0
}}
complete -o bashdefault -F _{prog}_complete {prog}
"""
