"""What `lpack build` says when an artifact was written and is nevertheless too much."""

import json
import os
from collections.abc import Iterable, Iterator

from packager.cli.console import render_error
from packager.errors import LpackError
from packager.model.budget import NO_BUDGETS
from packager.model.build import Build, LimitCheck
from packager.pipeline.build import manifest_path
from packager.report.text import largest, mib


def render_refusals(builds: Iterable[Build]) -> str:
    """Return an error for each limit and each budget that is passed; empty when all is well."""
    errors = [error for build in builds for error in (*_limits(build), *_budgets(build))]
    return "".join(f"{render_error(error)}\n" for error in errors)


def shown_path(build: Build) -> str:
    """Return the artifact's path for people."""
    return seen_from_here(build.artifact.path)


def seen_from_here(path: str) -> str:
    """Return a path for people: from the current folder when it lies below."""
    relative = os.path.relpath(path)
    return path if relative.startswith("..") else relative


def _limits(build: Build) -> Iterator[LpackError]:
    """Word the passed limits: which, by how much, who is largest, and what to do."""
    for check in build.measurement.limits:
        if check.passed:
            continue
        excess = -check.headroom_bytes
        hint = (
            'upload through S3: `upload = "s3"` under [tool.lpack], or --upload s3'
            if check.name == "zip_direct_upload" or check.name.startswith("layer:")
            else "drop or replace the largest; Lambda layers do not raise this limit"
        )
        yield LpackError(
            f"`{_passing(build, check)}` passes AWS's limit for {check.title} by {mib(excess)}: "
            f"{check.measured_bytes:,} bytes, it must be below {check.limit_bytes:,}",
            details=[f"largest: {line}" for line in largest(build, check.name)],
            hint=hint,
        )


def _passing(build: Build, check: LimitCheck) -> str:
    """Name what passes a limit: one of the layers, or the function's own artifact."""
    for layer in build.layers:
        if check.name == f"layer:{layer.name}" and layer.artifact is not None:
            return layer.artifact.path.rpartition("/")[2]
    return shown_path(build)


def _budgets(build: Build) -> Iterator[LpackError]:
    """Word the passed budgets, those that need neither a baseline nor a measured import."""
    budgets = build.function.budgets
    if budgets == NO_BUDGETS:
        return
    # Loaded here because hardly any rebuild of a project has budgets, and each has to be quick.
    from packager.gate.rules import budget_outcomes  # noqa: PLC0415

    manifest = json.loads(manifest_path(build.function).read_text(encoding="utf-8"))
    for outcome in budget_outcomes(manifest, budgets, init_ms=None):
        finding = outcome.finding
        if finding is not None and finding.level == "error":
            yield LpackError(
                f"`{shown_path(build)}` {finding.message} ({finding.code})",
                details=finding.details,
                hint=finding.hint,
            )
