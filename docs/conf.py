"""How Sphinx builds the documentation: `sphinx-build -W docs <folder>`, with the `docs` extra installed.

The pages are Markdown (MyST), so that they read well on a code host too. Reference pages are made beforehand by
make_reference.py and checked for staleness in CI.
"""

from importlib.metadata import version as version_of

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
suppress_warnings: list[str] = []
