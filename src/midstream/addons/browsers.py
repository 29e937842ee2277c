"""The browsers that can be started through the proxy: where they are found, their command lines, and their profiles.

Used by browser.py. Each gets a folder of its own, in which all of its profile is; no browser of the user is touched.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from midstream.certs.authority import Authority
from midstream.text.url import hostport


@dataclass(frozen=True, slots=True)
class Way:
    """How the browser gets to the proxy, and whom it is to trust. `scheme` is http or socks5."""

    scheme: str
    host: str
    port: int
    authority: Authority

    @property
    def url(self) -> str:
        """The proxy."""
        return f"{self.scheme}://{hostport('', self.host, self.port)}"


@dataclass(frozen=True, slots=True)
class Kind:
    """One browser under one name. `prepare` fills a folder; it gives the arguments, and why our CA will not be trusted,
    where that is so.
    """

    name: str
    programs: tuple[str, ...]
    prepare: Callable[[Path, Way], tuple[list[str], str]]

    def find(self) -> str | None:
        """The program on this machine."""
        return next(filter(None, map(shutil.which, self._places())), None)

    def _places(self) -> Iterator[str]:
        for program in self.programs:
            if program.startswith("/"):
                yield program
            elif program.endswith(".exe"):
                for variable in ("ProgramFiles", "ProgramFiles(x86)", "LocalAppData"):
                    yield os.path.join(os.environ.get(variable, "C:\\"), program)
            else:
                yield program


def prepare_chromium(folder: Path, way: Way) -> tuple[list[str], str]:
    """All that Chromium needs; what is said of the CA's key counts in this profile only."""
    arguments = [
        f"--user-data-dir={folder / 'profile'}",
        f"--proxy-server={way.url}",
        "--proxy-bypass-list=<-loopback>",  # localhost, too, goes through the proxy
        f"--ignore-certificate-errors-spki-list={way.authority.spki_digest()}",
        "--disable-quic",  # which would pass the proxy by
        "--no-first-run",
        "--no-default-browser-check",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-default-apps",
        "--disable-sync",
        "--metrics-recording-only",
        "--new-window",
    ]
    if sys.platform == "linux" and os.geteuid() == 0:
        arguments.append("--no-sandbox")  # as root it does not start otherwise
    return [*arguments, "about:blank"], ""


_FIREFOX: dict[str, str | int | bool] = {
    "network.proxy.type": 1,
    "network.proxy.no_proxies_on": "",
    "network.proxy.allow_hijacking_localhost": True,
    "network.proxy.socks_remote_dns": True,
    "network.http.http3.enable": False,
    "network.trr.mode": 5,  # no DNS over HTTPS of its own
    # What nobody asked for is not to fill the list of flows.
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "app.normandy.enabled": False,
    "app.update.auto": False,
    "browser.aboutwelcome.enabled": False,
    "browser.newtabpage.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.safebrowsing.downloads.remote.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage": "about:blank",
    "browser.startup.page": 0,
    "datareporting.healthreport.uploadEnabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.update.enabled": False,
    "toolkit.telemetry.enabled": False,
    "toolkit.telemetry.reportingpolicy.firstRun": False,
}


def prepare_firefox(folder: Path, way: Way) -> tuple[list[str], str]:
    """A profile with its preferences and a store of CAs that has ours."""
    profile = folder / "profile"
    profile.mkdir()
    ends = ("socks",) if way.scheme == "socks5" else ("http", "ssl")
    preferences = dict(_FIREFOX)
    for end in ends:
        name = "network.proxy.socks" if end == "socks" else f"network.proxy.{end}"
        preferences |= {name: way.host, f"{name}_port": way.port}
    lines = [f"user_pref({_quoted(name)}, {_quoted(value)});\n" for name, value in preferences.items()]
    (profile / "user.js").write_text("".join(lines), encoding="utf-8")
    arguments = ["-no-remote", "-new-instance", "-profile", str(profile), "about:blank"]
    try:
        _trust(profile, way.authority)
    except (OSError, subprocess.SubprocessError) as problem:
        return arguments, _no_certutil(problem)
    return arguments, ""


def _trust(store: Path, authority: Authority) -> None:
    """Make a store of CAs in a folder, with ours in it."""
    for argv, given in (
        (["-N", "--empty-password"], b""),
        (["-A", "-n", "midstream", "-t", "C,,"], authority.public_pem()),
    ):
        command = ["certutil", *argv, "-d", f"sql:{store}"]
        subprocess.run(command, input=given, check=True, timeout=10, capture_output=True)  # noqa: S603


def _no_certutil(problem: Exception) -> str:
    if isinstance(problem, FileNotFoundError):
        what = "the program certutil is missing (on Debian in libnss3-tools, on Fedora in nss-tools)"
    else:
        what = "certutil could not write its store of CAs"
    return f"it does not trust our CA: {what}; http://midstream.internal in it tells how to make it do so"


def _quoted(value: str | int | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else str(value)


_CHROME = (
    "google-chrome", "google-chrome-stable", "chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "Google\\Chrome\\Application\\chrome.exe",
)  # fmt: skip
_CHROMIUM = ("chromium", "chromium-browser", "/Applications/Chromium.app/Contents/MacOS/Chromium")
_EDGE = (
    "microsoft-edge", "microsoft-edge-stable", "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    "Microsoft\\Edge\\Application\\msedge.exe",
)  # fmt: skip
_BRAVE = (
    "brave-browser", "brave", "/Applications/Brave Browser.app/Contents/MacOS/Brave Browser",
    "BraveSoftware\\Brave-Browser\\Application\\brave.exe",
)  # fmt: skip
_FIREFOXES = (
    "firefox", "firefox-esr", "/Applications/Firefox.app/Contents/MacOS/firefox", "Mozilla Firefox\\firefox.exe",
)  # fmt: skip

KINDS = {
    kind.name: kind
    for kind in (
        Kind("chrome", (*_CHROME, *_CHROMIUM, *_EDGE, *_BRAVE), prepare_chromium),
        Kind("chromium", (*_CHROMIUM, *_CHROME), prepare_chromium),
        Kind("edge", _EDGE, prepare_chromium),
        Kind("brave", _BRAVE, prepare_chromium),
        Kind("firefox", _FIREFOXES, prepare_firefox),
    )
}
"""By the name that browser.start takes; chrome stands for its whole family."""
