"""Running the interpreter's pip for a target that is not this machine."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from packager.lock.backend import LockJob
from packager.lock.build_environment import for_installers
from packager.lock.indexes import as_url, is_local
from packager.lock.pip_sources import source_variables
from packager.lock.processes import Finished, run
from packager.lock.resolver_input import python_version, write_input
from packager.model.requirement import IndexSettings
from packager.model.target import Target

REPORT = "report.json"
_RUNNER = Path(__file__).with_name("pip_runner.py")


def run_pip(
    job: LockJob,
    *,
    sdists: bool = False,
    extra: Sequence[str] = (),
    lines: Sequence[str] | None = None,
) -> Finished:
    """Let pip resolve `job` and write its report into the workdir.

    `sdists` permits the allowed source distributions, `extra` are further options, `lines`
    replace the requirements of the job.
    """
    indexes = _offline(job.indexes) if job.offline else job.indexes
    files = write_input(job, options=option_lines(indexes), lines=lines)
    arguments = [
        *("install", "--dry-run", "--ignore-installed", "--no-input", "--no-color"),
        *("--progress-bar", "off", "--disable-pip-version-check", "--report", REPORT),
        *("--target", "unused", "--only-binary", ":all:"),
        *target_options(job.target),
        *("--requirement", files.requirements.name, "--constraint", files.constraints.name),
        *extra,
    ]
    if job.requirements.prereleases:
        arguments.append("--pre")
    if job.exclude_newer:
        arguments += ["--uploaded-prior-to", job.exclude_newer]
    if indexes.certificate:
        arguments += ["--cert", indexes.certificate]
    request = job.workdir / "request.json"
    markers = dict(job.target.marker_environment)
    text = {"environment": markers, "arguments": arguments, "allow_sdists": sdists}
    request.write_text(json.dumps(text), encoding="utf-8")
    environment = {"PIP_PROXY": indexes.proxy} if indexes.proxy else {}
    if sdists:
        environment |= source_variables(job.allow_sdist, job.workdir)
    # -P keeps the runner's folder, where a `select` module lies, out of the search path.
    return run(
        [sys.executable, "-P", str(_RUNNER), request.name],
        cwd=job.workdir,
        environment=environment,
        base=for_installers() if sdists else None,
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
    return [*lines, *(f"--find-links {as_url(place)}" for place in indexes.find_links)]


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
