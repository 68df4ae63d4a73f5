"""What of an image its next build repeats when only the user's code changed: all other layers.

As `packager.pipeline.prefix` does for zips: a damaged or lost entry costs a look at all payloads,
never a wrong byte, because every layer that is copied is held against its digest.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from packager.assemble.open_payload import PayloadSource
from packager.code_identity import code_identity
from packager.model.deflating import encoder
from packager.model.image import ImageBlob, ImageContents
from packager.model.payload import Dependencies
from packager.model.project import Function
from packager.pipeline.blobs import MadeBlobs, Packing
from packager.pipeline.memory import key_of, settings_of
from packager.pipeline.prefix import facts_of, read_content, write_content
from packager.wheels.store import Store

_KIND = "image-layers"


class RepeatedLayers(NamedTuple):
    """The layers of distributions, without their files, and what a manifest tells of those.

    `names` are those of all files, each ended by a line feed.
    """

    made: MadeBlobs
    names: bytes
    distributions: str


class LayerMemory:
    """Remembers the layers of one function for exactly these payloads."""

    def __init__(
        self,
        store: Store,
        function: Function,
        dependencies: Dependencies,
        payloads: Sequence[PayloadSource],
        packing: Packing,
        *,
        base_layers: int,
    ) -> None:
        """Look at nothing yet. What begins with lpack's bootstrap is not remembered."""
        self._store = store
        self._usable = all(each.owner for each in payloads)
        facts = facts_of(dependencies, payloads)
        making = [encoder(), list(packing), base_layers]
        self._key = key_of(_KIND, code_identity(), settings_of(function), *facts, making)

    def recall(self) -> RepeatedLayers | None:
        """Return what is remembered, if all of it is as it was written and the layers are there."""
        found = read_content(self._store, _KIND, self._key) if self._usable else None
        if found is None:
            return None
        document, content = found
        blobs = tuple(self._blob(row) for row in document["blobs"])
        if not all(self._store.has("blobs", row["key"], ".gz") for row in document["blobs"]):
            return None
        owned = tuple(ImageContents(*row) for row in document["owned"])
        end = document["names"]
        return RepeatedLayers(MadeBlobs(blobs, owned), content[:end], content[end:].decode())

    def remember(self, made: MadeBlobs, distributions: str) -> None:
        """Keep it for the next build; raises CannotBuild when the disk does not take it."""
        if not self._usable:
            return
        records = (record for each in made.contents for record in each.records)
        names = b"".join([record.name + b"\n" for record in records])
        content = names + distributions.encode()
        document = {
            "names": len(names),
            "blobs": [_row(blob) for blob in made.blobs],
            "owned": [list(each._replace(records=()))[:-1] for each in made.contents],
        }
        write_content(self._store, _KIND, self._key, content, document)

    def forget(self) -> None:
        """Drop what turned out not to hold."""
        self._store.discard(_KIND, self._key, ".json")

    def _blob(self, row: dict[str, Any]) -> ImageBlob:
        place = self._store.file("blobs", row["key"], ".gz")
        facts = {name: value for name, value in row.items() if name != "key"}
        facts["owners"] = tuple(row["owners"])
        return ImageBlob(**facts, from_base=False, path=str(place))


def _row(blob: ImageBlob) -> dict[str, Any]:
    """Return everything of a layer but its place, which moves with the store."""
    row = blob._asdict()
    del row["from_base"], row["path"]
    return {**row, "key": blob.path.rpartition("/")[2].removesuffix(".gz")}
