"""The CA, minted leaves, trust for upstream servers, and plain words for failures. Option values are arguments.

For addon authors there are the certificates that connections carry, and a CA that mints leaves:

    from midstream import certs

    store = certs.CertStore.from_store("~/.midstream")
    entry = store.get_cert("example.com", [])
    pem = entry.cert.to_pem()
"""

from midstream.certs.cert_store import CertStore, CertStoreEntry
from midstream.flows.certificate import Cert

__all__ = ["Cert", "CertStore", "CertStoreEntry"]
