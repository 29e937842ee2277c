"""WBXML (W3C NOTE-wbxml-19990624) as XML: the tokens of the format, with the names of wbxml_names.py.

Called by the WBXML view. A number that has no name here is shown as one (`tag-0-05`), and so is what was binary.
"""

from __future__ import annotations

from collections.abc import Iterator

from midstream.contentviews import wbxml_names as names

DEEPEST = 64
_SWITCH_PAGE, _END, _ENTITY, _STR_I, _LITERAL = 0x00, 0x01, 0x02, 0x03, 0x04
_PI, _STR_T, _OPAQUE = 0x43, 0x83, 0xC3
_EXT_I, _EXT_T, _EXT = (0x40, 0x41, 0x42), (0x80, 0x81, 0x82), (0xC0, 0xC1, 0xC2)
_HAS_ATTRIBUTES, _HAS_CONTENT, _IDENTITY = 0x80, 0x40, 0x3F
_SI, _SL = 5, 6
_PUBLIC_SI, _PUBLIC_SL = b"-//WAPFORUM//DTD SI", b"-//WAPFORUM//DTD SL"
# Numbers of charsets (IANA MIBenum), as far as such documents use them.
_CHARSETS = {0: "utf-8", 3: "ascii", 4: "iso-8859-1", 106: "utf-8", 1000: "utf-16-be", 1015: "utf-16"}
_STEP = 64 * 1024  # characters
_TOKEN_WORK = 100
_MOST_ATTRIBUTES = 1000  # of a tag, and half as many thousand characters in them
_LONGEST_TEXT = 64 * 1024  # of one in the table, which may be named again and again
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_QUOTED = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "&#10;"})
_LARGEST_OPAQUE = 64 * 1024


def to_xml(data: bytes) -> Iterator[str | None]:
    """The document in pieces, and None after each step of work. ValueError for what is no WBXML."""
    return _Document(data).pieces()


