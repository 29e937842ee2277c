"""Which modes may run together, and which not at all on this machine or in this version.

Called by the addon `proxyserver` when the options that say where to listen change, and by those that do something for
modes of a kind only. Nothing is bound here.
"""

from collections.abc import Sequence

from midstream.flows.errors import OptionsError
from midstream.flows.proxy_mode import ProxyMode, ReverseMode
from midstream.proxy.listeners import transports_of
from midstream.proxy.mode_servers import Wanted
from midstream.proxy.original_destination import why_not
from midstream.proxy.server import MODES

LATER_SCHEMES = frozenset({"http3", "quic", "dtls"})
"""Of reverse mode: what they speak comes in a later version."""


def checked_modes(specs: Sequence[str], default_host: str, default_port: int | None) -> Wanted:
    """What is to run. Raises OptionsError."""
    modes: dict[str, tuple[ProxyMode, str, int]] = {}
    for spec in specs:
        mode = _checked(spec)
        host, port = mode.listen_host(default_host), mode.listen_port(default_port) or 0
        for other, other_host, other_port in modes.values():
            if not set(transports_of(mode)) & set(transports_of(other)):
                continue
            if spec in modes or (port and port == other_port and _overlap(host, other_host)):
                raise OptionsError(
                    f"mode {spec!r} and {other.full_spec!r} both want to listen on {host or '*'}:{port}; "
                    f"give one of them another port, as in {_elsewhere(mode, port)!r}"
                )
        modes[spec] = (mode, host, port)
    return modes


def is_mode(spec: str, kind: type[ProxyMode]) -> bool:
    """Whether a spec is of this kind of mode; what is no spec at all is told by somebody else."""
    try:
        return isinstance(ProxyMode.parse(spec), kind)
    except ValueError:
        return False


def _checked(spec: str) -> ProxyMode:
    """A mode that can run here. Raises OptionsError."""
    try:
        mode = ProxyMode.parse(spec)
    except ValueError as exc:
        raise OptionsError(str(exc)) from None
    if mode.type_name not in MODES:
        known = ", ".join(sorted(MODES))
        raise OptionsError(f"mode {spec!r}: {mode.type_name} comes in a later version; this one has {known}")
    if isinstance(mode, ReverseMode) and mode.scheme in LATER_SCHEMES:
        raise OptionsError(f"mode {spec!r}: the scheme {mode.scheme} comes in a later version")
    if mode.type_name == "transparent" and (problem := why_not()):
        raise OptionsError(f"mode {spec!r}: {problem}")
    return mode


def _overlap(host: str, other: str) -> bool:
    """Whether two listeners on one port would be in each other's way."""
    if host == other or not (host and other):
        return True
    for wildcard, single in ((host, other), (other, host)):
        if (wildcard == "0.0.0.0" and ":" not in single) or (wildcard == "::" and ":" in single):  # noqa: S104
            return True
    return False


def _elsewhere(mode: ProxyMode, port: int) -> str:
    return f"{mode.full_spec.rpartition('@')[0] or mode.full_spec}@{port + 2 if 0 < port < 65533 else 8082}"
