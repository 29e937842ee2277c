"""Rules in a config file: one that is none ends the start in one line, with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kit.program import started

pytestmark = pytest.mark.end2end


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "modify_body:\n  - /a/b\n  - /(/b\n",
            ":2:3: option modify_body: /(/b: column 2: this is no regular expression",
        ),
        ("block_list: /~q/404\n", ":1:13: option block_list: expected list of str"),
        ("block_list: [/~q/99]\n", ":1:13: option block_list: /~q/99: column 5: '99' is no status"),
        ("modify_headers: [5]\n", ":1:17: option modify_headers: expected list of str"),
        ('modify_headers: ["/a b/c"]\n', ":1:17: option modify_headers: /a b/c: the header name 'a b'"),
        ('modify_headers: ["/a/b\\\\r\\\\nc: d"]\n', "the header 'a' contains CR or LF"),
        ("map_local: [!!python/object:os.system x]\n", ":1:13: option map_local: expected a plain value"),
        (
            'map_local: ["|a|/nope/none"]\n',
            ":1:12: option map_local: |a|/nope/none: cannot find /nope/none: no such file",
        ),
        ('modify_body: ["|a|@/dev/zero"]\n', "cannot read /dev/zero: it is no regular file"),
        ('map_remote: ["|a|\\\\1"]\n', ":1:13: option map_remote: |a|\\1: in the replacement: invalid group reference"),
        ("map_remote: &a [*a]\n", "config.yaml:1:"),
        ("stickycookie: ~zz\n", "option stickycookie: column 1: ~zz is no operator"),
        (f"modify_body: ['/{'a' * 2_000_000}/b/']\n", "config.yaml: larger than 262,144 bytes"),
        (f"modify_body: ['/{'a' * 200_000}']\n", "a… is no rule: it begins with a separator"),
    ],
)
async def test_a_rule_that_is_none(confdir: Path, text: str, says: str) -> None:
    confdir.mkdir(mode=0o700)
    (confdir / "config.yaml").write_text(text)
    async with started(confdir, "--listen-host", "127.0.0.1", "-p", "0") as program:
        assert await program.ended() == 1, program.printed()
        assert program.lines == []
        assert len(program.errors) == 1
        assert says in program.errors[0]
        assert len(program.errors[0]) < 600
