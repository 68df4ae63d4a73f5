"""Layers over each other: whiteouts, links, and layers that try to lead out."""

import io
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from support.image_layout import layer_tar, write_layout

from packager.errors import CannotBuild
from packager.verify.image_layout import open_layout
from packager.verify.image_tree import unpack_image


def tree_of(folder: Path, *layers: bytes) -> Path:
    layout = open_layout(write_layout(folder / "layout", list(layers)))
    tree = folder / "tree"
    tree.mkdir()
    unpack_image(layout, layout.digests, tree)
    return tree


def names(tree: Path) -> set[str]:
    return {p.relative_to(tree).as_posix() for p in tree.rglob("*") if not p.is_dir()}


def linked(*entries: tuple[str, bytes, str]) -> bytes:
    """A layer of links: name, type and target; a regular file has its content as target."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, kind, target in entries:
            entry = tarfile.TarInfo(name)
            entry.type = kind
            if kind == tarfile.REGTYPE:
                entry.size = len(target)
                tar.addfile(entry, io.BytesIO(target.encode()))
            else:
                entry.linkname = target
                tar.addfile(entry)
    return out.getvalue()


def test_later_layers_win_and_whiteouts_remove(tmp_path: Path) -> None:
    tree = tree_of(
        tmp_path,
        layer_tar({"a": b"1", "d/x": b"1", "d/y": b"1", "e/f/g": b"1", "h": b"1"}),
        layer_tar({"a": b"2", "d/.wh..wh..opq": b"", "d/z": b"2", "e/.wh.f": b"", ".wh.h": b""}),
        layer_tar({".wh.nothing": b"", "h/i": b"3"}),
    )
    assert names(tree) == {"a", "d/z", "h/i"}
    assert (tree / "a").read_text() == "2"


def test_an_opaque_folder_keeps_what_its_own_layer_brings(tmp_path: Path) -> None:
    tree = tree_of(
        tmp_path,
        layer_tar({"d/old/x": b"1"}),
        layer_tar({"d/new/y": b"2", "d/.wh..wh..opq": b""}),
    )
    assert names(tree) == {"d/new/y"}


def test_links_inside_the_image(tmp_path: Path) -> None:
    file, symbolic, hard = tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE
    tree = tree_of(
        tmp_path,
        linked(
            ("usr/bin/sh", file, "sh"), ("bin", symbolic, "/usr/bin"), ("l", hard, "usr/bin/sh")
        ),
        linked(("bin/new", file, "new")),
    )
    assert (tree / "usr/bin/new").read_text() == "new"
    assert (tree / "l").read_text() == "sh"
    assert (tree / "bin").readlink() == Path("/usr/bin")


def outside(folder: Path) -> Path:
    path = folder / "outside"
    path.mkdir(exist_ok=True)
    (path / "precious").write_text("x")
    return path


FILE, LINK, HARD = tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE
ATTACKS: dict[str, Callable[[Path], list[bytes]]] = {
    "dots": lambda _: [linked(("../outside/evil", FILE, "e"))],
    "link-dots": lambda _: [linked(("d", LINK, "../outside"), ("d/evil", FILE, "e"))],
    "link-absolute": lambda out: [linked(("d", LINK, str(out)), ("d/evil", FILE, "e"))],
    "link-of-link": lambda out: [
        linked(("a", LINK, str(out)), ("b", LINK, "a")), linked(("b/evil", FILE, "e"))
    ],
    "link-as-file": lambda out: [
        linked(("f", LINK, f"{out}/precious")), linked(("f", FILE, "evil"))
    ],
    "hard-out": lambda out: [linked(("f", HARD, f"../../{out}/precious"))],
    "hard-absolute": lambda out: [linked(("f", HARD, f"{out}/precious"), ("f", FILE, "evil"))],
    "whiteout-dots": lambda _: [linked(("../outside/.wh.precious", FILE, ""))],
    "whiteout-link": lambda out: [
        linked(("d", LINK, str(out))), linked(("d/.wh.precious", FILE, ""))
    ],
    "circle": lambda _: [linked(("a", LINK, "b"), ("b", LINK, "a"), ("a/x", FILE, "e"))],
}  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_leads_out(tmp_path: Path, attack: str) -> None:
    out = outside(tmp_path)
    try:
        tree_of(tmp_path, *ATTACKS[attack](out))
    except CannotBuild as error:
        assert "cannot be unpacked" in error.message  # noqa: PT017 -- both ends are right
    assert {p.name: p.read_text() for p in out.iterdir()} == {"precious": "x"}
    assert os.stat(out / "precious").st_nlink == 1  # noqa: PTH116 -- what is asked for


def test_devices_are_left_out(tmp_path: Path) -> None:
    tree = tree_of(tmp_path, linked(("null", tarfile.CHRTYPE, ""), ("pipe", tarfile.FIFOTYPE, "")))
    assert names(tree) == set()
