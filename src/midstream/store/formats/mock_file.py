"""Files of mock rules: answers to requests that match a filter, as YAML that people read and write.

    - name: the list of items
      filter: ~m ^GET$ ~u "^https://api\\\\.example/items$"
      enabled: true
      host: api.example:443        # not connected to while the rule is on, so that it need not exist
      status: 200
      headers:
      - [content-type, application/json]
      body: '{"items": []}'

`body` is text, `body_file` a file beside this one. Called by the addon mocks, which knows what the rules do. Comments
and the order of a file are kept when it is written again. MockFileError: what is wrong, with file, line and column.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from midstream.filters import FilterError, parse
from midstream.filters.filter import Filter
from midstream.flows.headers import HeaderFields, to_str
from midstream.flows.headers import field as header_field
from midstream.flows.response import reason_phrase
from midstream.hub import yaml_nodes
from midstream.hub.yaml_nodes import BadYaml

LARGEST_FILE: Final = 256 * 1024
"""Bytes; larger bodies have files of their own."""
LARGEST_BODY: Final = 64 * 1024 * 1024
"""Bytes of such a file."""
LONGEST_TEXT: Final = 4096
"""Characters of a body that stands in the rules themselves."""

_KEYS: Final = ("name", "filter", "enabled", "host", "status", "reason", "headers", "body", "body_file")


class MockFileError(ValueError):
    """A file that cannot be read as rules; the message says where and what."""


@dataclass(slots=True, eq=False)
class MockRule:
    """One rule; two of the same content are two. `hits` counts its answers, and is in no file."""

    filter: Filter
    status: int = 200
    reason: str = ""
    headers: HeaderFields = ()
    body: bytes = b""
    name: str = ""
    host: str = ""
    enabled: bool = True
    hits: int = 0
    node: Any = field(default=None, repr=False)
    """Where it stands in the document that is written again, comments and all."""


class MockFile:
    """The rules of one file, or of none yet."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self.rules: list[MockRule] = []
        self._document: Any = None
        self._stamp: tuple[int, int] | None = None

    def read(self) -> None:
        """Read the file. MockFileError: the rules are those of before."""
        assert self.path is not None
        try:
            stamp = _stamp(self.path)
            text = yaml_nodes.read_text(self.path, LARGEST_FILE)
            root = yaml_nodes.compose(text, str(self.path))
        except BadYaml as error:
            raise MockFileError(str(error)) from None
        nodes = _items(root, str(self.path))
        rules = [_rule(node, self.path) for node in nodes]
        document = _yaml().load(text) if nodes else None
        for rule, node in zip(rules, document or (), strict=True):
            rule.node = node
        self.rules, self._document, self._stamp = rules, document, stamp

    def is_edited(self) -> bool:
        """Whether somebody else has written the file since it was read or written here."""
        return self.path is not None and _stamp(self.path) not in (None, self._stamp)

    def written(self) -> None:
        """The file holds the rules now."""
        self._stamp = _stamp(self.path) if self.path is not None else None

    def write(self, path: Path) -> tuple[bytes, dict[Path, bytes]]:
        """What the file is to hold, and the files of bodies beside it. MockFileError: it would be too large to read."""
        bodies: dict[Path, bytes] = {}
        document = self._document if self._document is not None else []
        document[:] = [_node(rule, path, bodies) for rule in self.rules]
        if self.path is not None and path.parent == self.path.parent:  # they may have been edited since
            bodies = {file: body for file, body in bodies.items() if not file.exists()}
        out = io.StringIO()
        _yaml().dump(document, out)
        text = out.getvalue().encode("utf-8")
        if len(text) > LARGEST_FILE:
            raise MockFileError(f"{path}: the rules have {len(text):,} bytes, {LARGEST_FILE:,} can be read again")
        return text, bodies


def _yaml() -> Any:
    # Imported here: a start without rules does not pay for the YAML reader.
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.width = LARGEST_FILE  # lines stay as they are
    yaml.preserve_quotes = True
    return yaml


# -- reading ----------------------------------------------------------------------------------------------------------


def _items(root: Any, name: str) -> Sequence[Any]:
    if root is None or str(root.tag).endswith(":null"):
        return []
    if root.id != "sequence":
        raise MockFileError(f"{yaml_nodes.place(name, root)}: expected a list of rules, each with a filter")
    return root.value  # type: ignore[no-any-return]


def _rule(node: Any, path: Path) -> MockRule:
    name = str(path)
    if node.id != "mapping":
        raise MockFileError(f"{yaml_nodes.place(name, node)}: a rule has lines such as 'filter: ~u /items'")
    found: dict[str, Any] = {}
    for key, value in node.value:
        where = yaml_nodes.place(name, key)
        if key.value not in _KEYS:
            raise MockFileError(f"{where}: a rule has no {key.value!r}, but {', '.join(_KEYS)}")
        if key.value in found:
            raise MockFileError(f"{where}: {key.value} stands here twice")
        if tag := yaml_nodes.foreign_tag(value):
            raise MockFileError(f"{yaml_nodes.place(name, value)}: tags such as {tag} are not allowed here")
        found[key.value] = value
    if "filter" not in found:
        raise MockFileError(f"{yaml_nodes.place(name, node)}: the rule needs a filter")
    return _made(found, path)


