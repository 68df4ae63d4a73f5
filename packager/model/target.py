"""The target: what an artifact is built for, never the machine lpack runs on."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

Architecture = Literal["x86_64", "arm64"]
TargetKind = Literal["lambda", "edge"]

ARCHITECTURES: tuple[Architecture, ...] = ("x86_64", "arm64")
KINDS: tuple[TargetKind, ...] = ("lambda", "edge")


class Limit(NamedTuple):
    """One quota of AWS.

    `bytes` is exact and exclusive: a measured figure must stay strictly below it, as AWS's texts
    say ("must be smaller than 262144000 bytes"). `name` is stable and machine-readable.
    """

    name: str
    title: str
    bytes: int
    source: str
    date: str


class Target(NamedTuple):
    """A runtime on an architecture, as a kind of deployment.

    `glibc` is the C library of the runtime's operating system; wheels and libraries that need a
    newer one cannot be loaded there. `machine` is the wheel tags' word for the architecture
    (`aarch64` for `arm64`). `tags` holds the accepted wheel tags as text, best first.
    `marker_environment` holds the PEP 508 variables of the target.
    """

    runtime: str
    architecture: Architecture
    kind: TargetKind
    python: tuple[int, int]
    operating_system: str
    glibc: tuple[int, int]
    machine: str
    tags: tuple[str, ...]
    marker_environment: Mapping[str, str]
    sys_path: tuple[str, ...]
    ld_library_path: tuple[str, ...]
    limits: tuple[Limit, ...]
    snapstart: bool
    status: str
    source: str
    date: str

    @property
    def label(self) -> str:
        """The target in one word for people: `python3.13/arm64`."""
        suffix = "" if self.kind == "lambda" else f"/{self.kind}"
        return f"{self.runtime}/{self.architecture}{suffix}"
