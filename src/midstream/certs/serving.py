"""The SSL contexts that clients meet: one per leaf, shared by all connections to it.

`addons/tlsconfig.py` makes one `ServingContexts` per configuration. OpenSSL spends ~0.4 ms on loading a key and a
certificate, five times what minting them takes, so a context is kept as long as its leaf is in use.
"""

import os
import ssl
import sys
import tempfile
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Final

from midstream.certs.key_log import log_keys
from midstream.certs.leaves import Leaf, LeafStore
from midstream.certs.versions import Versions

_TICKETS: Final = 1  # per TLS 1.3 handshake; each costs 25 µs, and the default of two helps few clients


class ServingContexts:
    """Server-side contexts for leaves of one store, `capacity` of them at most (~20 KB each).

    Raises ValueError at once when `versions` cannot be served.
    """

    def __init__(self, leaves: LeafStore, versions: Versions, capacity: int = 250, key_log: Path | None = None) -> None:
        self._versions = versions
        self._key_log = key_log
        self._capacity = capacity
        self._contexts: dict[Leaf, ssl.SSLContext] = {}
        self._new_context()
        self._key = PrivateFile(leaves.key_pem())
        self._certificate = PrivateFile()

    def context(self, leaf: Leaf) -> ssl.SSLContext:
        """The context that shows `leaf`. Its ALPN list is the caller's to set before each use."""
        context = self._contexts.pop(leaf, None)
        if context is None:
            if len(self._contexts) >= self._capacity:
                # Loading another certificate is safe: connections took theirs when they were made.
                context = self._contexts.pop(next(iter(self._contexts)))
            else:
                context = self._new_context()
            self._certificate.write(leaf.pem)
            context.load_cert_chain(self._certificate.path, self._key.path)
        self._contexts[leaf] = context
        return context

    def close(self) -> None:
        """Let go of the files; what is served already goes on, and nothing new can be."""
        self._key.close()
        self._certificate.close()

    def __len__(self) -> int:
        return len(self._contexts)

    def _new_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._versions.apply(context)
        # RFC 9325 §3.5: a client gains nothing by renegotiating, and can make us work.
        context.options |= ssl.OP_NO_RENEGOTIATION
        context.num_tickets = _TICKETS
        log_keys(context, self._key_log)
        return context


class PrivateFile:
    """A file that only this process's user can open, for interfaces that take keys by path only.

    In memory on Linux; elsewhere in a private folder for temporary files, gone when the object is.
    """

    def __init__(self, data: bytes = b"") -> None:
        # Python may have been built for a C library that lacks it, and a container may lack /proc.
        if sys.platform == "linux" and hasattr(os, "memfd_create") and Path("/proc/self/fd").is_dir():
            self._fd = os.memfd_create("midstream", os.MFD_CLOEXEC)
            self.path = f"/proc/self/fd/{self._fd}"
            self._end: Callable[[], object] = weakref.finalize(self, os.close, self._fd)
        else:
            self._fd, self.path = tempfile.mkstemp(prefix="midstream-")  # 0600 by itself
            self._end = weakref.finalize(self, _remove, self._fd, self.path)
        self.write(data)

    def write(self, data: bytes) -> None:
        """Replace what is in the file."""
        os.ftruncate(self._fd, 0)
        os.lseek(self._fd, 0, os.SEEK_SET)
        view = memoryview(data)
        while view:
            view = view[os.write(self._fd, view) :]

    def close(self) -> None:
        self._end()


def _remove(fd: int, path: str) -> None:
    os.close(fd)
    Path(path).unlink(missing_ok=True)
