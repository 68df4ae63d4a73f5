"""The user's project: functions, their settings and their own code."""

from pathlib import Path
from typing import Literal, NamedTuple

from packager.model.budget import NO_BUDGETS, Budgets
from packager.model.image_settings import ImageSettings, PackageType
from packager.model.layer import LayerReference, OwnLayer
from packager.model.prune import SlimTier
from packager.model.target import Architecture, TargetKind


class Guess(NamedTuple):
    """Something nobody configured: what lpack chose and from which sign."""

    setting: str
    value: str
    because: str


class Function(NamedTuple):
    """One Lambda function with every setting resolved (command line over configuration).

    `handler` is `module.function` as Lambda takes it. `sources` are files and folders of the
    user's own code, absolute. `requirements` are references as configured: `project`,
    `extra:NAME`, `group:NAME` or a file. `subtract` maps a normalized name, or `*`, to a policy.
    `upload` is `direct` (the 50 MiB limit of the API holds) or `s3`. `slim` to `release` are
    those of `packager.model.prune.SlimSettings`; `release` deflates everything at the best level.
    `added_requirements` are PEP 508 texts that nobody wrote down, each with where it comes from.
    `bytecode` is the budget for it in uncompressed bytes; `trace` what `lpack trace` wrote.
    `offload` are names of distributions that arrive in /tmp, `NAME+` with what only they need;
    `offload_url` is `s3://BUCKET/PREFIX` or empty. `ephemeral_storage` is /tmp in MiB.
    `attestations` maps a normalized name, or `*`, to what is demanded of files, `publishers` one
    to those who may have published it.
    """

    name: str
    root: Path
    handler: str
    runtime: str
    architecture: Architecture
    kind: TargetKind
    sources: tuple[Path, ...]
    requirements: tuple[str, ...]
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    allow_secrets: tuple[str, ...] = ()
    allow_sdist: tuple[str, ...] = ()
    allow_record_mismatch: tuple[str, ...] = ()
    subtract: tuple[tuple[str, str], ...] = ()
    catalog: Path | None = None
    index_url: str | None = None
    extra_index_urls: tuple[str, ...] = ()
    index_strategy: str | None = None
    exclude_newer: str | None = None
    attestations: tuple[tuple[str, str], ...] = ()
    publishers: tuple[tuple[str, tuple[str, ...]], ...] = ()
    trusted_root: Path | None = None
    resolver: Literal["auto", "uv", "pip"] = "auto"
    upload: Literal["direct", "s3"] = "direct"
    package_type: PackageType = "zip"
    image: ImageSettings = ImageSettings()
    image_archive: bool = False
    sbom: bool = False
    provenance: bool = False
    builder_id: str = ""
    added_requirements: tuple[tuple[str, str], ...] = ()
    layers: tuple[OwnLayer | LayerReference, ...] = ()
    slim: SlimTier = "inert"
    slim_rules: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    drop: tuple[tuple[str, str], ...] = ()
    services: tuple[tuple[str, tuple[str, ...]], ...] = ()
    strip: bool = True
    release: bool = False
    bytecode: int = 0
    offload: tuple[str, ...] = ()
    offload_from: Literal["zip", "s3"] = "zip"
    offload_codec: Literal["auto", "deflate", "xz", "zstd"] = "auto"
    offload_url: str = ""
    ephemeral_storage: int = 512
    snapstart: bool = False
    trace: Path = Path(".lpack-trace.json")
    budgets: Budgets = NO_BUDGETS
    target_dir: Path = Path("dist")
    guesses: tuple[Guess, ...] = ()
    configuration_files: tuple[Path, ...] = ()


class SourceFile(NamedTuple):
    """One file of the user's own code.

    `archive_name` is where it goes, with forward slashes. `path` is absolute and already
    followed. `identity` is (size in bytes, mtime in ns, ctime in ns, inode, device): a file
    whose identity did not change is taken to be unchanged.
    """

    archive_name: str
    path: str
    executable: bool
    identity: tuple[int, int, int, int, int]


class SourceTree(NamedTuple):
    """All files of the user's code, ordered by archive name, and what was looked at.

    `folders` maps every folder that was listed (absolute) to its identity, so that added and
    removed files are noticed. `excluded` are paths left out, with the rule, for the manifest.
    """

    files: tuple[SourceFile, ...]
    folders: tuple[tuple[str, tuple[int, int]], ...]
    excluded: tuple[tuple[str, str], ...]
