"""How each system is made to trust a CA: the texts of the onboarding page, as HTML. Used by onboarding_page.py."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Guide:
    """One system. `agents` matches the User-Agent fields of its browsers; without it, it is nobody's own."""

    key: str
    title: str
    html: str
    agents: str = ""

    def fits(self, user_agent: str) -> bool:
        """Whether a browser of this name runs there."""
        return bool(self.agents) and re.search(self.agents, user_agent[:1000]) is not None


GUIDES = (
    Guide(
        "firefox",
        "Firefox",
        """
<p>Firefox on a desktop has CAs of its own, whatever the system trusts.</p>
<ol>
<li>Open <a href="/cert/pem">the PEM file</a> in Firefox. It asks what to trust the CA for: choose websites.</li>
<li>If it was saved instead: Settings, Privacy &amp; Security, View Certificates…, Authorities, Import…</li>
</ol>
<p>On Windows and macOS <code>security.enterprise_roots.enabled</code> in <code>about:config</code> makes it trust what
the system trusts.</p>
""",
        r"^(?!.*(Android|Mobile)).*Firefox/",
    ),
    Guide(
        "windows",
        "Windows",
        """
<ol>
<li>Open <a href="/cert/cer">the CER file</a> and choose Install Certificate…</li>
<li>Current User; then “Place all certificates in the following store”, Browse…, Trusted Root Certification
Authorities.</li>
<li>Finish, and say yes to the warning.</li>
</ol>
<p>Or on a command line:</p>
<pre><code>certutil -user -addstore Root midstream-ca-cert.cer</code></pre>
""",
        r"Windows",
    ),
    Guide(
        "macos",
        "macOS",
        """
<ol>
<li>Open <a href="/cert/pem">the PEM file</a>; Keychain Access adds it.</li>
<li>Find “midstream” there, open it, and set Trust, “When using this certificate”, to Always Trust.</li>
</ol>
<p>Or in a terminal:</p>
<pre><code>sudo security add-trusted-cert -d -p ssl -p basic \\
  -k /Library/Keychains/System.keychain midstream-ca-cert.pem</code></pre>
""",
        r"Macintosh",
    ),
    Guide(
        "linux",
        "Linux",
        """
<p>Take <a href="/cert/pem">the PEM file</a>. Debian, Ubuntu and their kin:</p>
<pre><code>sudo cp midstream-ca-cert.pem /usr/local/share/ca-certificates/midstream.crt
sudo update-ca-certificates</code></pre>
<p>Fedora, RHEL and their kin:</p>
<pre><code>sudo cp midstream-ca-cert.pem /etc/pki/ca-trust/source/anchors/
sudo update-ca-trust</code></pre>
<p>Arch:</p>
<pre><code>sudo trust anchor --store midstream-ca-cert.pem</code></pre>
<p>Browsers and Java have CAs of their own; see below.</p>
""",
        r"^(?!.*Android).*(Linux|X11|CrOS)",
    ),
    Guide(
        "ios",
        "iPhone and iPad",
        """
<ol>
<li>In Safari open <a href="/cert/pem">the PEM file</a> and allow the download of a profile.</li>
<li>Settings, General, VPN &amp; Device Management: choose the profile “midstream” and install it.</li>
<li>Settings, General, About, Certificate Trust Settings: switch “midstream” on. Without this step nothing changes.</li>
</ol>
""",
        r"iPhone|iPad|iPod",
    ),
    Guide(
        "android",
        "Android",
        """
<ol>
<li>Download <a href="/cert/cer">the CER file</a>.</li>
<li>Settings, Security &amp; privacy, More security, Encryption &amp; credentials, Install a certificate, CA
certificate: choose the file. The names of these menus differ by maker; search the settings for “certificate”.</li>
</ol>
<p>Browsers then trust it. Apps for Android 7 and newer do so only if they say so in their network security
configuration. On a rooted device with Android up to 13, <a href="/cert/magisk">the Magisk module</a> puts it among the
CAs of the system: install it in the Magisk app and restart.</p>
""",
        r"Android",
    ),
    Guide(
        "chromium",
        "Chrome, Edge, Brave and Chromium on Linux",
        """
<p>On Windows and macOS they trust what the system trusts. On Linux: open <code>chrome://certificate-manager</code>,
Custom, Installed by you, Trusted certificates, Import, and choose <a href="/cert/pem">the PEM file</a>. Or, with the
program of <code>libnss3-tools</code>:</p>
<pre><code>certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n midstream -i midstream-ca-cert.pem</code></pre>
""",
        r"^(?=.*Chrome/)(?!.*Android).*(Linux|X11)",
    ),
    Guide(
        "java",
        "Java",
        """
<pre><code>keytool -importcert -cacerts -alias midstream -file midstream-ca-cert.pem</code></pre>
<p>The password is <code>changeit</code> unless somebody changed it.</p>
""",
    ),
    Guide(
        "programs",
        "curl, Python, Node, Go, git and others",
        """
<p>Many programs take the file from their environment:</p>
<pre><code>export SSL_CERT_FILE=$PWD/midstream-ca-cert.pem        # OpenSSL, Python, Go, Ruby
export CURL_CA_BUNDLE=$PWD/midstream-ca-cert.pem       # curl
export REQUESTS_CA_BUNDLE=$PWD/midstream-ca-cert.pem   # requests
export NODE_EXTRA_CA_CERTS=$PWD/midstream-ca-cert.pem  # Node
export GIT_SSL_CAINFO=$PWD/midstream-ca-cert.pem       # git
export CARGO_HTTP_CAINFO=$PWD/midstream-ca-cert.pem    # cargo</code></pre>
<p>All but Node then trust nothing else; with all traffic through midstream that is what you want.</p>
""",
    ),
)
"""In the order of the page."""
