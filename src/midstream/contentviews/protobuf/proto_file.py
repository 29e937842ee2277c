"""A reader of `.proto` files (protobuf.dev/reference/protobuf/proto3-spec, proto2 and editions as well): what names the
fields, their kinds and the methods of services. Options that change nothing of this are passed over.

Own code and no compiler: protoc is a program of its own, and its package for Python has 20 MB.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from midstream.contentviews.protobuf.types import SCALARS, Definitions, EnumType, FieldType, MessageType

_TOKEN = re.compile(
    r"\s+|//[^\n]*|/\*.*?\*/"
    r"|(?P<token>\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|\.?[A-Za-z_][\w.]*|[0-9][\w.]*|.)",
    re.DOTALL,
)
_OPENING = {"{": "}", "[": "]", "(": ")", "<": ">"}
_LABELS = ("optional", "required", "repeated")
_DEEPEST = 40


@dataclass(slots=True)
class ProtoFile:
    """One file as it was read; types are found in `Definitions.link` when all files are there."""

    package: str = ""
    has_packed: bool = False  # unless a field says otherwise
    imports: list[str] = field(default_factory=list)
    links: list[tuple[FieldType, str]] = field(default_factory=list)
    methods: list[tuple[str, str, str, str]] = field(default_factory=list)  # path, request, response, scope
    extensions: list[tuple[str, str, FieldType]] = field(default_factory=list)  # extended message, scope, field


def read(text: str, name: str, definitions: Definitions) -> ProtoFile:
    """Put the messages and enums of a file into `definitions`. ValueError with the place of what is wrong."""
    return _Parser(text, name, definitions).file()


class _Parser:
    def __init__(self, text: str, name: str, definitions: Definitions) -> None:
        self._name = name
        self._definitions = definitions
        self._tokens: list[tuple[str, int]] = []
        line = 1
        for match in _TOKEN.finditer(text):
            if match["token"] is not None:
                self._tokens.append((match["token"], line))
            line += match[0].count("\n")
        self._at = 0
        self._file = ProtoFile()

    def file(self) -> ProtoFile:
        while self._at < len(self._tokens):
            word = self._take()
            if word in ("syntax", "edition"):
                self._expect("=")
                self._file.has_packed = self._string() != "proto2"
                self._expect(";")
            elif word == "package":
                self._file.package = self._take()
                self._expect(";")
            elif word == "import":
                if self._peek() in ("public", "weak", "option"):
                    self._at += 1
                self._file.imports.append(self._string())
                self._expect(";")
            elif word == "service":
                self._service()
            else:
                self._declaration(word, self._file.package, 0)
        return self._file

    def _declaration(self, word: str, scope: str, depth: int) -> None:
        """What may stand in a file and in a message."""
        if word == "message":
            self._message(self._take(), scope, depth)
        elif word == "enum":
            self._enum(scope)
        elif word == "extend":
            self._extend(scope, depth)
        elif word in ("option", "reserved", "extensions"):
            self._skip_statement()
        elif word not in (";", "export", "local"):
            raise self._wrong(f"{word!r} begins nothing that may stand here")

    def _message(self, name: str, scope: str, depth: int) -> MessageType:
        if depth > _DEEPEST:
            raise self._wrong(f"messages are nested deeper than {_DEEPEST} levels")
        full = f"{scope}.{name}" if scope else name
        message = self._definitions.messages[full] = MessageType(full)
        self._expect("{")
        self._body(message, full, depth)
        return message

    def _body(self, message: MessageType, scope: str, depth: int) -> None:
        while (word := self._take()) != "}":
            if word == "oneof":
                self._at += 1
                self._expect("{")
                self._body(message, scope, depth)
            elif word in ("message", "enum", "extend") and self._peek(1) == "{":
                self._declaration(word, scope, depth + 1)
            elif word == "option" or (word in ("reserved", "extensions") and self._peek(1) != "="):
                self._skip_statement()
            elif word != ";":
                message.add(self._field(word, scope, depth))

    def _field(self, word: str, scope: str, depth: int) -> FieldType:
        is_repeated = word == "repeated"
        if word in _LABELS:
            word = self._take()
        if word == "group":
            return self._group(is_repeated, scope, depth)
        if word == "map" and self._peek() == "<":
            return self._map(scope)
        one = FieldType(0, self._take(), word if word in SCALARS else "", is_repeated, type_name=word)
        self._expect("=")
        one.number = self._integer()
        packed = self._field_options()
        can_be_packed = is_repeated and word not in ("string", "bytes")
        one.is_packed = can_be_packed and (self._file.has_packed if packed is None else packed)
        if not one.kind:
            self._file.links.append((one, scope))
        self._expect(";")
        return one

    def _group(self, is_repeated: bool, scope: str, depth: int) -> FieldType:
        name = self._take()
        self._expect("=")
        number = self._integer()
        self._field_options()
        message = self._message(name, scope, depth + 1)
        return FieldType(number, name.lower(), "group", is_repeated, message=message)

    def _map(self, scope: str) -> FieldType:
        self._expect("<")
        key = self._take()
        self._expect(",")
        value = self._take()
        self._expect(">")
        name = self._take()
        self._expect("=")
        number = self._integer()
        self._field_options()
        self._expect(";")
        entry = MessageType(f"{scope}.{name}.Entry", is_map_entry=True)
        entry.add(FieldType(1, "key", key if key in SCALARS else "", type_name=key))
        entry.add(FieldType(2, "value", value if value in SCALARS else "", type_name=value))
        if not entry.fields[2].kind:
            self._file.links.append((entry.fields[2], scope))
        return FieldType(number, name, "message", True, message=entry)

    def _field_options(self) -> bool | None:
        """What `[packed = …]` says, None if nothing."""
        packed = None
        if self._peek() == "[":
            start = self._at
            self._skip_balanced()
            words = [word for word, _ in self._tokens[start : self._at]]
            for at, word in enumerate(words[:-2]):
                if word == "packed" and words[at + 1] == "=":
                    packed = words[at + 2] == "true"
                elif word == "features.repeated_field_encoding" and words[at + 1] == "=":
                    packed = words[at + 2] == "PACKED"
        return packed

    def _enum(self, scope: str) -> None:
        name = self._take()
        full = f"{scope}.{name}" if scope else name
        enum = self._definitions.enums[full] = EnumType(full)
        self._expect("{")
        while (word := self._take()) != "}":
            if word in ("option", "reserved") and self._peek() != "=":
                self._skip_statement()
            elif word != ";":  # the name of a value may be any word
                self._expect("=")
                enum.add(word, self._integer())
                self._field_options()
                self._expect(";")

    def _extend(self, scope: str, depth: int) -> None:
        extended = self._take()
        self._expect("{")
        while (word := self._take()) != "}":
            if word != ";":
                self._file.extensions.append((extended, scope, self._field(word, scope, depth)))

    def _service(self) -> None:
        package = self._file.package
        name = self._take()
        service = f"{package}.{name}" if package else name
        self._expect("{")
        while (word := self._take()) != "}":
            if word == "rpc":
                method, given = self._take(), self._method_type()
                self._expect("returns")
                self._file.methods.append((f"/{service}/{method}", given, self._method_type(), package))
                if self._peek() == "{":
                    self._skip_balanced()
            elif word == "option":
                self._skip_statement()
            elif word != ";":
                raise self._wrong(f"{word!r} begins nothing that may stand in a service")

    def _method_type(self) -> str:
        self._expect("(")
        word = self._take()
        if word == "stream" and self._peek() != ")":
            word = self._take()
        self._expect(")")
        return word

    # --- tokens ---

    def _peek(self, ahead: int = 0) -> str:
        at = self._at + ahead
        return self._tokens[at][0] if at < len(self._tokens) else ""

    def _take(self) -> str:
        if self._at >= len(self._tokens):
            raise self._wrong("the file ends too early")
        self._at += 1
        return self._tokens[self._at - 1][0]

    def _expect(self, token: str) -> None:
        taken = self._take()
        if taken != token:
            raise self._wrong(f"there must be {token!r} here, and not {taken!r}")

    def _string(self) -> str:
        taken = self._take()
        if taken[0] not in "\"'":
            raise self._wrong(f"there must be a text in quotes here, and not {taken!r}")
        return taken[1:-1]

    def _integer(self) -> int:
        taken = self._take()
        sign = -1 if taken == "-" else 1
        digits = self._take() if taken in "+-" else taken
        try:
            is_octal = len(digits) > 1 and digits.isdigit() and digits[0] == "0"
            return sign * (int(digits, 8) if is_octal else int(digits[:40], 0))
        except ValueError:
            raise self._wrong(f"there must be a number here, and not {digits!r}") from None

    def _skip_statement(self) -> None:
        while (token := self._peek()) != ";":
            if token in _OPENING:
                self._skip_balanced()
            else:
                self._take()
        self._at += 1

    def _skip_balanced(self) -> None:
        closing: list[str] = []
        while True:
            token = self._take()
            # Angle brackets stand for messages in the values of some options, but not where braces are.
            if token in ("{", "[", "("):
                closing.append(_OPENING[token])
            elif closing and token == closing[-1]:
                closing.pop()
                if not closing:
                    return
            elif not closing:
                return

    def _wrong(self, why: str) -> ValueError:
        line = self._tokens[min(self._at, len(self._tokens)) - 1][1] if self._tokens else 1
        return ValueError(f"{self._name}:{line}: {why if len(why) < 300 else why[:300] + ' …'}")
