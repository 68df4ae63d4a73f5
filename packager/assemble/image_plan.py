"""Which distributions share a layer of an image. Pure."""

from collections.abc import Mapping
from typing import Final

HEAVY_BYTES: Final = 1 << 20
"""What a distribution must add, gzipped, to have a layer of its own.

A layer costs a line of the manifest (about 160 bytes) and a request or two per push; below a MiB
an upload costs about as much. Above it, a layer of its own means that a new version of another
distribution uploads and fetches nothing of this one.
"""

LARGEST_MANIFEST_BYTES: Final = 25_400
"""What AWS advises to stay below (Lambda Developer Guide, images-create)."""

_LAYER_LINE_BYTES: Final = 170
_MANIFEST_HEAD_BYTES: Final = 600
# Docker's overlay driver stops at 127 layers; whole images stay well below.
_MOST_LAYERS: Final = 100


def grouped(compressed: Mapping[str, int], *, base_layers: int) -> list[tuple[str, ...]]:
    """Return the owners of every layer, the heavy ones alone, the rest together, by name.

    `compressed` maps an owner to its bytes. When a base with many layers leaves too little room
    in the manifest, the lighter of the heavy ones join the rest.
    """
    room = (LARGEST_MANIFEST_BYTES - _MANIFEST_HEAD_BYTES) // _LAYER_LINE_BYTES
    # One layer for the rest and one for the user's code.
    room = max(0, min(room, _MOST_LAYERS) - base_layers - 2)
    heavy = sorted(
        (owner for owner, size in compressed.items() if size >= HEAVY_BYTES),
        key=lambda owner: (-compressed[owner], owner),
    )
    alone = sorted(heavy[:room])
    rest = tuple(sorted(compressed.keys() - set(alone)))
    return [*((owner,) for owner in alone), *((rest,) if rest else ())]
