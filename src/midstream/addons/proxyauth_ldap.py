"""Credentials that a directory knows: the form `ldap[s]:host[:port]:bind_dn:password:subtree` of the option proxyauth.

Each check is a connection of its own: we bind, look for the one entry whose attribute is the user's name, and bind as
that with the password given. Used by proxyauth_asking.py; what is said is in wire/ldap.py.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from midstream.addons.proxyauth_users import Unavailable, Users
from midstream.flows.errors import OptionsError
from midstream.text.escape import visible
from midstream.text.url import hostport
from midstream.wire import ldap

PATIENCE = 10.0
"""Seconds for one check, from the name of the directory to its last word."""

MOST_ANSWERS = 100
"""Messages for one search: two entries, and what the directory says of other servers."""
LONGEST_REASON = 200

PORTS = {"ldap": 389, "ldaps": 636}
FORM = "ldap[s]:host[:port]:bind_dn:password:subtree[?search_filter_key=attribute]"
_SPEC = re.compile(
    r"(?P<scheme>ldaps?):(?P<host>\[[^\]]+\]|[^:\[\]]+)(?::(?P<port>\d{1,5}))?:(?P<dn>[^:]+):(?P<password>.+)"
    r":(?P<subtree>[^:?]+)(?:\?search_filter_key=(?P<key>[^:?]*))?",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"[A-Za-z][A-Za-z0-9-]*|\d+(\.\d+)+")


@dataclass(frozen=True, slots=True)
class Directory(Users):
    """Where the users are, and as whom we look for them."""

    host: str
    port: int
    with_tls: bool
    dn: str
    password: str = field(repr=False)
    subtree: str
    key: str = "cn"

    @property
    def is_local(self) -> bool:
        """Whether it runs on this machine."""
        return self.host in ("localhost", "127.0.0.1", "::1")

    async def accepts(self, user: str, password: str, address: str = "") -> bool:
        """Whether there is exactly one such user, with this password. Raises Unavailable."""
        if not user or not password:
            # RFC 4513 §5.1.2: with a name and no password a bind succeeds, and proves nothing.
            return False
        async with self._talk() as talk:
            await self._bind(talk)
            names = await talk.find(self.subtree, self.key, user.encode("utf-8", "surrogateescape"))
            return len(names) == 1 and await talk.bind(names[0], password.encode("utf-8", "surrogateescape"))

    async def problem(self) -> str:
        """Only bind as ourselves."""
        try:
            async with self._talk() as talk:
                await self._bind(talk)
        except Unavailable as problem:
            return str(problem)
        return ""

    async def _bind(self, talk: Talk) -> None:
        if not await talk.bind(self.dn, self.password.encode("utf-8", "surrogateescape")):
            raise Unavailable(f"{self._name} does not accept the password of {self.dn}")

    @property
    def _name(self) -> str:
        return f"the LDAP server {hostport('', self.host, self.port)}"

    @asynccontextmanager
    async def _talk(self) -> AsyncIterator[Talk]:
        writer: asyncio.StreamWriter | None = None
        try:
            async with asyncio.timeout(PATIENCE):
                tls = _trust() if self.with_tls else None
                reader, writer = await asyncio.open_connection(self.host, self.port, ssl=tls)
                talk = Talk(reader, writer)
                yield talk
                talk.leave()
        except TimeoutError:
            raise Unavailable(f"{self._name} did not answer within {PATIENCE:g} s") from None
        except (OSError, EOFError) as problem:
            raise Unavailable(f"{self._name} cannot be asked: {_reason(problem)}") from None
        except ldap.Malformed as broken:
            raise Unavailable(f"{self._name} cannot be understood: {broken}") from None
        finally:
            if writer is not None:
                writer.close()


class Talk:
    """One connection to a directory. Its methods raise OSError, EOFError, Malformed, Unavailable."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._heard = b""
        self._number = 0

    async def bind(self, name: str, password: bytes) -> bool:
        """Whether that is the password."""
        self._number += 1
        self._writer.write(ldap.bind_request(self._number, name, password))
        answer = await self._answer()
        if answer.op != ldap.Op.BIND_RESPONSE:
            raise ldap.Malformed("it answers something else than was asked")
        if answer.code not in (ldap.Code.SUCCESS, ldap.Code.INVALID_CREDENTIALS):
            raise _refused(answer)
        return answer.code == ldap.Code.SUCCESS

    async def find(self, base: str, attribute: str, value: bytes) -> list[str]:
        """The names of the entries; of many only some."""
        self._number += 1
        self._writer.write(ldap.search_request(self._number, base, attribute, value, most=2, seconds=int(PATIENCE)))
        names: list[str] = []
        for _ in range(MOST_ANSWERS):
            match answer := await self._answer():
                case ldap.Message(op=ldap.Op.SEARCH_ENTRY):
                    names.append(answer.name)
                case ldap.Message(op=ldap.Op.SEARCH_DONE, code=ldap.Code.SUCCESS | ldap.Code.SIZE_LIMIT_EXCEEDED):
                    return names
                case ldap.Message(op=ldap.Op.SEARCH_DONE):
                    raise _refused(answer)
                case ldap.Message(op=ldap.Op.SEARCH_REFERENCE):
                    pass
                case _:
                    raise ldap.Malformed("it answers something else than was asked")
        raise ldap.Malformed("it answers without an end")

    def leave(self) -> None:
        """Say that this is all."""
        self._writer.write(ldap.unbind_request(self._number + 1))

    async def _answer(self) -> ldap.Message:
        while (found := ldap.parse_message(self._heard)) is None:
            more = await self._reader.read(65536)
            if not more:
                raise EOFError("it ended the connection")
            self._heard += more
        message, length = found
        self._heard = self._heard[length:]
        if message.number != self._number:  # 0 is the notice that it is about to leave (RFC 4511 §4.4.1)
            raise EOFError(visible(message.text[:LONGEST_REASON]) or "it answers something else than was asked")
        return message


def parse_spec(text: str) -> Directory:
    """The directory that the option means. Raises OptionsError, whose text does not repeat it: it holds a password."""
    match = _SPEC.fullmatch(text)
    if match is None:
        raise OptionsError(f"proxyauth: this is not of the form {FORM}")
    key = match["key"] if match["key"] is not None else "cn"
    if not _ATTRIBUTE.fullmatch(key):
        raise OptionsError("proxyauth: search_filter_key is no name of an attribute, such as uid")
    port = int(match["port"]) if match["port"] else PORTS[match["scheme"]]
    if not 0 < port < 65536:
        raise OptionsError(f"proxyauth: {port} is no port of an LDAP server")
    host, with_tls = match["host"].strip("[]"), match["scheme"] == "ldaps"
    return Directory(host, port, with_tls, match["dn"], match["password"], match["subtree"], key)


def _refused(answer: ldap.Message) -> Unavailable:
    reason = visible(answer.text[:LONGEST_REASON])
    return Unavailable(f"the LDAP server refuses with code {answer.code}{': ' if reason else ''}{reason}")


def _trust() -> ssl.SSLContext:
    """What the system trusts. Own CAs of companies often lack what Python demands of them from 3.13 on."""
    context = ssl.create_default_context()
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def _reason(problem: Exception) -> str:
    if isinstance(problem, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {problem.verify_message}"
    return str(getattr(problem, "strerror", None) or problem)
