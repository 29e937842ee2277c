"""The built-in addons and their order. They use what a user's script can use, and nothing else.

The order is that of `parity/addons-builtin.md`: a script sees what came in after access control and before replay,
rewriting and saving. Called by `app.py` only. `prepare` is called before the first script is loaded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from midstream.addons.anticache import AntiCache
from midstream.addons.anticomp import AntiComp
from midstream.addons.block import Block
from midstream.addons.blocklist import BlockList
from midstream.addons.browser import Browser
from midstream.addons.changes import Changes
from midstream.addons.clientplayback import ClientPlayback
from midstream.addons.command_history import CommandHistory
from midstream.addons.comment import Comment
from midstream.addons.comparing import Comparing
from midstream.addons.core import Core
from midstream.addons.cut import Cut
from midstream.addons.dnsresolver import DnsResolver
from midstream.addons.dumper import Dumper
from midstream.addons.errorcheck import ErrorCheck
from midstream.addons.eventstore import EventStore
from midstream.addons.export import Export
from midstream.addons.flow_specs import FlowSpecs
from midstream.addons.http2 import Http2
from midstream.addons.inject import Inject
from midstream.addons.intercept import Intercept
from midstream.addons.keepserving import KeepServing
from midstream.addons.maplocal import MapLocal
from midstream.addons.mapremote import MapRemote
from midstream.addons.mocks import Mocks
from midstream.addons.modifybody import ModifyBody
from midstream.addons.modifyheaders import ModifyHeaders
from midstream.addons.nextlayer import NextLayer
from midstream.addons.onboarding import Onboarding
from midstream.addons.protobuf import Protobuf
from midstream.addons.proxyauth import ProxyAuth
from midstream.addons.proxyserver import ProxyServer
from midstream.addons.readfile import ReadFile
from midstream.addons.redact import Redact
from midstream.addons.save import Save
from midstream.addons.savehar import SaveHar
from midstream.addons.script import ScriptLoader
from midstream.addons.send_raw import SendRaw
from midstream.addons.server_side_events import ServerSideEvents
from midstream.addons.serverplayback import ServerPlayback
from midstream.addons.stickyauth import StickyAuth
from midstream.addons.stickycookie import StickyCookie
from midstream.addons.stripdnshttpsrecords import StripDnsHttpsRecords
from midstream.addons.target_host import TargetHost
from midstream.addons.termlog import TermLog
from midstream.addons.throttle import Throttle
from midstream.addons.tls_failures import TlsFailures
from midstream.addons.tlsconfig import TlsConfig, TlsDefaults
from midstream.addons.unclaimed import Unclaimed
from midstream.addons.undo import Undo
from midstream.addons.update_alt_svc import UpdateAltSvc
from midstream.addons.upstream_auth import UpstreamAuth
from midstream.proxy.server import Proxy

if TYPE_CHECKING:
    from midstream.store.view import View


def common(proxy: Proxy, prepare: Callable[[], None] | None) -> list[object]:
    """The addons of every program."""
    server, tls = ProxyServer(proxy), TlsConfig()
    return [
        Core(),
        CommandHistory(),
        Browser(proxy, tls),
        Block(),
        StripDnsHttpsRecords(),
        BlockList(),
        AntiCache(),
        AntiComp(),
        ClientPlayback(proxy),
        Comment(),
        Comparing(),
        Cut(),
        Export(),
        Protobuf(),
        tls,  # before the first client may come
        TlsFailures(),
        Onboarding(tls),
        ProxyAuth(),
        server,
        Http2(proxy),
        TargetHost(proxy),
        Inject(),
        SendRaw(proxy),
        ScriptLoader(prepare),
        DnsResolver(server.is_ours),
        NextLayer(),
        Mocks(),  # behind the scripts, like recorded answers, and before those
        ServerPlayback(proxy),
        *rewriting(proxy),
        ReadFile(),  # before what it reads is saved to
        Save(),
        SaveHar(),
        TlsDefaults(tls),
        UpstreamAuth(proxy),
        UpdateAltSvc(),
        Throttle(),  # behind all that may answer or change
        Redact(),
    ]


def rewriting(proxy: Proxy) -> list[object]:
    """What changes messages by rules, behind the scripts."""
    return [
        MapRemote(proxy),
        MapLocal(proxy),
        ModifyBody(),
        ModifyHeaders(),
        StickyAuth(proxy),
        StickyCookie(proxy),
    ]


def headless(
    proxy: Proxy,
    prepare: Callable[[], None] | None = None,
    *,
    with_termlog: bool = True,
    with_dumper: bool = True,
) -> list[object]:
    """The addons of `middump`: termlog first, so that it prints what the others log."""
    first: list[object] = [TermLog()] if with_termlog else []
    last: list[object] = [Dumper()] if with_dumper else []
    return [
        *first,
        *common(proxy, prepare),
        Changes(recorded=False),
        Undo(),
        ServerSideEvents(),
        FlowSpecs(),
        *last,
        KeepServing(),
        Unclaimed(),
        ErrorCheck(),
    ]


def interactive(proxy: Proxy, view: View, screen: object, prepare: Callable[[], None] | None = None) -> list[object]:
    """The addons of `midstream`; `screen` is the console's own."""
    # Imported here: a headless start does without the list.
    from midstream.addons.attempts import Attempts
    from midstream.addons.session import SessionAddon
    from midstream.addons.view import ViewAddon

    return [
        EventStore(),
        *common(proxy, prepare),
        Changes(recorded=True),
        Undo(),
        Intercept(),
        ServerSideEvents(),  # behind everybody who may want a body whole
        SessionAddon(view),
        ViewAddon(view),
        Attempts(view),
        screen,
        Unclaimed(),
        ErrorCheck(),
    ]
