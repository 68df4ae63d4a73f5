"""Locking through `pip install --dry-run --report` of the running interpreter's pip."""

import importlib.metadata
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from packaging.pylock import Pylock
from packaging.utils import canonicalize_name

from packager.errors import CannotBuild
from packager.lock.backend import LockJob
from packager.lock.conflicts import explain_pip
from packager.lock.indexes import is_local
from packager.lock.lockfile import lock_of
from packager.lock.processes import Finished, run
from packager.lock.resolver_input import python_version, write_input
from packager.model.progress import Reporter
from packager.model.requirement import IndexSettings
from packager.model.target import Target

_RUNNER = Path(__file__).with_name("pip_runner.py")


class PipBackend:
    """The pip that is installed beside lpack."""

    def describe(self) -> str:
        """Name pip and its version."""
        return f"pip {importlib.metadata.version('pip')}"

    def lock(self, job: LockJob, reporter: Reporter) -> Pylock:  # noqa: ARG002 -- the protocol's
        """Resolve `job` with wheels only, then with the allowed source distributions."""
        _refuse_mixed_indexes(job.indexes)
        done = self._install(job, sdists=False)
        if done.returncode != 0 and job.allow_sdist:
            done = self._install(job, sdists=True)
        if done.returncode != 0:
            raise explain_pip(f"{done.stdout}\n{done.stderr}", job)
        report = json.loads((job.workdir / "report.json").read_text(encoding="utf-8"))
        return pylock_of_report(report)

    def _install(self, job: LockJob, *, sdists: bool) -> Finished:
        indexes = _offline(job.indexes) if job.offline else job.indexes
        files = write_input(job, options=option_lines(indexes))
        arguments = [
            *("install", "--dry-run", "--ignore-installed", "--no-input", "--no-color"),
            *("--progress-bar", "off", "--disable-pip-version-check", "--report", "report.json"),
            *("--target", "unused", "--only-binary", ":all:"),
            *target_options(job.target),
            *("--requirement", files.requirements.name, "--constraint", files.constraints.name),
        ]
        if sdists:
            for name in sorted(job.allow_sdist):
                arguments += ["--no-binary", name]
        if job.requirements.prereleases:
            arguments.append("--pre")
        if indexes.certificate:
            arguments += ["--cert", indexes.certificate]
        request = job.workdir / "request.json"
        environment = dict(job.target.marker_environment)
        text = {"environment": environment, "arguments": arguments, "allow_sdists": sdists}
        request.write_text(json.dumps(text), encoding="utf-8")
        # -P keeps the runner's folder, where a `select` module lies, out of the search path.
        return run(
            [sys.executable, "-P", str(_RUNNER), request.name],
            cwd=job.workdir,
            environment={"PIP_PROXY": indexes.proxy} if indexes.proxy else None,
        )


def target_options(target: Target) -> list[str]:
    """Give the options that tell pip the target's wheel tags.

    pip takes platforms literally (pip#10760), so that every one is listed, in the order of the
    tags. `abi3` and `none` must be listed as well, or stable-ABI wheels are not found.
    """
    platforms = dict.fromkeys(tag.split("-", 2)[2] for tag in target.tags)
    options = ["--python-version", python_version(target), "--implementation", "cp"]
    major, minor = target.python
    for abi in (f"cp{major}{minor}", "abi3", "none"):
        options += ["--abi", abi]
    for platform in platforms:
        if platform != "any":
            options += ["--platform", platform]
    return options


def option_lines(indexes: IndexSettings) -> list[str]:
    """Give the index settings as lines of a requirements file, which replace pip's own settings.

    In a file that only this user can read, credentials are neither arguments nor variables.
    """
    lines = []
    if indexes.no_index:
        lines.append("--no-index")
    elif indexes.index_url:
        lines.append(f"--index-url {indexes.index_url}")
    if not indexes.no_index:
        lines += [f"--extra-index-url {url}" for url in indexes.extra_index_urls]
    lines += [f"--find-links {_as_url(place)}" for place in indexes.find_links]
    return lines


def pylock_of_report(report: Mapping[str, Any]) -> Pylock:
    """Turn pip's installation report (version 1) into a lock with one file for each name."""
    return lock_of(
        [_package(item) for item in report["install"]],
        created_by=f"pip {report['pip_version']}",
    )


def _package(item: Mapping[str, Any]) -> dict[str, Any]:
    download, metadata = item["download_info"], item["metadata"]
    url = str(download["url"])
    package: dict[str, Any] = {
        "name": canonicalize_name(metadata["name"]),
        "version": str(metadata["version"]),
    }
    hashes = (download.get("archive_info") or {}).get("hashes") or {}
    if not hashes:
        raise CannotBuild(
            f"the index gives no digest for `{package['name']}=={package['version']}`",
            hint="use an index that gives sha256 digests",
        )
    entry: dict[str, Any] = {"url": url, "hashes": dict(hashes)}
    if item["is_direct"]:
        package["archive"] = entry
    elif url.partition("#")[0].endswith(".whl"):
        package["wheels"] = [entry]
    else:
        package["sdist"] = entry
    return package


def _refuse_mixed_indexes(indexes: IndexSettings) -> None:
    """Refuse, because pip merges all indexes and a stranger's project of the same name can win."""
    remote = [url for url in indexes.extra_index_urls if not is_local(url)]
    if remote and indexes.strategy == "first-index":
        raise CannotBuild(
            "pip merges all package indexes and cannot look a name up on the first index only",
            hint='install uv, or accept the merging with `index-strategy = "unsafe-best-match"`',
        )


def _offline(indexes: IndexSettings) -> IndexSettings:
    """Keep only what lies on this disk, since pip has no mode without network."""
    local = [url for url in (indexes.index_url, *indexes.extra_index_urls) if url and is_local(url)]
    return IndexSettings(
        index_url=local[0] if local else None,
        extra_index_urls=tuple(local[1:]),
        find_links=tuple(place for place in indexes.find_links if is_local(place)),
        no_index=not local,
        strategy=indexes.strategy,
    )


def _as_url(place: str) -> str:
    return place if "://" in place else Path(place).absolute().as_uri()
