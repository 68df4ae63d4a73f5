"""Pruning: which files of a verified wheel do not ship, why, and what the user said about it."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

Tier = Literal["format", "inert", "declared", "service", "user", "traced", "bytecode"]
"""Who says that a file need not ship.

`format`: the wheel format has no place for it in a bundle. `inert`: no program on a Lambda
runtime can use it. `declared`: a rule for this distribution and version, with a check that
guards it. `service`: data of a cloud service that is not among the named ones. `user`: a glob of
the configuration. `traced`: nobody opened it while the real handler ran (moved, never deleted).
`bytecode`: none was made of it, or it did not fit the budget.
"""

SlimTier = Literal["off", "inert", "declared", "traced"]
"""What the `slim` setting says: a tier of pruning, or the last one with files set aside."""

PruneTier = Literal["off", "inert", "declared"]
"""How far lpack goes by itself: each tier includes the ones before it."""


class Dropped(NamedTuple):
    """One file that does not ship.

    `path` is its name in the bundle. `rule` is the id of the rule, or the user's reason.
    `compressed_bytes` is its stream as the wheel holds it, without zip headers.
    """

    path: str
    tier: Tier
    rule: str
    uncompressed_bytes: int
    compressed_bytes: int


class SlimSettings(NamedTuple):
    """What the user wants slimmed.

    `rules` are ids of declared rules that are off unless named. `keep` are globs that win over
    every tier, `drop` are (glob, reason); globs are those of `.gitignore`. `services` maps
    `botocore` and `googleapiclient` to the names that stay; without an entry everything stays.
    `level` is the deflate level of libdeflate, 1 to 12, for what is deflated anew: stripped
    libraries, and with `recompress` everything that becomes smaller.
    """

    tier: PruneTier = "inert"
    rules: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    drop: tuple[tuple[str, str], ...] = ()
    services: Mapping[str, tuple[str, ...]] | None = None
    strip: bool = True
    level: int = 9
    recompress: bool = True
