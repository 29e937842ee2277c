"""Flags of earlier programs of this family, and how the same is asked for now.

flags.py consults the table for a flag that nobody knows; the flags themselves are not accepted.
"""

from __future__ import annotations

# By the flag; the text follows "instead use". What needs a value is shown with a word in capitals.
INSTEAD = {
    "-T": "--mode transparent",
    "--transparent": "--mode transparent",
    "-R": "--mode reverse:URL",
    "--reverse": "--mode reverse:URL",
    "-U": "--mode upstream:URL",
    "--upstream": "--mode upstream:URL",
    "--socks": "--mode socks5",
    "-a": "--anticache",
    "-z": "--anticomp",
    "-b": "--listen-host ADDRESS",
    "--bind-address": "--listen-host ADDRESS",
    "-c": "--client-replay FILE",
    "-d": "--flow-detail N",
    "-dd": "--flow-detail 2",
    "-ddd": "--flow-detail 3",
    "-e": "the log pane, which is opened by a key",
    "--eventlog": "the log pane, which is opened by a key",
    "-f": "--view-filter FILTER, or in middump the filter behind the flags",
    "-l": "--view-filter FILTER",
    "--limit": "--view-filter FILTER",
    "-I": "--ignore-hosts REGEX",
    "-i": "--intercept FILTER",
    "-t": "--stickycookie FILTER",
    "-u": "--stickyauth FILTER",
    "-Z": "--body-size-limit SIZE",
    "--stream": "--stream-large-bodies SIZE",
    "--cadir": "--confdir FOLDER",
    "--conf": "--confdir FOLDER, which holds config.yaml",
    "--cert": "--certs [DOMAIN=]FILE",
    "--insecure": "--ssl-insecure",
    "--ssl-version-client": "--tls-version-client-min VERSION",
    "--ssl-version-server": "--tls-version-server-min VERSION",
    "--upstream-bind-address": "--connect-addr ADDRESS",
    "--upstream-trusted-ca": "--ssl-verify-upstream-trusted-ca FILE",
    "--upstream-trusted-cadir": "--ssl-verify-upstream-trusted-confdir FOLDER",
    "--upstream-trusted-confdir": "--ssl-verify-upstream-trusted-confdir FOLDER",
    "--raw-tcp": "--rawtcp",
    "--host": "--showhost",
    "--follow": "--console-focus-follow",
    "--order": "--view-order ORDER",
    "--palette": "--console-palette PALETTE",
    "--palette-transparent": "--console-palette-transparent",
    "--no-mouse": "--no-console-mouse",
    "--replace": "--modify-body RULE",
    "--replace-from-file": "--modify-body RULE, with @FILE as its last part",
    "--setheader": "--modify-headers RULE",
    "--setheaders": "--modify-headers RULE",
    "--replay-header": "--server-replay-use-headers NAME",
    "--server-replay-use-header": "--server-replay-use-headers NAME",
    "--kill": "--server-replay-extra kill",
    "--no-pop": "--server-replay-reuse",
    "--nopop": "--server-replay-reuse",
    "--norefresh": "--no-server-replay-refresh",
    "--replay-ignore-content": "--server-replay-ignore-content",
    "--replay-ignore-host": "--server-replay-ignore-host",
    "--replay-ignore-param": "--server-replay-ignore-params NAME",
    "--replay-ignore-payload-param": "--server-replay-ignore-payload-params NAME",
    "--singleuser": "--proxyauth USER:PASSWORD",
    "--nonanonymous": "--proxyauth any",
    "--htpasswd": "--proxyauth @FILE",
    "--http2-priority": "nothing: HTTP/2 priorities are not used any more",
    "--no-http2-priority": "nothing: HTTP/2 priorities are not used any more",
    "--onboarding-port": "nothing: the install site is found by its host name on any port",
}


def instead_of(flag: str) -> str:
    """What to use in place of an old flag; empty when it is none."""
    return INSTEAD.get(flag, "")
