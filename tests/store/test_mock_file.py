"""Files of mock rules: what is read, what is refused and where, and that writing keeps what people wrote."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.filters import parse
from midstream.store.formats.mock_file import LARGEST_FILE, LONGEST_TEXT, MockFile, MockFileError, MockRule

RULES = """\
# for the demo
- name: items
  filter: ~m ^GET$ ~u "/items$"   # only the list
  status: 404
  headers:
  - [Content-Type, text/plain]
  - [X-A, '1']
  body: |
    two
    lines
- filter: ~u /off
  enabled: false
  headers: {x-b: b}
  body_file: big.bin
"""


def read(tmp_path: Path, text: str | bytes) -> MockFile:
    path = tmp_path / "mocks.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    file = MockFile(path)
    file.read()
    return file


def test_what_a_rule_says(tmp_path: Path) -> None:
    (tmp_path / "big.bin").write_bytes(b"\0\xff")
    first, second = read(tmp_path, RULES).rules
    assert (first.name, first.status, first.reason, first.enabled) == ("items", 404, "Not Found", True)
    assert first.headers == ((b"Content-Type", b"text/plain"), (b"X-A", b"1"))
    assert first.body == b"two\nlines\n"
    assert (second.enabled, second.headers, second.body) == (False, ((b"x-b", b"b"),), b"\0\xff")


def test_writing_keeps_comments_and_changes_only_what_changed(tmp_path: Path) -> None:
    (tmp_path / "big.bin").write_bytes(b"\0\xff")
    file = read(tmp_path, RULES)
    file.rules[1].enabled = True
    file.rules.append(MockRule(parse("~u /new"), 201, "Created", ((b"a", b"b"),), b"{}", name="new"))
    text, bodies = file.write(tmp_path / "mocks.yaml")
    assert text.decode().startswith(RULES.replace("enabled: false", "enabled: true"))
    assert "- name: new" in text.decode()
    assert "  - [a, b]" in text.decode()
    assert not bodies  # they are there
    assert file.write(tmp_path / "other" / "mocks.yaml")[1] == {tmp_path / "other" / "big.bin": b"\0\xff"}
    again = read(tmp_path, text)
    assert [rule.enabled for rule in again.rules] == [True, True, True]
    assert again.rules[2].body == b"{}"


NAME, REASON = "it's: #1 \udce9 \x1b", "Fine \udce9"
HEADERS = ((b"X", b"\xe9"), (b"x", "\xe9\u202e".encode()), (b"x-y", b" a: #'\"\x1b"), (b"x-n", b"12"), (b"x-t", b"yes"))


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_body_is_read_again(tmp_path_factory: pytest.TempPathFactory, body: bytes) -> None:
    folder = tmp_path_factory.mktemp("rules")
    file = MockFile()
    file.rules.append(MockRule(parse('~u "a\\"b"'), 299, REASON, HEADERS, body, name=NAME))
    text, bodies = file.write(folder / "mocks.yaml")
    for path, data in bodies.items():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    (rule,) = read(folder, text).rules
    assert (rule.body, rule.status, rule.reason, rule.name) == (body, 299, REASON, NAME)
    assert rule.headers == HEADERS
    assert rule.filter.pattern == '~u "a\\"b"'


def test_long_bodies_have_files_of_their_own(tmp_path: Path) -> None:
    file = MockFile()
    file.rules.append(MockRule(parse("~all"), body=b"x" * (LONGEST_TEXT + 1)))
    text, bodies = file.write(tmp_path / "mocks.yaml")
    (path,) = bodies
    assert path.parent == tmp_path / "mocks.bodies"
    assert len(text) < 500


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: 1", "mocks.yaml:1:1: expected a list of rules"),
        ("- a", "mocks.yaml:1:3: a rule has lines such as"),
        ("- status: 200", "mocks.yaml:1:3: the rule needs a filter"),
        ("- filter: '~x ('", "mocks.yaml:1:11: "),
        ("- filter: ~all\n  statsu: 1", "mocks.yaml:2:3: a rule has no 'statsu', but name, filter"),
        ("- filter: ~all\n  status: 100", "mocks.yaml:2:11: status is a number from 200 to 599"),
        ("- filter: ~all\n  enabled: maybe", "mocks.yaml:2:12: enabled is true or false"),
        ("- filter: ~all\n  headers: x", "mocks.yaml:2:12: headers are lines such as"),
        ("- filter: ~all\n  headers: [[a]]", "headers are lines such as"),
        ('- filter: ~all\n  headers: [[a, "b\\r\\nc: d"]]', "no header may hold a line break"),
        ("- filter: ~all\n  body: a\n  body_file: b", "body or body_file, not both"),
        ("- filter: ~all\n  body_file: ../../etc/passwd", "is not in the folder of the rules"),
        ("- filter: ~all\n  body_file: /etc/passwd", "is not in the folder of the rules"),
        ("- filter: ~all\n  body_file: none.bin", "none.bin: No such file"),
        ("- filter: ~all\n  body: !!python/name:os.system ''", "tags such as !!python/name:os.system"),
        ("- filter: ~all\n  filter: ~u a", "mocks.yaml:2:3: filter stands here twice"),
        ("- &a [*a]", "a rule has lines such as"),
        ("- filter: [", "mocks.yaml:"),
        ("#" * (LARGEST_FILE + 1), "larger than 262,144 bytes"),
        (b"- \xff", "the file is not UTF-8"),
    ],
)
def test_what_is_refused(tmp_path: Path, text: str | bytes, says: str) -> None:
    with pytest.raises(MockFileError) as caught:
        read(tmp_path, text)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_link_leads_out_of_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    folder.mkdir()
    (tmp_path / "secret").write_text("secret")
    (folder / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(MockFileError, match="not in the folder"):
        read(folder, "- filter: ~all\n  body_file: link")


def test_a_pipe_is_no_body(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(MockFileError, match="no ordinary file"):
        read(tmp_path, "- filter: ~all\n  body_file: pipe")


def test_a_body_is_looked_at_once(tmp_path: Path) -> None:
    made = MockFile(tmp_path / "mocks.yaml")
    made.rules = [MockRule(parse("~all"), body=b"x" * 20_000_000)]
    text, bodies = made.write(tmp_path / "mocks.yaml")
    assert [len(body) for body in bodies.values()] == [20_000_000]
    assert made.write(tmp_path / "mocks.yaml")[0] == text
