"""Locking through `pip install --dry-run --report` of the running interpreter's pip."""

import importlib.metadata
import json
from collections.abc import Mapping
from typing import Any

from packaging.pylock import Pylock
from packaging.utils import canonicalize_name

from packager.errors import CannotBuild
from packager.lock.backend import LockJob
from packager.lock.existing_files import existing_files
from packager.lock.indexes import is_local
from packager.lock.lockfile import lock_of
from packager.lock.pip_failures import explain_pip
from packager.lock.pip_process import REPORT, run_pip
from packager.model.progress import Reporter
from packager.model.requirement import IndexSettings


class PipBackend:
    """The pip that is installed beside lpack."""

    def describe(self) -> str:
        """Name pip and its version."""
        return f"pip {importlib.metadata.version('pip')}"

    def lock(self, job: LockJob, reporter: Reporter) -> Pylock:  # noqa: ARG002 -- the protocol's
        """Resolve `job` with wheels only, then with the allowed source distributions."""
        _refuse_mixed_indexes(job.indexes)
        done = run_pip(job)
        if done.returncode != 0 and job.allow_sdist:
            done = run_pip(job, sdists=True)
        if done.returncode != 0:
            text = done.stdout + done.stderr
            raise explain_pip(text, job, existing=lambda wanted: existing_files(wanted, job))
        report = json.loads((job.workdir / REPORT).read_text(encoding="utf-8"))
        return pylock_of_report(report)


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
