"""Operation codes of DNS messages (RFC 6895 §2.2).

Constants, and their names for people; `OPCODE(n)` stands for a number without a name.
"""

QUERY = 0
IQUERY = 1
STATUS = 2
NOTIFY = 4
UPDATE = 5
DSO = 6

_NAMES: dict[int, str] = {
    QUERY: "QUERY",
    IQUERY: "IQUERY",
    STATUS: "STATUS",
    NOTIFY: "NOTIFY",
    UPDATE: "UPDATE",
    DSO: "DSO",
}
_NUMBERS: dict[str, int] = {name: number for number, name in _NAMES.items()}


def to_str(op_code: int) -> str:
    """The name of a number."""
    return _NAMES.get(op_code, f"OPCODE({op_code})")


def from_str(name: str) -> int:
    """The number of a name. Raises ValueError when it is none."""
    if name in _NUMBERS:
        return _NUMBERS[name]
    number = name.removeprefix("OPCODE(").removesuffix(")")
    if name == f"OPCODE({number})" and number.isascii() and number.isdigit() and len(number) <= 5:
        return int(number)
    raise ValueError(f"{name!r} is no DNS operation code")
