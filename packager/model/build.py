"""One finished build: everything a manifest or a report is made of."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from packager.model.artifact import ZipArtifact
from packager.model.image import ImageArtifact
from packager.model.layer import ForeignLayer
from packager.model.payload import Dependencies
from packager.model.project import Function


class BuildOptions(NamedTuple):
    """How to build, as opposed to what: nothing here changes the bytes of equal inputs.

    `frozen` forbids resolving anew, `offline` forbids the network, `upgrade` forgets the
    remembered resolution, `write_lock` writes a PEP 751 file next to the project. A build that is
    `alone` takes nothing from a shared store.
    """

    frozen: bool = False
    offline: bool = False
    upgrade: bool = False
    write_lock: bool = False
    alone: bool = False


class BuiltLayer(NamedTuple):
    """A layer of a function: one that was written, or one that was built elsewhere.

    `root` is the folder of its Python packages in its zip.
    """

    name: str
    root: str
    artifact: ZipArtifact | None = None
    foreign: ForeignLayer | None = None

    @property
    def compressed_bytes(self) -> int:
        """The size of its zip."""
        known = self.artifact or self.foreign
        return known.compressed_bytes if known is not None else 0

    @property
    def uncompressed_bytes(self) -> int:
        """The sum of its files, which counts together with the function's."""
        known = self.artifact or self.foreign
        return known.uncompressed_bytes if known is not None else 0


class FunctionLayers(NamedTuple):
    """The layers of one function in their order, and which distribution went into which.

    `dependencies` are those the layers were filled from.
    """

    layers: tuple[BuiltLayer, ...] = ()
    placed: Mapping[str, str] = MappingProxyType({})
    dependencies: Dependencies | None = None

    @property
    def digests(self) -> list[str]:
        """The sha256 of each layer's zip, which stands for all that is in it."""
        known = [layer.artifact or layer.foreign for layer in self.layers]
        return [each.sha256 for each in known if each is not None]

    def place(self, dependencies: Dependencies) -> Dependencies:
        """Return `dependencies` where each distribution tells the layer that has it."""
        placed = [
            each._replace(layer=self.placed.get(each.name, each.layer))
            for each in dependencies.distributions
        ]
        return dependencies._replace(distributions=tuple(placed))


NO_LAYERS = FunctionLayers()


class Share(NamedTuple):
    """What one owner holds of the artifact, in bytes.

    Shallow bytes are its own files. Retained bytes are what would leave the bundle if nothing
    required it any more: itself and everything only it brings along.
    """

    name: str
    version: str
    entries: int
    compressed_bytes: int
    uncompressed_bytes: int
    retained_compressed_bytes: int
    retained_uncompressed_bytes: int


class LimitCheck(NamedTuple):
    """One limit and what was measured; `headroom_bytes` is negative when it does not fit.

    AWS's limits are exclusive: an artifact of exactly `limit_bytes` is refused. A limit that
    does not bind, such as the direct upload limit when the upload goes through S3, is measured
    and shown all the same.
    """

    name: str
    title: str
    limit_bytes: int
    measured_bytes: int
    binding: bool
    source: str

    @property
    def passed(self) -> bool:
        """Whether AWS accepts the artifact as far as this limit goes."""
        return not self.binding or self.measured_bytes < self.limit_bytes

    @property
    def headroom_bytes(self) -> int:
        """How many more bytes would still be accepted."""
        return self.limit_bytes - 1 - self.measured_bytes


class Measurement(NamedTuple):
    """Sizes of an artifact by owner, and the verdict on AWS's limits.

    `shares` are the distributions, the largest first; `code` is the user's own.
    """

    shares: tuple[Share, ...]
    code: Share
    limits: tuple[LimitCheck, ...]

    @property
    def fits(self) -> bool:
        """Whether every binding limit holds."""
        return all(check.passed for check in self.limits)


class Build(NamedTuple):
    """A function, its dependencies, what was written and what it measures.

    `excluded` are paths of the user's tree that were left out, with the rule. `encoders` name
    what deflated the streams that were not spliced. `prefix_key` leads to what is remembered of
    the part of a zip that the next build repeats; empty when nothing is.
    """

    function: Function
    dependencies: Dependencies
    artifact: ZipArtifact | ImageArtifact
    measurement: Measurement
    excluded: tuple[tuple[str, str], ...]
    encoders: tuple[str, ...]
    layers: tuple[BuiltLayer, ...] = ()
    prefix_key: str = ""

    @property
    def placed(self) -> dict[str, str]:
        """Which of the distributions that ship are in which layer."""
        return {each.name: each.layer for each in self.dependencies.shipped if each.layer}
