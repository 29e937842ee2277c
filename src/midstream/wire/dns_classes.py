"""Classes of DNS records (RFC 1035 §3.2.4).

Constants, and their names for people; `CLASS(n)` stands for a number without a name.
"""

IN = 1
CH = 3
HS = 4
NONE = 254
ANY = 255

_NAMES: dict[int, str] = {
    IN: "IN",
    CH: "CH",
    HS: "HS",
    NONE: "NONE",
    ANY: "ANY",
}
_NUMBERS: dict[str, int] = {name: number for number, name in _NAMES.items()}


def to_str(class_: int) -> str:
    """The name of a number."""
    return _NAMES.get(class_, f"CLASS({class_})")


def from_str(name: str) -> int:
    """The number of a name. Raises ValueError when it is none."""
    if name in _NUMBERS:
        return _NUMBERS[name]
    number = name.removeprefix("CLASS(").removesuffix(")")
    if name == f"CLASS({number})" and number.isascii() and number.isdigit() and len(number) <= 5:
        return int(number)
    raise ValueError(f"{name!r} is no DNS class")
