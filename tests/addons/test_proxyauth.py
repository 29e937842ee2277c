"""The option proxyauth: its forms, its judges, what is bound; for real clients see tests/end2end/test_proxyauth.py."""

from __future__ import annotations

import asyncio
import base64
import threading
from pathlib import Path

import pytest

from midstream.addons.proxyauth_asking import Credentials, parse_basic
from midstream.addons.proxyauth_ldap import Directory, parse_spec
from midstream.addons.proxyauth_users import AT_ONCE, MOST_REMEMBERED, HtpasswdFile, OneUser, Remembering, Unavailable
from midstream.flows.errors import OptionsError
from midstream.flows.flow import Flow
from midstream.testing.flows import tflow
from tests.kit.running_master import running_master
from tests.kit.waiting import until

# Made by `htpasswd -nbB -C 4 ann 's3cret:!'` and `htpasswd -nbs bob pässword`.
BCRYPT = "$2y$04$YCPL696/JvHlIi2/SkpD/.jjifctf.Qe3pucY3en2M99zPhZXYXim"
EVENTS = ["client_connected", "client_disconnected", "http_connect", "requestheaders", "server_connect", "socks5_auth"]


def basic(text: bytes) -> str:
    return "Basic " + base64.b64encode(text).decode()


@pytest.mark.parametrize(
    ("field", "credentials"),
    [
        (basic(b"ann:pw"), ("ann", "pw")),
        (basic(b"ann:p:w"), ("ann", "p:w")),
        (basic(b"ann:"), ("ann", "")),
        (basic("ü:ß".encode()), ("ü", "ß")),
        (basic(b"\xfc:x"), ("\udcfc", "x")),
        ("bAsIc   " + base64.b64encode(b"a:b").decode(), ("a", "b")),
        ("", None),
        ("Basic", None),
        ("Basic !!!!", None),
        ("Basic é", None),
        (basic(b"ann"), None),
        ("Bearer YTpi", None),
        (basic(b"a:b") + ", " + basic(b"c:d"), None),
    ],
)
def test_the_field(field: str, credentials: tuple[str, str] | None):
    assert parse_basic(field) == credentials


def test_credentials_are_in_no_state_and_no_repr():
    flow = tflow()
    flow.metadata["proxyauth"] = Credentials(("ann", "s3cret"))
    flow.metadata["other"] = ("ann", "seen")
    assert flow.metadata["proxyauth"] == ("ann", "s3cret")
    user, password = flow.metadata["proxyauth"]
    assert (user, password) == ("ann", "s3cret")
    state = flow.get_state()
    assert state["metadata"] == {"other": ("ann", "seen")}
    assert "s3cret" not in repr(flow.metadata)
    flow.backup()
    assert not flow.modified()
    assert "proxyauth" not in Flow.from_state(state).metadata


async def test_nothing_is_bound_while_it_is_off(tmp_path: Path):
    async with running_master(tmp_path) as running:
        events, options = running.master.events, running.master.options

        def bound() -> list[int]:
            return [len(getattr(events, name).handlers) for name in EVENTS]

        idle = bound()
        assert idle[-1] == 0  # else SOCKS clients would be asked for a password
        options.update(proxyauth="me:pw")
        assert bound() == [count + 1 for count in idle]
        options.update(proxyauth="any")
        assert bound() == [count + 1 for count in idle]
        with pytest.raises(OptionsError):
            options.update(proxyauth="what")
        assert options.proxyauth == "any"
        options.update(proxyauth=None)
        assert bound() == idle


@pytest.mark.parametrize(
    "text", ["hunter2", ":hunter2", "ldap:hunter2", "ldaps:h:dn:hunter2", "ldap:h:99999:dn:hunter2:b"]
)
async def test_what_is_none_is_not_repeated_in_the_error(tmp_path: Path, text: str):
    async with running_master(tmp_path) as running:
        with pytest.raises(OptionsError, match=r"^proxyauth: ") as caught:
            running.master.options.update(proxyauth=text)
        assert "hunter2" not in str(caught.value)
        assert "hunter2" not in "".join(running.logged())


# -- files --


