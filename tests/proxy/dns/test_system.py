"""resolv.conf and hosts files, as people and programs write them."""

import os

from hypothesis import given
from hypothesis import strategies as st

from midstream.proxy.dns.system import KnownFile, hosts, name_servers

RESOLV_CONF = """\
# made by somebody
nameserver 192.0.2.1
nameserver   2001:db8::1
 nameserver 192.0.2.2 # and a comment
nameserver nonsense
nameserver
search example.com
options edns0
"""
HOSTS = """\
127.0.0.1\tlocalhost runsc
::1 localhost ip6-localhost   # loopback
fe80::1%lo0 link
192.0.2.7  Mixed.Case.Test.
nonsense name
192.0.2.8
"""


def test_name_servers():
    assert name_servers(RESOLV_CONF) == [("192.0.2.1", 53), ("2001:db8::1", 53), ("192.0.2.2", 53)]
    assert name_servers("") == []


def test_hosts():
    found = hosts(HOSTS)
    assert found["localhost"] == [b"\x7f\0\0\1", bytes(15) + b"\1"]
    assert found["mixed.case.test"] == [b"\xc0\0\2\7"]
    assert set(found) == {"localhost", "runsc", "ip6-localhost", "link", "mixed.case.test"}


@given(text=st.text())
def test_any_text_is_read(text):
    name_servers(text)
    hosts(text)


async def test_a_file_is_read_again_when_it_changes(tmp_path):
    path = tmp_path / "resolv.conf"
    known = KnownFile(path, name_servers)
    assert await known.read() == []
    path.write_text("nameserver 192.0.2.1\n")
    assert await known.read() == [("192.0.2.1", 53)]
    path.write_text("nameserver 192.0.2.2\n")
    os.utime(path, (1, 1))
    assert await known.read() == [("192.0.2.2", 53)]
    path.unlink()
    assert await known.read() == [("192.0.2.2", 53)]  # what was known last
