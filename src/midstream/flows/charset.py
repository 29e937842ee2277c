"""Guesses which character encoding a body is written in.

Used by `Message.text` for both directions. The order is that of browsers: byte order mark, then header, then what the
document says of itself, then what its kind defaults to.
"""

import codecs
import encodings
import encodings.aliases
import pkgutil
import re
from functools import cache

_META = re.compile(rb"<meta[^>]+charset=[\"']?([^\"'>/\s]+)", re.IGNORECASE)
_XML = re.compile(rb"<\?xml[^>]+encoding=[\"']([^\"'?>]+)[\"'].*?\?>", re.IGNORECASE)
_CSS = re.compile(rb"@charset \"([^\"]+)\";", re.IGNORECASE)

# Declarations stand at the start (HTML: within 1024 bytes). A longer search would be a regex over bodies.
_LOOK_AT = 2048

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

ContentType = tuple[str, str, dict[str, str]]


def parse_content_type(value: str) -> ContentType | None:
    """Split `text/html; charset=UTF-8` into ("text", "html", {"charset": "UTF-8"}); None when it is no such thing."""
    kind, _, rest = value.partition(";")
    main, slash, sub = kind.strip().lower().partition("/")
    if not (main and slash and sub):
        return None
    parameters = {}
    for part in rest.split(";"):
        name, equals, parameter = part.partition("=")
        if equals:
            parameters[name.strip().lower()] = parameter.strip()
    return main, sub, parameters


def assemble_content_type(main: str, sub: str, parameters: dict[str, str]) -> str:
    """The opposite of `parse_content_type`."""
    return "; ".join([f"{main}/{sub}", *(f"{name}={value}" for name, value in parameters.items())])


def guess(content_type: str, content: bytes, bom: bool = True) -> str:
    """The name of an encoding, perhaps one that Python does not know. `bom=False` ignores a byte order mark."""
    if bom:
        for mark, encoding in _BOMS:
            if content.startswith(mark):
                return encoding
    parsed = parse_content_type(content_type)
    encoding = parsed[2].get("charset", "").strip("\"'") if parsed else ""
    # gb18030 contains both and decodes what pages that claim them really hold (WHATWG Encoding does the same).
    encoding = encoding or _declared(content_type.lower(), content[:_LOOK_AT]) or "latin-1"
    return "gb18030" if encoding.lower() in ("gb2312", "gbk") else encoding


def _declared(content_type: str, start: bytes) -> str | None:
    if "json" in content_type:
        return "utf8"
    if "html" in content_type:
        return _first(_META, start) or "utf8"
    if "xml" in content_type:
        return _first(_XML, start) or "utf8"
    if "javascript" in content_type or "ecmascript" in content_type:
        return "utf8"
    if "text/css" in content_type:
        return _first(_CSS, start) or "utf8"
    return None


def _first(pattern: re.Pattern[bytes], start: bytes) -> str | None:
    match = pattern.search(start)
    return match[1].decode("ascii", "replace") if match else None


# Codecs of text, but of names and source code: no body is written in them, and some take quadratic time to decode.
_NEVER = frozenset({"idna", "punycode", "raw_unicode_escape", "undefined", "unicode_escape"})


@cache
def _known_codecs() -> frozenset[str]:
    """Every name under which Python has an encoding. Asking `codecs` for others would remember each one forever."""
    modules = {module.name for module in pkgutil.iter_modules(encodings.__path__)}
    return frozenset({*modules, *encodings.aliases.aliases} - _NEVER)


def is_text_codec(encoding: str) -> bool:
    """Whether Python knows this as an encoding of text; hex, zip and the like are codecs too, but no charsets."""
    if encodings.normalize_encoding(encoding).lower() not in _known_codecs():
        return False
    try:
        codec = codecs.lookup(encoding)
    except (LookupError, ValueError):  # a module of that name may be something else, or of another system
        return False
    # `_is_text_encoding` is how str.encode itself tells; there is no public way.
    return codec.name not in _NEVER and bool(getattr(codec, "_is_text_encoding", True))
