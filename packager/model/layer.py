"""Lambda layers: those a project builds, those it only refers to, and what became of them.

Named tuples, as all nouns on the way of a rebuild.
"""

from pathlib import Path
from typing import Literal, NamedTuple

LayerRoot = Literal["python", "site-packages"]

EVERYTHING = "*"
"""Among a layer's distributions: all that no other layer names, so all but the user's code."""


class OwnLayer(NamedTuple):
    """A layer of `[tool.lpack.layers.NAME]`.

    `distributions` are normalized names, or `EVERYTHING`; what only they require comes along.
    With `libraries`, the shared libraries that wheels keep in `NAME.libs` folders go to `lib`.
    """

    name: str
    distributions: tuple[str, ...] = (EVERYTHING,)
    root: LayerRoot = "python"
    libraries: bool = False


class LayerReference(NamedTuple):
    """A layer that was built elsewhere: a layer zip, or the manifest beside one; absolute."""

    name: str
    path: Path


class Provided(NamedTuple):
    """A distribution that a layer built elsewhere has; `requires` is PEP 508 text."""

    name: str
    version: str
    requires: tuple[str, ...] = ()


class ForeignLayer(NamedTuple):
    """What is known of a layer that was built elsewhere.

    `path` is its zip, absolute, and None when only the manifest is at hand. `root` is the folder
    of its Python packages in the zip. `sha256` is lower-case hex.
    """

    name: str
    path: str | None
    root: str
    sha256: str
    entries: int
    compressed_bytes: int
    uncompressed_bytes: int
    distributions: tuple[Provided, ...]


def packages_folder(root: LayerRoot, python: str) -> str:
    """Return where a layer's packages lie in its zip, for a Python such as `3.13`.

    Source: Lambda Developer Guide, packaging-layers, "Layer paths for each Lambda runtime".
    """
    return "python" if root == "python" else f"python/lib/python{python}/site-packages"
