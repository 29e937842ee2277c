"""What `mitmproxy.utils.magisk` has beside `subject_hash_old`, which is that of `midstream.certs.magisk`."""

from __future__ import annotations

from pathlib import Path

from cryptography import x509

from midstream.certs.magisk import magisk_module
from midstream.hub import ctx


def get_ca_from_files() -> x509.Certificate:
    """The CA of the config folder. Raises OSError."""
    file = Path(ctx.options.confdir).expanduser() / "midstream-ca-cert.pem"
    return x509.load_pem_x509_certificate(file.read_bytes())


def write_magisk_module(path: str) -> None:
    """The module for the CA of the config folder, as a file. Raises OSError."""
    Path(path).write_bytes(magisk_module(get_ca_from_files()))