def test_a_file_as_htpasswd_writes_it(tmp_path: Path):
    file = tmp_path / "users"
    sha = "{SHA}" + "I7dElEdfX4dJgLdnbVEeI9iG2mQ="  # of `pässword`
    file.write_text(f"# users\n\nann:{BCRYPT}\r\n  bob:{sha}:more:fields\nann:{sha}\n", encoding="utf-8")
    users = HtpasswdFile.from_file(file)
    assert users.check_password("ann", "s3cret:!")
    assert not users.check_password("ann", "s3cret")
    assert not users.check_password("ann", "pässword")  # the first line of a user counts
    assert not users.check_password("ann", "s3cret:!\0")
    assert users.check_password("bob", "pässword")
    assert not users.check_password("eve", "s3cret:!")
    assert not users.check_password("", "")
    assert not HtpasswdFile("").check_password("ann", "")


def test_long_passwords_are_read_as_far_as_bcrypt_does():
    import bcrypt

    hashed = bcrypt.hashpw(b"x" * 72, bcrypt.gensalt(4)).decode()
    assert HtpasswdFile(f"ann:{hashed}").check_password("ann", "x" * 100)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("ann:$apr1$abcdefgh$0123456789012345678901", "'ann' is neither of bcrypt"),
        ("ann:abJnggxhB/yWI", "'ann' is neither of bcrypt"),
        ("ann:plain", "'ann' is neither of bcrypt"),
        ("ann:{SHA}hunter2", "no digest of SHA-1"),
        ("ann", "of the form name:hash"),
        (":" + BCRYPT, "of the form name:hash"),
        ("ann:" + BCRYPT.replace("$04$", "$31$"), "has cost 31"),
        ("\x1b]0;x\x07:plain", r"'\\x1b\]0;x\\x07' is neither"),
    ],
)
def test_other_hashes_are_refused_with_their_line(line: str, reason: str):
    with pytest.raises(ValueError, match=f"line 2: .*{reason}") as caught:
        HtpasswdFile(f"bob:{BCRYPT}\n{line}\n")
    assert "hunter2" not in str(caught.value) and "plain" not in str(caught.value)


async def test_a_file_that_is_not_there(tmp_path: Path):
    async with running_master(tmp_path) as running:
        with pytest.raises(OptionsError, match="No such file"):
            running.master.options.update(proxyauth=f"@{tmp_path / 'none'}")


# -- the memory --


