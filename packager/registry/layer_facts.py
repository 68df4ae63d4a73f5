"""What is known of a base image's layers, one by one and all over each other. Pure."""

from collections.abc import Iterable
from typing import Any, NamedTuple

CLIENT = "awslambdaric/__main__.py"
"""How the path of a Runtime API client for Python ends."""

ENTRY_POINT = "lambda-entrypoint.sh"
"""What starts the runtime in AWS's images."""


class LayerFacts(NamedTuple):
    """What is told of a layer: its tar's length, the paths that matter, and what it takes away.

    `machines` are the processors that its Python interpreters are for.
    """

    diff_id: str
    uncompressed_bytes: int
    paths: tuple[str, ...]
    whiteouts: tuple[str, ...]
    machines: tuple[str, ...]

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> "LayerFacts":
        """Rebuild from `_asdict()` after JSON; raises KeyError or TypeError."""
        return cls(
            document["diff_id"],
            document["uncompressed_bytes"],
            tuple(document["paths"]),
            tuple(document["whiteouts"]),
            tuple(document["machines"]),
        )


class Inside(NamedTuple):
    """What all layers together have: see `packager.model.image.BaseImage`."""

    client: bool
    entry_point: bool
    musl: bool
    pythons: tuple[str, ...]
    machines: tuple[str, ...]


def inside(layers: Iterable[LayerFacts]) -> Inside:
    """Put layers over each other, the lowest first, whiteouts respected."""
    there: dict[str, None] = {}
    machines: list[str] = []
    for layer in layers:
        for gone in layer.whiteouts:
            below = gone if gone.endswith("/") else f"{gone}/"
            there = {p: None for p in there if p != gone and not p.startswith(below)}
        there |= dict.fromkeys(layer.paths)
        machines += layer.machines
    pythons = tuple(path for path in there if _is_python(path))
    return Inside(
        client=any(path.endswith(CLIENT) for path in there),
        entry_point=ENTRY_POINT in there,
        musl=any(path.rpartition("/")[2].startswith("ld-musl-") for path in there),
        pythons=pythons,
        machines=tuple(dict.fromkeys(machines)),
    )


def _is_python(path: str) -> bool:
    version = path.rpartition("/")[2].removeprefix("python")
    return not version or version.replace(".", "").isdigit()
