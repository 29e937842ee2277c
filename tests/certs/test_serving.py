import os
import ssl
import stat
import sys
import tempfile
from pathlib import Path

import pytest

from midstream.certs.authority import Authority
from midstream.certs.leaves import LeafStore
from midstream.certs.private_file import PrivateFile
from midstream.certs.serving import ServingContexts
from midstream.certs.versions import Versions

CA = Authority.create()


def shown_to(server: ssl.SSLContext, name: str) -> bytes | None:
    """Shake hands with `server` as a client that verifies `name`; the certificate it showed."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.load_verify_locations(cadata=CA.public_pem().decode())
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    near = client.wrap_bio(to_client, to_server, server_hostname=name)
    far = server.wrap_bio(to_server, to_client, server_side=True)
    for tls in (near, far, near, far):
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
    return near.getpeercert(binary_form=True)


def test_one_context_per_leaf_up_to_a_bound() -> None:
    store = LeafStore(CA)
    serving = ServingContexts(store, Versions(), capacity=2)
    leaves = [store.leaf([f"h{i}.example"]) for i in range(5)]
    first = serving.context(leaves[0])
    assert serving.context(leaves[0]) is first
    for i, leaf in enumerate(leaves):
        assert shown_to(serving.context(leaf), f"h{i}.example") == leaf.der
        assert len(serving) <= 2
    # The context of the first was given to another; it gets one again.
    assert shown_to(serving.context(leaves[0]), "h0.example") == leaves[0].der


def test_a_connection_keeps_its_certificate_when_its_context_gets_another() -> None:
    store = LeafStore(CA)
    serving = ServingContexts(store, Versions(), capacity=1)
    old, new = store.leaf(["old.example"]), store.leaf(["new.example"])
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.load_verify_locations(cadata=CA.public_pem().decode())
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    near = client.wrap_bio(to_client, to_server, server_hostname="old.example")
    far = serving.context(old).wrap_bio(to_server, to_client, server_side=True)
    assert serving.context(new) is far.context
    for tls in (near, far, near, far):
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
    assert near.getpeercert(binary_form=True) == old.der


def test_versions_are_applied() -> None:
    store = LeafStore(CA)
    context = ServingContexts(store, Versions("TLS1_2", "TLS1_2")).context(store.leaf(["a.example"]))
    assert context.maximum_version is ssl.TLSVersion.TLSv1_2
    assert context.options & ssl.OP_NO_RENEGOTIATION
    with pytest.raises(ValueError, match="is above the highest"):
        ServingContexts(store, Versions("TLS1_3", "TLS1_2"))


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc")
def test_files_are_few_and_closed_with_their_owner() -> None:
    before = open_files()
    store = LeafStore(CA)
    serving = ServingContexts(store, Versions(), capacity=50)
    for i in range(60):
        serving.context(store.leaf([f"h{i}.example"]))
    assert open_files() == before + 2
    del serving
    assert open_files() == before


def test_without_memory_files_a_private_one_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "other")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    file = PrivateFile(b"longer than the next")
    file.write(b"short")
    path = Path(file.path)
    assert path.parent == tmp_path
    assert path.read_bytes() == b"short"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    store = LeafStore(CA)
    assert shown_to(ServingContexts(store, Versions()).context(store.leaf(["a.example"])), "a.example")
    file.close()
    assert list(tmp_path.iterdir()) == []
