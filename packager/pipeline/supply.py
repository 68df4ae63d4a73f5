"""Bills of materials and provenance: written beside an artifact, from its manifest and the store.

manifest → wheels and payloads of the store → CycloneDX, in-toto
"""

import hashlib
import json
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from packager.assemble.output import atomic_output
from packager.errors import UsageError
from packager.lock.public_index import public_hosts
from packager.model.build import Build
from packager.model.payload import Distribution
from packager.model.progress import Reporter
from packager.model.project import Function, SourceTree
from packager.model.redaction import redact_url
from packager.model.supply import Supply, is_vendored
from packager.pipeline.build import manifest_path
from packager.pipeline.image_fit import modified_seconds
from packager.pipeline.memory import proven_payload
from packager.pipeline.provenance import write_provenance
from packager.report.cyclonedx import check_extra, render_cyclonedx
from packager.wheels.own_words import read_own_words
from packager.wheels.store import Store

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:\S+")


def check_supply(function: Function) -> None:
    """Raise UsageError, before anything is built, when an extra is missing or an id is no URI."""
    if function.sbom:
        check_extra()
    if function.builder_id and not _URI.fullmatch(function.builder_id):
        raise UsageError(
            f"`builder-id` is `{redact_url(function.builder_id)}`, which is no URI",
            hint='builder-id = "https://github.com/OWNER/REPOSITORY/actions"',
        )


def write_supply(build: Build, tree: SourceTree, *, store: Store, reporter: Reporter) -> list[Path]:
    """Write what the settings of the function ask for, and return the paths; raises LpackError."""
    function = build.function
    manifest = _read_manifest(function)
    urls = {each.wheel: _public_url(each) for each in build.dependencies.distributions}
    written = []
    if function.sbom:
        written.append(_write_sbom(build, manifest, urls, store=store))
    if function.provenance:
        told = {wheel: url for wheel, url in urls.items() if url}
        sbom = written[0] if written else None
        written.append(write_provenance(build, tree, manifest, urls=told, sbom=sbom, store=store))
    for path in written:
        reporter.step(f"wrote {path.name}")
    return written


def sbom_path(function: Function) -> Path:
    """Where the bill of materials of `function` goes; scanners know the ending."""
    return function.target_dir / f"{function.name}.cdx.json"


def _write_sbom(
    build: Build, manifest: Mapping[str, Any], urls: Mapping[str, str], *, store: Store
) -> Path:
    function, path = build.function, sbom_path(build.function)
    supplies = {
        each.name: _supply(each, urls[each.wheel], store=store)
        for each in build.dependencies.distributions
        if not each.subtracted
    }
    # Files are dated by the same variable: without it nothing of a build has a date.
    text = render_cyclonedx(manifest, supplies, made_seconds=modified_seconds() or None)
    with atomic_output(path, durable=function.release, hashed=False) as output:
        output.write(text.encode())
    return path


def _read_manifest(function: Function) -> Mapping[str, Any]:
    """Return the manifest that the build has just written."""
    manifest: dict[str, Any] = json.loads(manifest_path(function).read_bytes())
    return manifest


def _public_url(distribution: Distribution) -> str:
    """Return where a wheel is on the public index, empty for all others."""
    host = urlsplit(distribution.source).hostname
    return distribution.source if host in public_hosts() else ""


def _supply(distribution: Distribution, url: str, *, store: Store) -> Supply:
    elsewhere = "private" if distribution.source else "file"
    facts = read_own_words(store.proven_wheel(distribution.wheel_sha256))
    archive = distribution.offloaded
    return Supply(
        place="index" if url else elsewhere,
        url=url,
        facts=facts,
        libraries=_libraries(distribution, facts.vendored, store=store),
        archive_sha256=archive.sha256 if archive is not None else "",
    )


def _libraries(
    distribution: Distribution, vendored: tuple[str, ...], *, store: Store
) -> tuple[tuple[str, str], ...]:
    """Return the vendored libraries that ship, with the digest of what slimming left of them."""
    if not vendored:
        return ()
    if distribution.offloaded is not None:
        dropped = {each.path for payload in distribution.payloads for each in payload.dropped}
        return tuple((path, "") for path in vendored if path not in dropped)
    with zipfile.ZipFile(proven_payload(store, distribution.payload)) as archive:
        return tuple(
            (name, hashlib.sha256(archive.read(name)).hexdigest())
            for name in sorted(archive.namelist())
            if is_vendored(name)
        )
