"""Save the bodies of matching answers as files, in folders by host.

middump -s examples/addons/save_bodies.py --set save_bodies=pictures --set save_bodies_filter='~ts image/'
"""

import hashlib
import logging
import re
from pathlib import Path

from midstream import ctx, exceptions, flowfilter, http
from midstream.addonmanager import Loader

UNSAFE = re.compile(r"[^A-Za-z0-9._-]")


class SaveBodies:
    def __init__(self) -> None:
        self.matches = flowfilter.match_all

    def load(self, loader: Loader) -> None:
        loader.add_option("save_bodies", str, "", "Folder for the bodies of answers; nothing is saved when empty.")
        loader.add_option("save_bodies_filter", str, "~s", "Which answers are saved.", kind="filter")

    def configure(self, updated: set[str]) -> None:
        if "save_bodies_filter" in updated:
            try:
                self.matches = flowfilter.parse(ctx.options.save_bodies_filter)
            except ValueError as error:
                raise exceptions.OptionsError(f"save_bodies_filter: {error}") from None

    def response(self, flow: http.HTTPFlow) -> None:
        assert flow.response is not None
        if not ctx.options.save_bodies or not self.matches(flow):
            return
        body = flow.response.get_content(strict=False)
        if not body:
            return
        file = Path(ctx.options.save_bodies).expanduser() / safe(flow.request.pretty_host) / file_name(flow, body)
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(body)
        except OSError as error:
            logging.error("%s cannot be saved: %s", file, error.strerror)


def file_name(flow: http.HTTPFlow, body: bytes) -> str:
    """The last part of the path, which may be anything, and a digest, which makes it unique."""
    last = flow.request.path_components[-1] if flow.request.path_components else "index"
    stem, dot, suffix = safe(last).rpartition(".")
    digest = hashlib.sha256(body).hexdigest()[:12]
    return f"{stem or suffix}-{digest}{dot + suffix if stem and dot else ''}"


def safe(name: str) -> str:
    """A name that is one file in one folder, whatever the server called it."""
    return UNSAFE.sub("_", name)[-80:].lstrip(".") or "_"


addons = [SaveBodies()]
