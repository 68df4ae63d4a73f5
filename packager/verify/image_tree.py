"""Layers of an image become a tree of files, as an engine makes it: whiteouts respected.

Source: OCI image specification 1.1, layer. Nothing is written outside the tree, whatever names,
links and symbolic links a layer has; devices and other special files are left out.
"""

import os
import shutil
import tarfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from packager.errors import CannotBuild
from packager.verify.image_layout import BAD_LAYER, ReadLayout, open_layer, open_layout
from packager.verify.unpacking import FILE_DATE

_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"
_MOST_LINKS = 40


def unpack_image(layout: ReadLayout, digests: Iterable[str], tree: Path) -> None:
    """Put the layers `digests` of `layout` over each other into the folder `tree`.

    Raises CannotBuild for a layer that is damaged or leads out of the tree, and for a full disk.
    """
    for digest in digests:
        try:
            with open_layer(layout.blob(digest)) as layer:
                _apply(layer.archive, tree)
        except BAD_LAYER as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise CannotBuild(
                f"the layer {digest} of `{layout.folder}` cannot be unpacked: {reason}",
                hint="lpack verify --no-import tells whether it is damaged; or free some space",
            ) from error


def _apply(archive: tarfile.TarFile, tree: Path) -> None:
    written: set[str] = set()
    for entry in archive:
        parts = _parts(entry.name)
        if not parts:
            continue
        folder, name = _inside(tree, parts[:-1]), parts[-1]
        if name == _OPAQUE:
            _empty(folder, written)
        elif name.startswith(_WHITEOUT):
            _remove(folder / name.removeprefix(_WHITEOUT))
        else:
            folder.mkdir(parents=True, exist_ok=True)
            target = folder / name
            _write(archive, entry, target, tree)
            written.add(str(target))


def _parts(name: str) -> list[str]:
    parts = [part for part in name.split("/") if part not in {"", "."}]
    if ".." in parts or any("\0" in part for part in parts):
        raise ValueError(f"`{name}` leads out of the image")
    return parts


def _inside(tree: Path, parts: list[str]) -> Path:
    """Follow `parts` from `tree`, symbolic links as if `tree` were the root of everything."""
    here = tree
    waiting = list(reversed(parts))
    links = 0
    while waiting:
        part = waiting.pop()
        if part == "..":
            here = here.parent if here != tree else tree
            continue
        step = here / part
        if step.is_symlink():
            links += 1
            if links > _MOST_LINKS:
                raise ValueError(f"`{'/'.join(parts)}` leads round in a circle")
            target = os.readlink(step)  # noqa: PTH115 -- a text to be followed by hand
            here = tree if target.startswith("/") else here
            waiting += [p for p in reversed(target.split("/")) if p not in {"", "."}]
        else:
            here = step
    return here


def _write(archive: tarfile.TarFile, entry: tarfile.TarInfo, target: Path, tree: Path) -> None:
    if entry.isdir():
        if target.is_symlink() or (target.exists() and not target.is_dir()):
            _remove(target)
        target.mkdir(exist_ok=True)
        # Whoever unpacks must be able to write into it, root or not.
        target.chmod(entry.mode & 0o777 | 0o700)
        return
    if not (entry.isreg() or entry.issym() or entry.islnk()):
        return
    _remove(target)
    if entry.issym():
        target.symlink_to(entry.linkname)
    elif entry.islnk():
        parts = _parts(entry.linkname)
        os.link(_inside(tree, parts[:-1]) / parts[-1], target, follow_symlinks=False)
    else:
        source = archive.extractfile(entry)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
        descriptor = os.open(target, flags, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            if source is not None:
                shutil.copyfileobj(source, file, 1 << 20)
            os.fchmod(file.fileno(), entry.mode & 0o777)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        with suppress(FileNotFoundError):
            path.unlink()


def _empty(folder: Path, written: set[str]) -> None:
    """Remove what lower layers left in `folder`; what this layer wrote stays."""
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        mine = str(path)
        if mine not in written and not any(each.startswith(f"{mine}/") for each in written):
            _remove(path)


def unpack_code(folder: Path, destination: Path) -> frozenset[str]:
    """Put the code of the image layout in `folder`, its own layers, where a zip's would be.

    Returns the names of the files, dated as those of a zip are here. Raises CannotBuild.
    """
    layout = open_layout(folder)
    tree = destination.with_name(f"{destination.name}.image")
    tree.mkdir()
    try:
        unpack_image(layout, layout.own, tree)
        root = (layout.config.get("config") or {}).get("WorkingDir") or "/"
        task = tree / str(root).strip("/")
        if task.is_dir():
            destination.rmdir()
            task.rename(destination)
    finally:
        shutil.rmtree(tree, ignore_errors=True)
    names = [path for path in destination.rglob("*") if path.is_file()]
    for path in names:
        os.utime(path, (FILE_DATE, FILE_DATE))
    return frozenset(path.relative_to(destination).as_posix() for path in names)