def _made(found: dict[str, Any], path: Path) -> MockRule:
    name = str(path)
    texts = {key: _text(found[key], key, name) for key in found if key not in ("headers", "enabled", "status")}
    try:
        rule = MockRule(parse(texts["filter"]), name=texts.get("name", ""), host=texts.get("host", ""))
    except FilterError as error:
        raise MockFileError(f"{yaml_nodes.place(name, found['filter'])}: {error}") from None
    if "enabled" in found:
        rule.enabled = _word(found["enabled"], {"true": True, "false": False}, "enabled", name)
    if "status" in found:
        known = {str(status): status for status in range(200, 600)}
        rule.status = _word(found["status"], known, "status", name)
    rule.reason = texts.get("reason", reason_phrase(rule.status))
    if "headers" in found:
        rule.headers = _fields(found["headers"], name)
    if "body" in texts and "body_file" in texts:
        raise MockFileError(f"{yaml_nodes.place(name, found['body'])}: a rule has body or body_file, not both")
    rule.body = texts.get("body", "").encode("utf-8", "surrogateescape")
    if "body_file" in texts:
        rule.body = _body(texts["body_file"], yaml_nodes.place(name, found["body_file"]), path)
    return rule


def _text(node: Any, key: str, name: str) -> str:
    if node.id != "scalar":
        raise MockFileError(f"{yaml_nodes.place(name, node)}: {key} is a text")
    return str(node.value)


def _word(node: Any, known: dict[str, Any], key: str, name: str) -> Any:
    if node.id != "scalar" or str(node.value).lower() not in known:
        wanted = "true or false" if len(known) == 2 else "a number from 200 to 599"
        raise MockFileError(f"{yaml_nodes.place(name, node)}: {key} is {wanted}")
    return known[str(node.value).lower()]


def _fields(node: Any, name: str) -> HeaderFields:
    """A list of pairs, or a mapping."""
    where = yaml_nodes.place(name, node)
    if node.id == "mapping":
        pairs = list(node.value)
    elif node.id == "sequence":
        pairs = [tuple(pair.value) if pair.id == "sequence" else () for pair in node.value]
    else:
        pairs = [()]
    if any(len(pair) != 2 or any(part.id != "scalar" for part in pair) for pair in pairs):
        raise MockFileError(f"{where}: headers are lines such as '- [content-type, text/plain]'")
    try:
        return tuple(header_field(str(key.value), str(value.value)) for key, value in pairs)
    except ValueError as error:
        raise MockFileError(f"{where}: {error}") from None


def _body(text: str, where: str, path: Path) -> bytes:
    folder = path.parent.resolve()
    try:
        file = (folder / text).resolve()
        if not file.is_relative_to(folder):
            raise MockFileError(f"{where}: {text} is not in the folder of the rules")
        return yaml_nodes.read_bytes(file, LARGEST_BODY)
    except BadYaml as error:
        raise MockFileError(f"{where}: {error}") from None
    except (OSError, RuntimeError) as error:  # a loop of links
        raise MockFileError(f"{where}: {text}: {error}") from None


def _stamp(path: Path) -> tuple[int, int] | None:
    """What tells one state of a file from another; None if it is not there."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


# -- writing ----------------------------------------------------------------------------------------------------------


def _node(rule: MockRule, path: Path, bodies: dict[Path, bytes]) -> Any:
    """The entry of a rule: what stands in the file already is kept, but for what can change."""
    if rule.node is not None:
        if rule.node.get("enabled", True) != rule.enabled:
            rule.node["enabled"] = rule.enabled
        kept = rule.node.get("body_file")
        if kept is not None:  # the rules may go to another folder
            bodies[path.parent / str(kept)] = rule.body
        return rule.node
    entry: dict[str, Any] = {"name": rule.name, "filter": rule.filter.pattern, "enabled": rule.enabled}
    if rule.host:
        entry["host"] = rule.host
    entry["status"] = rule.status
    if rule.reason != reason_phrase(rule.status):
        entry["reason"] = rule.reason
    entry["headers"] = [_in_line([to_str(name), to_str(value)]) for name, value in rule.headers]
    text = _plain(rule.body)
    if text is not None:
        entry["body"] = text
    else:
        file = f"{path.stem}.bodies/{hashlib.sha256(rule.body).hexdigest()[:16]}"
        entry["body_file"] = file
        bodies[path.parent / file] = rule.body
    rule.node = entry
    return entry


def _in_line(pair: list[str]) -> Any:
    """`[name, value]` instead of two lines."""
    from ruamel.yaml.comments import CommentedSeq

    made = CommentedSeq(pair)
    made.fa.set_flow_style()
    return made


def _plain(body: bytes) -> str | None:
    """The body as a text that YAML gives back as it is; None for what belongs into a file."""
    if len(body) > 4 * LONGEST_TEXT:
        return None
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return None
    is_plain = all(character.isprintable() or character == "\n" for character in text)
    return text if is_plain and len(text) <= LONGEST_TEXT else None
