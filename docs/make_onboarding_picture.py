"""Makes the picture of the onboarding page in docs/onboarding.md, with a real browser through the proxy.

    .venv/bin/python docs/make_onboarding_picture.py [folder]

Without a folder it goes to docs/images/. Needs chromium-headless-shell, certutil and the dev extra.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # for the tests' fakes: a running master, a browser

from tests.kit.browser import chromium  # noqa: E402
from tests.kit.running_master import running_master  # noqa: E402

SIZES = {
    "onboarding.png": {"width": 760, "height": 980},
    "onboarding-dark.png": {"width": 760, "height": 980, "dark": True},
    "onboarding-phone.png": {"width": 390, "height": 844},
}
KEPT = {"onboarding.png"}


async def main(folder: Path, names: set[str]) -> None:
    """Take the pictures."""
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        async with running_master(Path(home) / "conf") as running, chromium(Path(home), running) as browser:
            await browser.open("http://midstream.internal/")
            for name in names:
                (folder / name).write_bytes(await browser.picture(**SIZES[name]))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        asyncio.run(main(Path(sys.argv[1]), set(SIZES)))
    else:
        asyncio.run(main(ROOT / "docs" / "images", KEPT))