class _Document:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._pos = 0
        version = self._byte()
        if version > 3:
            raise ValueError(f"it begins with {version:#04x}, which is no version of WBXML")
        public = self._number()
        public_at = self._number() if public == 0 else None
        charset = self._number() if version else 106
        self._charset = _CHARSETS.get(charset, "")
        if not self._charset:
            raise ValueError(f"it is in the charset {charset}, which is not read here")
        length = self._number()
        self._strings = self._taken(length)
        named = self._strings[public_at : public_at + 40] if public_at is not None else b""
        self._is_si = public == _SI or named.startswith(_PUBLIC_SI)
        self._is_sl = public == _SL or named.startswith(_PUBLIC_SL)
        self._page = self._attribute_page = 0
        self._open: list[tuple[str, int]] = []  # tag and page
        self._inline = False  # the line has content; what follows stands on it

    # --- bytes ---

    def _byte(self) -> int:
        if self._pos >= len(self._data):
            raise ValueError("the document ends too early")
        self._pos += 1
        return self._data[self._pos - 1]

    def _number(self) -> int:
        value = 0
        for _ in range(5):
            byte = self._byte()
            value = value << 7 | byte & 0x7F
            if byte < 0x80:
                return value
        raise ValueError(f"the number before byte {self._pos} has no end")

    def _taken(self, length: int) -> bytes:
        if length > len(self._data) - self._pos:
            raise ValueError(f"{length:,} bytes are announced at byte {self._pos}, more than there are")
        self._pos += length
        return self._data[self._pos - length : self._pos]

    def _text(self) -> str:
        wide = self._charset.startswith("utf-16")
        end = self._data.find(b"\0\0" if wide else b"\0", self._pos)
        if end < 0:
            raise ValueError(f"the text at byte {self._pos} has no end")
        end += wide and (end - self._pos) % 2
        text = self._data[self._pos : end]
        self._pos = end + (2 if wide else 1)
        return text.decode(self._charset, "backslashreplace")

    def _from_table(self) -> str:
        start = self._number()
        if start >= max(len(self._strings), 1):
            raise ValueError(f"there is no text {start} in the table")
        end = self._strings.find(b"\0", start)
        end = min(end if end >= 0 else len(self._strings), start + _LONGEST_TEXT)
        return self._strings[start:end].decode(self._charset, "backslashreplace")

    # --- tokens ---

    def pieces(self) -> Iterator[str | None]:
        yield '<?xml version="1.0"?>\n'
        work = 0
        while self._pos < len(self._data):
            for piece in self._token(self._byte()):
                work += len(piece)
                yield piece
            work += _TOKEN_WORK
            if work > _STEP:
                work = 0
                yield None
        if self._open:
            raise ValueError(f"the document ends inside of {self._open[-1][0]}")
        yield "" if not self._inline else "\n"

    def _token(self, token: int) -> Iterator[str]:
        if token == _SWITCH_PAGE:
            self._page = self._byte()
        elif token == _END:
            yield self._end()
        elif token == _PI:
            self._attribute()
            while self._data[self._pos : self._pos + 1] not in (b"\x01", b""):
                self._attribute_value()
            self._pos += 1
        elif (piece := self._character_data(token)) is not None:
            if not self._open:
                raise ValueError(f"byte {self._pos - 1} is text outside of any tag")
            self._inline = True
            yield piece
        else:
            yield from self._begin(token)

    def _character_data(self, token: int) -> str | None:
        if token == _STR_I:
            return self._text().translate(_ESCAPES)
        if token == _STR_T:
            return self._from_table().translate(_ESCAPES)
        if token == _ENTITY:
            return f"&#{self._number()};"
        if token == _OPAQUE:
            return _opaque(self._taken(self._number()))
        if token in _EXT_I:
            return f"<!-- extension {token & 3}: -->{self._text().translate(_ESCAPES)}"
        if token in _EXT_T:
            return f"<!-- extension {token & 3}: {self._number()} -->"
        return f"<!-- extension {token & 3} -->" if token in _EXT else None

    def _begin(self, token: int) -> Iterator[str]:
        if len(self._open) >= DEEPEST:
            raise ValueError(f"tags are nested deeper than {DEEPEST} levels")
        tag = self._from_table() if token & _IDENTITY == _LITERAL else self._tag(token & _IDENTITY)
        tag = _name(tag)
        outer = self._open[-1][1] if self._open else None
        space = "" if self._inline else "  " * len(self._open)
        lead = "\n" if self._open and not self._inline else ""
        has_names = not self._is_si and not self._is_sl
        namespace = f' xmlns="{self._namespace()}"' if has_names and self._page != outer else ""
        attributes = "".join(self._attributes()) if token & _HAS_ATTRIBUTES else ""
        if token & _HAS_CONTENT:
            yield f"{lead}{space}<{tag}{namespace}{attributes}>"
            self._open.append((tag, self._page))
            self._inline = False
            self._has_child = False
        else:
            yield f"{lead}{space}<{tag}{namespace}{attributes}/>"
            self._has_child = True
            if not self._open:
                yield "\n"

    _has_child = False  # the tag that ends next has tags in it

    def _end(self) -> str:
        if not self._open:
            raise ValueError(f"byte {self._pos - 1} ends a tag that has not begun")
        tag, _ = self._open.pop()
        lead = f"\n{'  ' * len(self._open)}" if self._has_child and not self._inline else ""
        self._has_child, self._inline = True, False
        return f"{lead}</{tag}>" + ("" if self._open else "\n")

    def _tag(self, number: int) -> str:
        if self._is_si or self._is_sl:
            known = names.SERVICE_INDICATION if self._is_si else names.SERVICE_LOADING
        else:
            known = names.TAGS[self._page] if self._page < len(names.TAGS) else {}
        return known.get(number, f"tag-{self._page}-{number:02x}")

    def _namespace(self) -> str:
        return names.PAGE_NAMES[self._page] if self._page < len(names.PAGE_NAMES) else f"page-{self._page}"

    # --- attributes ---

    def _attributes(self) -> Iterator[str]:
        quote = ""
        count = length = 0
        while (token := self._byte()) != _END:
            self._pos -= 1
            count += 1
            if count > _MOST_ATTRIBUTES or length > 500 * _MOST_ATTRIBUTES:
                raise ValueError("a tag has more attributes than are read")
            if (begun := self._attribute()) is not None:
                length += len(begun[0])
                yield f'{quote} {_name(begun[0])}="{begun[1].translate(_QUOTED)}'
                quote = '"'
            elif token != _SWITCH_PAGE:
                value = self._attribute_value().translate(_QUOTED)
                length += len(value)
                yield value if quote else f' value="{value}'
                quote = '"'
        yield quote

    def _attribute(self) -> tuple[str, str] | None:
        """The name of an attribute and the beginning of its value; None if something else stands here."""
        token = self._byte()
        if token == _SWITCH_PAGE:
            self._attribute_page = self._byte()
            return None
        if token == _LITERAL:
            return self._from_table(), ""
        if token >= 0x80 or token in (_ENTITY, _STR_I, *_EXT_I):
            self._pos -= 1
            return None
        starts = names.INDICATION_STARTS if self._is_si else names.LOADING_STARTS if self._is_sl else {}
        return starts.get(token, (f"attribute-{self._attribute_page}-{token:02x}", ""))

    def _attribute_value(self) -> str:
        token = self._byte()
        if token == _STR_I:
            return self._text()
        if token == _STR_T:
            return self._from_table()
        if token == _ENTITY:
            number = self._number()
            return chr(number) if number < 0x110000 else "\ufffd"
        if token == _OPAQUE:
            return self._taken(self._number()).hex()
        if token in _EXT_I:
            return self._text()
        if token in _EXT_T:
            return f"({self._number()})"
        if token == _SWITCH_PAGE:
            self._attribute_page = self._byte()
            return ""
        return names.ENDINGS.get(token, f"({token:02x})")


def _name(text: str) -> str:
    """A name of the document's own, without what no name may have."""
    return "".join(char if char.isalnum() or char in "_.-:" else "_" for char in text[:200]) or "_"


def _opaque(content: bytes) -> str:
    try:
        text = content.decode("utf-8")
        if text.replace("\n", "").replace("\r", "").replace("\t", "").isprintable():
            return text.translate(_ESCAPES)
    except UnicodeDecodeError:
        pass
    more = f" … {len(content):,} bytes" if len(content) > _LARGEST_OPAQUE else ""
    return f"<!-- binary -->{content[:_LARGEST_OPAQUE].hex()}{more}"
