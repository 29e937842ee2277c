"""The page of the onboarding site: one HTML document with its style in it, no script, nothing from elsewhere.

Called by onboarding.py with the CA's certificate and with what is known of the visitor, whose system comes first. What
it says is in `onboarding_guides.py`.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from html import escape
from string import Template

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from midstream.addons.onboarding_guides import GUIDES, Guide

_STYLE = """
:root { color-scheme: light dark; --ink: #1c2330; --paper: #fbfbfd; --card: #fff; --line: #d5dae3; --soft: #566073;
  --accent: #0b57a4; --on-accent: #fff; --code: #eef1f6; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ef; --paper: #14171d; --card: #1c2129; --line: #384150; --soft: #a5afc0;
    --accent: #8ec2ff; --on-accent: #10151d; --code: #262d38; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
header, main, footer { max-width: 46rem; margin: 0 auto; padding: 1rem 1.25rem; }
header { padding-top: 2.25rem; padding-bottom: 0; }
main { padding-top: 0; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.15rem; margin: 2rem 0 .6rem; }
p, ol, ul { margin: .5rem 0; }
ol, ul { padding-left: 1.4rem; }
a { color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.forms { list-style: none; padding: 0; display: grid; gap: .6rem;
  grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); }
.forms a { display: block; height: 100%; padding: .7rem .9rem; border: 1px solid var(--line); border-radius: .5rem;
  background: var(--card); text-decoration: none; }
.forms a:hover { border-color: var(--accent); }
.forms b { display: block; }
.forms span { color: var(--soft); font-size: .88rem; }
details { border: 1px solid var(--line); border-radius: .5rem; background: var(--card); margin: .5rem 0; }
summary { padding: .65rem .9rem; font-weight: 600; cursor: pointer; }
details > div { padding: 0 1rem .8rem; }
code, pre { font: .88em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
code { background: var(--code); border-radius: .25rem; padding: .1em .3em; overflow-wrap: anywhere; }
pre { background: var(--code); border-radius: .4rem; padding: .7rem .9rem; overflow-x: auto; white-space: pre-wrap; }
pre code { padding: 0; background: none; }
.badge { background: var(--accent); color: var(--on-accent); border-radius: 1rem; padding: .1rem .6rem;
  font-size: .78rem; font-weight: 600; margin-left: .4rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; margin: .5rem 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
footer { color: var(--soft); font-size: .9rem; padding-bottom: 3rem; }
@media (max-width: 30rem) { dl { grid-template-columns: 1fr; } dd { margin-bottom: .4rem; } }
"""

_PAGE = Template("""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Trust the CA of midstream</title>
<link rel="icon" href="data:,">
<style>$style</style>
</head>
<body>
<header>
<h1>Trust the CA of midstream</h1>
<p>This page came from midstream, so the proxy works. To look into TLS it shows certificates of its own. They are
signed by a CA that was made on the machine where it runs, and your device has to trust that.</p>
</header>
<main>
<h2 id="get">1. Get the certificate</h2>
<ul class="forms" aria-labelledby="get">
<li><a href="/cert/pem"><b>PEM</b><span>for macOS, Linux, iOS, Firefox, programs</span></a></li>
<li><a href="/cert/cer"><b>CER</b><span>for Windows and Android</span></a></li>
<li><a href="/cert/p12"><b>PKCS #12</b><span>for what takes .p12 only; no password</span></a></li>
<li><a href="/cert/magisk"><b>Magisk module</b><span>for rooted Android devices</span></a></li>
</ul>
<p>All hold the same certificate, and none holds its key.</p>
<h2 id="trust">2. Trust it</h2>
<section aria-labelledby="trust">
$guides
</section>
<h2 id="check">3. Check</h2>
<p>Open <a href="https://$host/">https://$host/</a>. If the page comes back without a
warning, the CA is trusted.$curl</p>
<h2 id="which">Which CA this is</h2>
<dl aria-labelledby="which">
<dt>Name</dt><dd>$name</dd>
<dt>SHA-256</dt><dd><code>$fingerprint</code></dd>
<dt>Valid until</dt><dd>$until</dd>
</dl>
</main>
<footer>
<p>Whoever has the key of a CA that you trust can read your traffic. Trust this one only if you know whose midstream it
is, on devices that are for testing, and take it out again when you are done.</p>
</footer>
</body>
</html>
""")


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


PAGE_FIELDS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_digest(_STYLE)}'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
"""What belongs to the page."""


@dataclass(frozen=True, slots=True)
class Visit:
    """Who looks at the page: the host that was asked for, and the proxy, as a URL, through which; empty if unknown."""

    host: str
    user_agent: str
    proxy: str


def page(ca: x509.Certificate, visit: Visit) -> bytes:
    """The document."""
    theirs = [guide for guide in GUIDES if guide.fits(visit.user_agent)]
    others = [guide for guide in GUIDES if guide not in theirs]
    command = f"curl --proxy {visit.proxy} --cacert midstream-ca-cert.pem https://{visit.host}/"
    curl = f" On a command line:</p>\n<pre><code>{escape(command)}</code></pre>\n<p>" if visit.proxy else ""
    return _PAGE.substitute(
        style=_STYLE,
        guides="\n".join([*(_guide(guide, is_theirs=True) for guide in theirs), *map(_guide, others)]),
        host=escape(visit.host),
        curl=curl,
        name=escape(ca.subject.rfc4514_string()),
        fingerprint=ca.fingerprint(hashes.SHA256()).hex(":").upper(),
        until=f"{ca.not_valid_after_utc:%Y-%m-%d}",
    ).encode("utf-8", "replace")


def _guide(guide: Guide, *, is_theirs: bool = False) -> str:
    badge = '<span class="badge">yours</span>' if is_theirs else ""
    return (
        f'<details id="{guide.key}"{" open" if is_theirs else ""}><summary>{escape(guide.title)}{badge}</summary>\n'
        f"<div>{guide.html}</div></details>"
    )
