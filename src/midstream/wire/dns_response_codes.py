"""Response codes of DNS messages (RFC 6895 §2.3).

Constants, and their names for people; `RCODE(n)` stands for a number without a name.
"""

NOERROR = 0
FORMERR = 1
SERVFAIL = 2
NXDOMAIN = 3
NOTIMP = 4
REFUSED = 5
YXDOMAIN = 6
YXRRSET = 7
NXRRSET = 8
NOTAUTH = 9
NOTZONE = 10
DSOTYPENI = 11

_NAMES: dict[int, str] = {
    NOERROR: "NOERROR",
    FORMERR: "FORMERR",
    SERVFAIL: "SERVFAIL",
    NXDOMAIN: "NXDOMAIN",
    NOTIMP: "NOTIMP",
    REFUSED: "REFUSED",
    YXDOMAIN: "YXDOMAIN",
    YXRRSET: "YXRRSET",
    NXRRSET: "NXRRSET",
    NOTAUTH: "NOTAUTH",
    NOTZONE: "NOTZONE",
    DSOTYPENI: "DSOTYPENI",
}
_NUMBERS: dict[str, int] = {name: number for number, name in _NAMES.items()}
# The HTTP status that says about the same, so that lists can colour both alike.
_STATUS: dict[int, int] = {
    NOERROR: 200,
    FORMERR: 400,
    SERVFAIL: 500,
    NXDOMAIN: 404,
    NOTIMP: 501,
    REFUSED: 403,
    YXDOMAIN: 409,
    YXRRSET: 409,
    NXRRSET: 410,
    NOTAUTH: 401,
    NOTZONE: 404,
    DSOTYPENI: 501,
}


def to_str(response_code: int) -> str:
    """The name of a number."""
    return _NAMES.get(response_code, f"RCODE({response_code})")


def from_str(name: str) -> int:
    """The number of a name. Raises ValueError when it is none."""
    if name in _NUMBERS:
        return _NUMBERS[name]
    number = name.removeprefix("RCODE(").removesuffix(")")
    if name == f"RCODE({number})" and number.isascii() and number.isdigit() and len(number) <= 5:
        return int(number)
    raise ValueError(f"{name!r} is no DNS response code")


def http_equiv_status_code(response_code: int) -> int:
    """The HTTP status that comes closest."""
    return _STATUS.get(response_code, 500)
