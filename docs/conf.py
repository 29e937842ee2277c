"""How Sphinx builds the documentation: `sphinx-build -W docs <folder>`, with the `docs` extra installed.

The pages are Markdown (MyST), so that they read well on a code host too. Reference pages are made beforehand by
make_reference.py and checked for staleness in CI. Nothing is fetched from the network.
"""

from __future__ import annotations

import re
from importlib.metadata import version as version_of
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "midstream"
author = "the midstream founders"
copyright = f"2026, {author}"
version = release = version_of("midstream")

extensions = ["myst_parser"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"midstream {release}"

# GitHub's anchors, so that links between pages work there and here.
myst_heading_anchors = 3
myst_links_external_new_tab = True

_OUT_OF_DOCS = re.compile(r"\]\((\.\./[^)#\s]+\.md)(?:#[^)\s]*)?\)")


def setup(app: Sphinx) -> None:
    app.connect("source-read", link_files_outside)


def link_files_outside(app: Sphinx, name: str, source: list[str]) -> None:
    """Links to Markdown files beside docs/ (README, CHANGELOG) become links to the files; on a code host they work."""
    if "/" not in name:
        source[0] = _OUT_OF_DOCS.sub(r"](path:\1)", source[0])
