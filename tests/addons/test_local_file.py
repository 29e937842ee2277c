"""Names from URLs, and the files that they mean: never one outside of the folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.addons.local_file import WHOLE, candidates, open_target


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "secret.txt").write_text("SECRET")
    folder = tmp_path / "www"
    (folder / "sub").mkdir(parents=True)
    for name in ("index.html", "a.html", "sub/index.html", "x_y.txt", "noext", "a.js.gz", "café.txt", "sub/deep.json"):
        (folder / name).write_text(name)
    (folder / "inside").symlink_to("a.html")
    (folder / "out").symlink_to("../secret.txt")
    (folder / "outdir").symlink_to("..")
    (folder / "loop").symlink_to("loop")
    (folder / "gone").symlink_to("nothing")
    os.mkfifo(folder / "pipe")
    return folder


@pytest.mark.parametrize(
    ("suffix", "names"),
    [
        ("", ["index.html"]),
        ("/", ["index.html"]),
        ("/a.html", ["a.html", "a.html/index.html"]),
        ("//a//", ["a", "a/index.html"]),
        ("/x%20y", ["x y", "x y/index.html", "x_y", "x_y/index.html"]),
        ("/a-b_c.d=(e),f", ["a-b_c.d=(e),f", "a-b_c.d=(e),f/index.html"]),
        ("/a:b", ["a:b", "a:b/index.html", "a_b", "a_b/index.html"]),
        ("/../a", []),
        ("/a/../b", []),
        ("/%2e%2e/a", []),
        ("/..", []),
        ("/..a", ["..a", "..a/index.html"]),
        ("/a%00b", []),
        ("/a%5c..%5cb", []),
        ("/%252e%252e/a", ["%2e%2e/a", "%2e%2e/a/index.html", "_2e_2e/a", "_2e_2e/a/index.html"]),
    ],
)
def test_names(suffix: str, names: list[str]) -> None:
    assert candidates(suffix) == names


@given(st.text(st.sampled_from("./%2e5cf\\a\0~"), max_size=16))
def test_no_name_climbs(suffix: str) -> None:
    for name in candidates(suffix):
        assert not name.startswith("/")
        assert ".." not in name.split("/")
        assert "\0" not in name


@pytest.mark.parametrize(
    ("suffix", "content", "media_type"),
    [
        ("", "index.html", "text/html"),
        ("/sub", "sub/index.html", "text/html"),
        ("/sub/deep.json", "sub/deep.json", "application/json"),
        ("/a.html", "a.html", "text/html"),
        ("/x%3Fy.txt", "x_y.txt", "text/plain"),
        ("/caf%C3%A9.txt", "café.txt", "text/plain"),
        ("/noext", "noext", None),
        ("/a.js.gz", "a.js.gz", "application/gzip"),
        ("/inside", "a.html", None),
    ],
)
def test_files_that_are_found(root: Path, suffix: str, content: str, media_type: str | None) -> None:
    file = open_target(root, suffix)
    assert file is not None
    assert file.content == content.encode()
    assert file.size == len(content.encode())
    assert file.media_type == media_type


@pytest.mark.parametrize(
    "suffix",
    [
        "/nope",
        "/a.html/x",
        "/out",
        "/outdir/secret.txt",
        "/outdir",
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/loop",
        "/gone",
        "/pipe",
        f"/{'x' * 5000}",
        "/%ff%fe",
        "/%C0%AE%C0%AE/secret.txt",
    ],
)
def test_what_is_not_there_or_not_inside(root: Path, suffix: str) -> None:
    assert open_target(root, suffix) is None


def test_a_folder_that_is_a_link_itself(root: Path) -> None:
    link = root.parent / "link"
    link.symlink_to(root)
    assert open_target(link, "/a.html") is not None
    assert open_target(link, "/out") is None
    assert open_target(Path("/"), str(root / "a.html")) is not None


def test_a_file_is_itself_whatever_is_asked_for(root: Path) -> None:
    file = open_target(root / "out", "/../x")  # the user named it
    assert file is not None
    assert file.content == b"SECRET"


def test_what_cannot_be_read_is_an_error(root: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_target(root / "nope.txt", "")


def test_a_large_file_is_not_read_at_once(root: Path) -> None:
    with (root / "large.bin").open("wb") as file:
        file.truncate(WHOLE + 1)
    found = open_target(root, "/large.bin")
    assert found is not None
    assert (found.content, found.size) == (None, WHOLE + 1)
