"""Plans: what can be done about an artifact, what it costs, and how sure each figure is."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

Confidence = Literal["exact", "measured", "modelled", "quoted"]
"""How sure a figure is.

`exact` follows from bytes that are known; `measured` was measured on this machine; `modelled`
comes from the cost model; `quoted` is somebody's published figure.
"""

Way = Literal["trim", "upload", "layers", "nested", "s3", "image"]
"""How a plan gets there; `trim` also holds the subtraction that a loosened pin allows."""

MEMORY_SIZES_MB = (512, 1024, 1769, 3008)
"""The memory sizes, in MB as Lambda counts them, that start-up is priced at."""


class Item(NamedTuple):
    """One distribution that ships and can be placed.

    `compressed_bytes` is what it adds to a zip, headers included. `start_ms` is what importing
    its modules took when that was measured; `starts` tells whether start-up needs it, and is true
    when nobody knows.
    """

    name: str
    version: str
    entries: int
    uncompressed_bytes: int
    compressed_bytes: int
    start_ms: float | None = None
    starts: bool = True


class Circumstances(NamedTuple):
    """What about the function decides which plans are open to it.

    Sizes are MB and MiB as AWS names them: `memory_mb` 128 to 10,240, `tmp_mib` 512 to 10,240
    (None: as much as it takes). `environment_bytes` is the JSON of the function's variables.
    """

    kind: str = "lambda"
    runtime: str = "python3.13"
    upload: str = "direct"
    memory_mb: int = 1024
    tmp_mib: int | None = None
    snapstart: bool = False
    provisioned_concurrency: bool = False
    managed_instances: bool = False
    vpc: bool = False
    s3_endpoint: bool = False
    existing_zip_function: bool = True
    environment_bytes: int = 0
    invocations_per_month: int = 1_000_000
    milliseconds_per_invocation: int = 200


class Situation(NamedTuple):
    """What is planned from: a built function, or a foreign zip as far as it tells.

    `code` is the user's own; `attached_*` are layers that are there already and stay.
    `unzipped_limit` and `zipped_limit` are exclusive bytes. `arranged` tells that it fits as it was
    built, with layers, archives for /tmp or as an image, whatever one zip would weigh.
    """

    function: str
    items: tuple[Item, ...]
    code: Item
    circumstances: Circumstances
    unzipped_limit: int
    zipped_limit: int
    most_layers: int
    attached_layers: int = 0
    attached_uncompressed_bytes: int = 0
    start_ms: float | None = None
    arranged: bool = False

    @property
    def uncompressed_bytes(self) -> int:
        """What Lambda would count unzipped, layers included."""
        own = sum(item.uncompressed_bytes for item in self.items)
        return own + self.code.uncompressed_bytes + self.attached_uncompressed_bytes

    @property
    def compressed_bytes(self) -> int:
        """The zip with everything in it, its end record included."""
        return sum(i.compressed_bytes for i in self.items) + self.code.compressed_bytes + 22

    @property
    def zip_is_limited(self) -> bool:
        """Whether the zipped limit holds: not for Lambda when the upload goes through S3."""
        return self.circumstances.upload == "direct" or self.circumstances.kind == "edge"

    @property
    def uncompressed_excess(self) -> int:
        """How many bytes unzipped must go, or 0."""
        return max(0, self.uncompressed_bytes - self.unzipped_limit + 1)

    @property
    def compressed_excess(self) -> int:
        """How many bytes zipped must go, or 0."""
        if not self.zip_is_limited:
            return 0
        return max(0, self.compressed_bytes - self.zipped_limit + 1)

    @property
    def fits(self) -> bool:
        """Whether nothing has to be done."""
        return self.arranged or (not self.uncompressed_excess and not self.compressed_excess)


class Taken(NamedTuple):
    """What a trim takes off one distribution, in bytes, and which files where it knows them."""

    name: str
    uncompressed_bytes: int
    compressed_bytes: int
    paths: tuple[str, ...] = ()


class Trim(NamedTuple):
    """Something that can leave, by which setting, and what that takes off which distribution.

    `removes` tells that the distributions leave as a whole, so that nothing else can be trimmed
    off them. `risk` orders trims, least first: 1 nothing can break, 2 a rule with a check, 3 the
    author must know, 4 a feature is lost. `requirement` is what to write instead in the project,
    when that is what it takes.
    """

    id: str
    title: str
    takes: tuple[Taken, ...]
    confidence: Confidence
    risk: int
    removes: bool = False
    settings: tuple[tuple[str, Any], ...] = ()
    requirement: str | None = None

    @property
    def touches(self) -> frozenset[str]:
        """The distributions it concerns."""
        return frozenset(taken.name for taken in self.takes)

    @property
    def uncompressed_bytes(self) -> int:
        """What leaves unzipped."""
        return sum(taken.uncompressed_bytes for taken in self.takes)

    @property
    def compressed_bytes(self) -> int:
        """What leaves zipped, headers included."""
        return sum(taken.compressed_bytes for taken in self.takes)


class Start(NamedTuple):
    """What a cold start takes at one memory size, in seconds; `late` is paid at first use."""

    memory_mb: int
    seconds: float
    late_seconds: float


class Objection(NamedTuple):
    """A rule of AWS that speaks against a plan: it `forbids`, or is only to be known."""

    rule: str
    forbids: bool
    text: str
    source: str


class Plan(NamedTuple):
    """One way to make the artifact fit, with its prices.

    `moved` are distributions that leave the zip, `bins` how they are shared out among layers,
    `archives` the bytes that the nested ones are foreseen to take.
    `starts` are for `MEMORY_SIZES_MB`. `tmp_bytes` is what /tmp holds at most while starting.
    `monthly_dollars` is for ephemeral storage above the 512 MiB that are free.
    `proved` tells that no other choice of `moved` costs less.
    """

    way: Way
    title: str
    trims: tuple[Trim, ...]
    moved: tuple[str, ...]
    bins: tuple[tuple[str, ...], ...]
    uncompressed_bytes: int
    compressed_bytes: int
    bytes_confidence: Confidence
    fits: bool
    headroom_bytes: int
    starts: tuple[Start, ...]
    start_confidence: Confidence
    tmp_bytes: int
    tmp_mib: int
    monthly_dollars: float
    objections: tuple[Objection, ...]
    notes: tuple[str, ...]
    settings: Mapping[str, Any]
    proved: bool = True
    archives: tuple[tuple[str, int], ...] = ()

    @property
    def possible(self) -> bool:
        """Whether it fits and AWS allows it."""
        return self.fits and not any(objection.forbids for objection in self.objections)
