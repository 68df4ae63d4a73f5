"""The first half of the pipeline: from requirements to payloads in the store.

What leads to a remembered or a shared answer stands here; what makes one, and loads the resolver
and all that reads wheels, stands in `making`.
"""

from pathlib import Path

from packager.code_identity import code_identity
from packager.inputs.requirements import read_requirements
from packager.model.build import BuildOptions
from packager.model.deflating import encoder
from packager.model.payload import Dependencies
from packager.model.progress import Reporter
from packager.model.project import Function
from packager.model.target import Target
from packager.pipeline.memory import (
    Losses,
    Memory,
    digest_of,
    key_of,
    layer_files,
    look_at,
    settings_of,
)
from packager.pipeline.requirements import content_of
from packager.pipeline.shared import shared_build
from packager.place.offload_settings import check_offload
from packager.runtime.targets import load_quotas, load_target
from packager.wheels.store import EntryLostError


def resolve_dependencies(
    function: Function,
    memory: Memory,
    *,
    options: BuildOptions,
    reporter: Reporter,
) -> Dependencies:
    """Lock, select, fetch, admit and subtract; the result is remembered.

    What the store loses meanwhile (somebody prunes it, a disk fails) is made again. Raises
    LpackError for what the user's files, the index, a wheel or the disk did.
    """
    losses = Losses(memory.store)
    while True:
        try:
            return _resolve(function, memory, options=options, reporter=reporter)
        except EntryLostError as lost:
            losses.note(lost.what, altered=lost.altered)
            reporter.step(f"the store lost {lost.what}; once more")


def _resolve(
    function: Function,
    memory: Memory,
    *,
    options: BuildOptions,
    reporter: Reporter,
) -> Dependencies:
    target = _target(function)
    requirements = read_requirements(function)
    seen = look_at(
        [*requirements.files, *_beside(function)],
        [project.path for project in requirements.local_projects],
    )
    beside = [digest_of(path) for path in _beside(function)]
    content = [content_of(requirements), beside]
    key = key_of(code_identity(), encoder(), settings_of(function), content)
    anew = options.upgrade or options.write_lock
    known = None if anew else memory.recall_content(key)
    if known is not None:
        memory.point(key, seen=seen)
        return known
    shared = shared_build(function, memory, options=options, reporter=reporter)
    if shared is not None and not anew:
        known = shared.recall_determined(requirements, beside)
    if known is None:
        # Loaded here because an answer needs neither a resolver nor a wheel.
        from packager.pipeline.making import Work, make_dependencies  # noqa: PLC0415

        work = Work(function, memory.store, options, reporter, shared)
        known = make_dependencies(work, requirements, target, beside)
    memory.remember(key, known, seen=seen)
    return known


def _target(function: Function) -> Target:
    """Return the target, after a look at what cannot be on it whatever the dependencies are."""
    target = load_target(function.runtime, function.architecture, function.kind)
    check_offload(function, target, largest_mib=load_quotas(target.kind)["tmp_largest_mib"])
    return target


def _beside(function: Function) -> list[Path]:
    """Files that decide the dependencies besides the requirements; a trace need not be there."""
    wants_trace = function.slim == "traced" or function.bytecode
    catalog = [each for each in (function.catalog, function.trusted_root) if each]
    return [*catalog, *([function.trace] if wants_trace else []), *layer_files(function)]
