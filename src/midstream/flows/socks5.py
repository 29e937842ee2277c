"""What the socks5_auth event carries. Made by the SOCKS5 mode when a client has sent its credentials."""

from dataclasses import dataclass

from midstream.flows.connection import Client


@dataclass(slots=True, repr=False)
class Socks5AuthData:
    """Credentials to be judged: a handler that accepts them sets `valid`. Its repr leaves the password out."""

    client_conn: Client
    username: str
    password: str
    valid: bool = False

    def __repr__(self) -> str:
        return f"Socks5AuthData({self.client_conn!r}, username={self.username!r}, valid={self.valid})"
