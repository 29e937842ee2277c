"""Who may use the proxy, and whether a password is right: the forms `any`, `user:password` and `@htpasswd` of the
option proxyauth, and a memory for what is slow to check.

Made by proxyauth_asking.py when the option is set. User names and passwords are text, in which bytes that are no
UTF-8 stand as surrogates. Directories are in proxyauth_ldap.py.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol
from weakref import WeakValueDictionary

from midstream.flows.errors import MidstreamError

LARGEST_FILE = 16 * 1024 * 1024
MOST_COSTLY = 17
"""Of bcrypt, as htpasswd allows: half a minute for one check; twice that with each one more."""
MOST_REMEMBERED = 1000
AT_ONCE = 2
"""Slow checks, so that guessing takes no more than so many threads."""

_BCRYPT = re.compile(r"\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}")
_BCRYPT_READS = 72  # bytes of a password; htpasswd cuts longer ones off, and so do servers that check them


class Unavailable(MidstreamError):
    """Credentials cannot be checked now; the text says why."""


class Users(Protocol):
    """Judges credentials."""

    async def accepts(self, user: str, password: str, address: str = "") -> bool:
        """Whether they are right, said by a client at `address`. Raises Unavailable."""

    async def problem(self) -> str:
        """Why nothing can be judged now; empty if it can."""
        return ""


class Anybody(Users):
    """Whoever says a name and a password."""

    async def accepts(self, user: str, password: str, address: str = "") -> bool:
        return True


class OneUser(Users):
    """The form `user:password`."""

    def __init__(self, user: str, password: str) -> None:
        self._credentials = _one(user, password)

    async def accepts(self, user: str, password: str, address: str = "") -> bool:
        return hmac.compare_digest(_one(user, password), self._credentials)


class HtpasswdFile(Users):
    """The users of a file as `htpasswd -B` or `htpasswd -s` writes it. Raises ValueError for other hashes."""

    def __init__(self, content: str) -> None:
        self.users: dict[str, str] = {}
        """Hashes by user name; as in Apache, the first line of a user counts."""
        for number, line in enumerate(content.splitlines(), 1):
            line = line.strip()
            if line and not line.startswith("#"):
                user, hashed = _read_line(line, f"line {number}")
                self.users.setdefault(user, hashed)
        # For names that are not there, so that time does not tell which are.
        self._decoy = next(iter(self.users.values()), "")
        # Of its own: a hash is computed to its end, also for a client that has left, and names are looked up elsewhere.
        self._threads = ThreadPoolExecutor(AT_ONCE, "htpasswd")

    @classmethod
    def from_file(cls, path: Path) -> HtpasswdFile:
        """Read a file, of which later changes are not seen. Raises OSError, ValueError."""
        with Path(path).expanduser().open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
        if len(content) > LARGEST_FILE:
            raise ValueError("this file is too large for one of passwords")
        return cls(content.decode("utf-8", "surrogateescape"))

    def check_password(self, username: str, password: str) -> bool:
        """Whether that is the password of the user. May take half a second and more."""
        known = self.users.get(username)
        return _fits(password.encode("utf-8", "surrogateescape"), known or self._decoy) and known is not None

    async def accepts(self, user: str, password: str, address: str = "") -> bool:
        loop = asyncio.get_running_loop()  # which goes on: bcrypt lets go of the interpreter
        return await loop.run_in_executor(self._threads, self.check_password, user, password)


class Remembering(Users):
    """Checks slowly once, and then knows for `seconds`, or for ever.

    Only keyed digests are kept. Of clients at one address one is checked at a time, so that who guesses leaves room for
    others.
    """

    def __init__(self, users: Users, seconds: float | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._users, self._seconds, self._now = users, seconds, clock
        self._key = secrets.token_bytes(32)
        self._known: dict[bytes, float] = {}
        self._room = asyncio.Semaphore(AT_ONCE)
        self._places: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def accepts(self, user: str, password: str, address: str = "") -> bool:
        digest = hashlib.blake2b(_one(user, password), key=self._key).digest()
        if self._knows(digest):
            return True
        place = self._places.setdefault(address, asyncio.Lock())
        async with place, self._room:
            if self._knows(digest):  # from a request that came with this one
                return True
            if not await self._users.accepts(user, password):
                return False
        while len(self._known) >= MOST_REMEMBERED:
            del self._known[next(iter(self._known))]
        self._known[digest] = self._now()
        return True

    async def problem(self) -> str:
        return await self._users.problem()

    def _knows(self, digest: bytes) -> bool:
        since = self._known.get(digest)
        return since is not None and (self._seconds is None or self._now() - since <= self._seconds)


def _one(user: str, password: str) -> bytes:
    """Both as one value, that no other pair has."""
    name = user.encode("utf-8", "surrogateescape")
    return b"%d:%b%b" % (len(name), name, password.encode("utf-8", "surrogateescape"))


def _read_line(line: str, where: str) -> tuple[str, str]:
    user, _, rest = line.partition(":")
    hashed = rest.partition(":")[0]
    if not user or not hashed:
        raise ValueError(f"{where}: a user has a line of the form name:hash")
    if hashed.startswith("{SHA}"):
        try:
            if len(base64.b64decode(hashed[5:], validate=True)) == hashlib.sha1(usedforsecurity=False).digest_size:
                return user, hashed
        except ValueError:
            pass
        raise ValueError(f"{where}: what follows {{SHA}} is no digest of SHA-1")
    match = _BCRYPT.fullmatch(hashed)
    if match is None:
        raise ValueError(f"{where}: the hash of {user!a} is neither of bcrypt (htpasswd -B) nor of SHA-1 (htpasswd -s)")
    if not 4 <= int(match[1]) <= MOST_COSTLY:
        raise ValueError(f"{where}: the hash of {user!a} has cost {match[1]}; bcrypt's is 4 to {MOST_COSTLY} here")
    return user, hashed


def _fits(password: bytes, hashed: str) -> bool:
    if not hashed or b"\0" in password:  # RFC 7617 §2 forbids controls, and no tool sets such a password
        return False
    if hashed.startswith("{SHA}"):
        digest = base64.b64encode(hashlib.sha1(password, usedforsecurity=False).digest()).decode()
        return hmac.compare_digest(digest, hashed[5:])
    # Imported here: only who has such a file pays for it.
    import bcrypt

    return bcrypt.checkpw(password[:_BCRYPT_READS], hashed.encode())
