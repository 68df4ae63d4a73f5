"""Layers that several functions of a project share, and what that changes."""

from typing import NamedTuple


class Shared(NamedTuple):
    """A distribution (one version, slimmed one way), its users, and its changes in a month.

    `requires` are the names of what it requires and ships.
    """

    name: str
    version: str
    uncompressed_bytes: int
    compressed_bytes: int
    users: frozenset[str]
    changes_per_month: float = 1.0
    requires: tuple[str, ...] = ()


class Consumer(NamedTuple):
    """A function: its deployments in a month, its zip with everything in it, layers it has."""

    name: str
    deployments_per_month: float
    compressed_bytes: int
    uncompressed_bytes: int
    attached_layers: int = 0


class SharedLayer(NamedTuple):
    """A layer of the plan, named by what weighs most in it."""

    name: str
    distributions: tuple[str, ...]
    functions: tuple[str, ...]
    compressed_bytes: int
    uncompressed_bytes: int
    changes_per_month: float


class Traffic(NamedTuple):
    """Bytes uploaded in a month, and bytes stored (unzipped, as AWS counts code storage)."""

    uploaded_bytes: int
    stored_bytes: int


class Sharing(NamedTuple):
    """The layers of a project and what they change; `proved` tells that nothing is better."""

    layers: tuple[SharedLayer, ...]
    before: Traffic
    after: Traffic
    proved: bool
