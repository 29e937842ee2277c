"""The CA as a module for Magisk, which puts it among the system's CAs of a rooted Android device.

Apps for Android 7 and newer trust only those, unless they say otherwise. Made on demand by `addons/onboarding.py`. The
layout is that of https://topjohnwu.github.io/Magisk/guides.html.
"""

import hashlib
import io
import zipfile

from cryptography import x509
from cryptography.hazmat.primitives import serialization

_PROPERTIES = """\
id=midstream-ca
name=CA of midstream
version=1
versionCode=1
author=midstream
description=Lets every app trust the certificates of the midstream that this file came from.
"""
# What Magisk runs to install a module: its own functions do all of it.
_INSTALLER = """\
#!/sbin/sh
umask 022
OUTFD=$2
ZIPFILE=$3
mount /data 2>/dev/null
. /data/adb/magisk/util_functions.sh || exit 1
install_module
exit 0
"""


def subject_hash_old(ca: x509.Certificate) -> str:
    """The name under which Android looks for a CA, without its number: `openssl x509 -subject_hash_old`."""
    digest = hashlib.md5(ca.subject.public_bytes(), usedforsecurity=False).digest()
    return f"{int.from_bytes(digest[:4], 'little'):08x}"


def magisk_module(ca: x509.Certificate) -> bytes:
    """The module as a zip file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as module:
        module.writestr("module.prop", _PROPERTIES)
        module.writestr("META-INF/com/google/android/update-binary", _INSTALLER)
        module.writestr("META-INF/com/google/android/updater-script", "#MAGISK\n")
        pem = ca.public_bytes(serialization.Encoding.PEM)
        module.writestr(f"system/etc/security/cacerts/{subject_hash_old(ca)}.0", pem)
    return buffer.getvalue()