class Slow:
    """Judges when it is told to."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.go = asyncio.Event()

    async def accepts(self, user: str, password: str, address: str = "") -> bool:
        self.asked.append((user, password))
        await self.go.wait()
        return password == "right"


async def test_what_was_right_once_is_not_checked_again():
    slow = Slow()
    users = Remembering(slow)
    async with asyncio.TaskGroup() as group:
        both = [group.create_task(users.accepts("ann", "right", place)) for place in ("here", "here")]
        await until(lambda: slow.asked, "it is asked")
        slow.go.set()
    assert [task.result() for task in both] == [True, True]
    assert await users.accepts("ann", "right")
    assert slow.asked == [("ann", "right")]
    for _ in range(2):
        assert not await users.accepts("ann", "wrong")
    assert len(slow.asked) == 3  # what is wrong now may be right later
    assert not await users.accepts("annr", "ight")
    assert b"right" not in b"".join(users._known)


async def test_it_forgets():
    slow, time = Slow(), [0.0]
    slow.go.set()
    users = Remembering(slow, 60, lambda: time[0])
    for moment in (0, 59, 61):
        time[0] = moment
        assert await users.accepts("ann", "right")
    assert len(slow.asked) == 2
    for number in range(MOST_REMEMBERED + 5):
        await users.accepts(str(number), "right")
    assert len(users._known) == MOST_REMEMBERED


async def test_who_guesses_leaves_room_for_others():
    slow = Slow()
    users = Remembering(slow)
    async with asyncio.TaskGroup() as group:
        for number in range(20):
            group.create_task(users.accepts("root", str(number), "192.0.2.1"))
        other = group.create_task(users.accepts("ann", "right", "192.0.2.2"))
        await until(lambda: len(slow.asked) == 2, "two are asked for")
        assert ("ann", "right") in slow.asked
        slow.go.set()
    assert other.result()


async def test_who_leaves_takes_no_more_threads():
    """A hash is computed to its end, also when nobody waits for it any more."""
    go, lock, running, most = threading.Event(), threading.Lock(), 0, 0

    class Watched(HtpasswdFile):
        def check_password(self, username: str, password: str) -> bool:
            nonlocal running, most
            with lock:
                running, most = running + 1, max(most, running + 1)
            go.wait(20)
            with lock:
                running -= 1
            return super().check_password(username, password)

    users = Remembering(Watched(f"ann:{BCRYPT}"))
    try:
        for number in range(AT_ONCE):
            guess = asyncio.create_task(users.accepts("ann", "guess", f"192.0.2.{number}"))
            await until(lambda wanted=number + 1: running == wanted, "it is being checked")
            guess.cancel()
            await asyncio.wait([guess])
        others = [asyncio.create_task(users.accepts("ann", "s3cret:!", f"192.0.2.{n}")) for n in range(10, 14)]
        assert await asyncio.to_thread(lambda: 7) == 7  # what others do in threads, such as looking up names, goes on
    finally:
        go.set()
    assert await asyncio.gather(*others) == [True] * 4
    assert most == AT_ONCE


async def test_one_user():
    user = OneUser("ann", "p:w")
    assert await user.accepts("ann", "p:w")
    assert not await user.accepts("ann:p", "w")
    assert not await user.accepts("ann", "")


# -- directories --


@pytest.mark.parametrize(
    ("text", "directory"),
    [
        ("ldap:h:cn=a:pw:dc=x", Directory("h", 389, False, "cn=a", "pw", "dc=x")),
        ("ldaps:h:cn=a:pw:dc=x", Directory("h", 636, True, "cn=a", "pw", "dc=x")),
        ("ldap:h:1389:cn=a,dc=x:p:w:ou=p,dc=x", Directory("h", 1389, False, "cn=a,dc=x", "p:w", "ou=p,dc=x")),
        (
            "ldap:[::1]:389:cn=a:pw:dc=x?search_filter_key=uid",
            Directory("::1", 389, False, "cn=a", "pw", "dc=x", "uid"),
        ),
    ],
)
def test_specs(text: str, directory: Directory):
    assert parse_spec(text) == directory
    assert directory.password not in repr(directory)


@pytest.mark.parametrize("key", ["", "uid)(cn", "uid=*", "1x"])
def test_keys_are_names_of_attributes(key: str):
    with pytest.raises(OptionsError, match="search_filter_key"):
        parse_spec(f"ldap:h:cn=a:pw:dc=x?search_filter_key={key}")


def said(number: int, op: int, content: bytes) -> bytes:
    """A message of a directory; all its lengths are short."""
    message = b"\x02\x01%c%c%c%b" % (number, op, len(content), content)
    return b"0%c%b" % (len(message), message)


YES = b"\n\x01\0\x04\0\x04\0"


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        (said(2, 0x64, b"\x04\x04cn=e") * 5000, "cannot be understood: it answers without an end"),
        (said(2, 0x73, b"\x04\x04ldap") * 5000, "cannot be understood: it answers without an end"),
        (said(2, 0x65, b"\n\x01\x01\x04\0\x04\x07\x1b[1mx\ny"), "refuses with code 1: ␛[1mx␊y"),
        (said(0, 0x78, b"\n\x01\x34\x04\0\x04\x03a\nb"), "cannot be asked: a␊b"),
        (b"0\x84\xff\xff\xff\xff", "a message is too large"),
    ],
)
async def test_a_directory_that_says_strange_things(answers: bytes, reason: str):
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(said(1, 0x61, YES))
        await reader.read(1000)
        writer.write(answers)
        await reader.read()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Unavailable) as refused:
            await Directory("127.0.0.1", port, False, "cn=a", "pw", "dc=x").accepts("ann", "pw")
    assert reason in str(refused.value)


async def test_no_password_proves_nothing():
    """A directory would say yes to it (RFC 4513 §5.1.2), so it is not asked."""
    assert not await Directory("nowhere.invalid", 389, False, "cn=a", "pw", "dc=x").accepts("ann", "")
