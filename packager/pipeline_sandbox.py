"""Running a finished artifact here: the runtime's packages from the index, then the handler.

    manifest → target → interpreter → the runtime's packages (locked, fetched, kept) → sandbox

The packages are locked once for each runtime and set of indexes, with their digests; afterwards
neither a resolver nor the network is needed.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from packager.errors import CannotBuild, UsageError
from packager.lock.lockfile import parse_lock, render_lock
from packager.lock.locking import Locked, LockOptions, lock
from packager.model.finding import Finding
from packager.model.progress import Reporter
from packager.model.requirement import Declared, IndexSettings, RequirementSet
from packager.model.target import Target
from packager.pipeline_image_run import answer_in_image, check_image_digest
from packager.pipeline_memory import key_of
from packager.runtime.catalog import load_catalog, read_captured_catalog
from packager.runtime.sonames import system_sonames
from packager.runtime.targets import load_target
from packager.verify.artifact import require_digest
from packager.verify.dynamic import ImportReport, check_import
from packager.verify.emulator import find_emulator
from packager.verify.image_layout import is_image_layout
from packager.verify.interpreter import (
    Interpreter,
    can_run_here,
    find_interpreter,
    this_machine,
)
from packager.verify.invoke import invoke
from packager.verify.layers import layer_paths
from packager.verify.runtime_folder import install_runtime, runtime_requirements
from packager.verify.sandbox import Sandbox, Subject, open_sandbox
from packager.verify.serving import Answer
from packager.wheels.download import fetch
from packager.wheels.store import Store


@dataclass(frozen=True, kw_only=True, slots=True)
class SandboxOptions:
    """How to run an artifact.

    `requested` and `declared` say which indexes hold, as for a build. `catalog` is a captured
    catalog. `variables` are the function's environment variables. `emulator` is `auto`, `aws`
    or `none`. `timeout_seconds` is for an invocation as a whole, init included.
    """

    requested: IndexSettings = field(default_factory=IndexSettings)
    declared: IndexSettings = field(default_factory=IndexSettings)
    catalog: Path | None = None
    offline: bool = False
    variables: tuple[tuple[str, str], ...] = ()
    emulator: str = "auto"
    timeout_seconds: float = 30.0


def verify_import(
    artifact: Path,
    manifest: Mapping[str, Any],
    *,
    store: Store,
    options: SandboxOptions,
    reporter: Reporter,
) -> ImportReport:
    """Import the artifact's handler as Lambda does and return what was found.

    For a foreign zip, `manifest` needs only `function` (with `handler`) and `target` (with
    `runtime`, `architecture` and `kind`).
    For another machine's artifacts the report holds only a note that says so. Raises UsageError
    without an interpreter of the target's version, CannotBuild when the runtime's packages
    cannot be had.
    """
    target = _target_of(manifest)
    if not can_run_here(target):
        note = Finding(
            code="import-not-run",
            level="note",
            message=f"the handler was not imported: {target.label} cannot run on {this_machine()}; "
            "only the static checks speak for it",
        )
        return ImportReport(findings=(note,), import_ms=None, modules=(), output=(), interpreter="")
    with sandbox_of(artifact, manifest, store=store, options=options, reporter=reporter) as sandbox:
        return _checked(sandbox, manifest)


def invoke_artifact(
    artifact: Path,
    manifest: Mapping[str, Any],
    event: bytes,
    *,
    store: Store,
    options: SandboxOptions,
    reporter: Reporter,
    on_line: Callable[[str], None],
) -> Answer:
    """Let the artifact's handler answer `event` and return the answer.

    When the handler cannot even be imported, the findings say why. Raises UsageError for a target
    that cannot run here, and as `verify_import`.
    """
    target = _target_of(manifest)
    if not can_run_here(target):
        raise UsageError(
            f"{target.label} cannot run on {this_machine()}",
            hint=f"run it on Linux {target.machine}; here `lpack verify` checks what it can",
        )
    if is_image_layout(artifact) and options.emulator != "aws":
        layout, seconds = check_image_digest(artifact, manifest), options.timeout_seconds
        answer = answer_in_image(
            layout, event, variables=options.variables, timeout_seconds=seconds, on_line=on_line
        )
        if answer is not None:
            return answer
    emulator = _emulator_for(target, options)
    with sandbox_of(artifact, manifest, store=store, options=options, reporter=reporter) as sandbox:
        answer = invoke(
            sandbox,
            event,
            timeout_seconds=options.timeout_seconds,
            emulator=emulator,
            on_line=on_line,
        )
        if not answer.init_failed:
            return answer
        found = _checked(sandbox, manifest).findings
        return replace(answer, findings=tuple(dict.fromkeys((*found, *answer.findings))))


def _emulator_for(target: Target, options: SandboxOptions) -> Path | None:
    emulator = None if options.emulator == "none" else find_emulator(target.machine)
    if options.emulator == "aws" and emulator is None:
        raise UsageError(
            "the Runtime Interface Emulator `aws-lambda-rie` is not on PATH",
            hint="install aws-sam-cli, which holds it, or leave --emulator out",
        )
    return emulator


@contextmanager
def sandbox_of(
    artifact: Path,
    manifest: Mapping[str, Any],
    *,
    store: Store,
    options: SandboxOptions,
    reporter: Reporter,
) -> Iterator[Sandbox]:
    """Yield the artifact, unpacked, with the runtime's packages beside it.

    Raises UsageError when the artifact is not the manifest's, or without an interpreter.
    """
    target = _target_of(manifest)
    _check_digest(artifact, manifest)
    layers = tuple(layer_paths(manifest, artifact.parent))
    interpreter = _interpreter_for(target)
    reporter.step(f"running with Python {interpreter.version} as {target.label}")
    runtime = _runtime_folder(manifest, target, interpreter, store, options, reporter)
    subject = Subject(
        artifact=artifact,
        handler=str(manifest["function"]["handler"]),
        target=target,
        interpreter=interpreter,
        runtime=runtime,
        variables=options.variables,
        layers=layers,
    )
    with open_sandbox(subject) as sandbox:
        yield sandbox


def _checked(sandbox: Sandbox, manifest: Mapping[str, Any]) -> ImportReport:
    target = sandbox.subject.target
    sonames = system_sonames(target.runtime, target.architecture)
    return check_import(sandbox, manifest, system_sonames=sonames)


def _target_of(manifest: Mapping[str, Any]) -> Target:
    facts = manifest["target"]
    return load_target(facts["runtime"], facts["architecture"], facts["kind"])


def _check_digest(artifact: Path, manifest: Mapping[str, Any]) -> None:
    """Refuse a zip that changed since its manifest was written: its words would be of another.

    A foreign zip has no digest to hold it against.
    """
    claimed = manifest.get("artifact", {}).get("sha256")
    if claimed is None:
        return
    if is_image_layout(artifact):
        check_image_digest(artifact, manifest)
        return
    require_digest(artifact, claimed, otherwise="is not the zip its manifest describes")


def _interpreter_for(target: Target) -> Interpreter:
    interpreter = find_interpreter(target)
    if interpreter is None:
        version = ".".join(map(str, target.python))
        raise UsageError(
            f"running {target.label} needs a Python {version}, and there is none on PATH, "
            "in pyenv or in uv",
            hint=f"uv python install {version}",
        )
    return interpreter


def _runtime_folder(
    manifest: Mapping[str, Any],
    target: Target,
    interpreter: Interpreter,
    store: Store,
    options: SandboxOptions,
    reporter: Reporter,
) -> Path:
    """Return the folder with the runtime's packages, made when it is not there."""
    catalog = (
        read_captured_catalog(options.catalog, target.runtime, architecture=target.architecture)
        if options.catalog is not None
        else load_catalog(target.runtime)
    )
    bundled = {
        canonicalize_name(each["name"])
        for each in manifest.get("distributions", ())
        if each["placement"] is not None
    }
    wanted = runtime_requirements(catalog, bundled=bundled)
    locked = _locked(wanted, target, store, options, reporter)
    pins = locked.selection.pins
    digests = sorted(pin.wheel.sha256 for pin in pins)
    folder = store.file(
        "sandbox", key_of("runtime", target.runtime, interpreter.version, digests), ""
    )
    if not folder.is_dir():
        fetch(
            [pin.wheel for pin in pins],
            store,
            settings=locked.indexes,
            reporter=reporter,
            offline=options.offline,
        )
        wheels = [store.wheel_path(pin.wheel.sha256) for pin in pins]
        install_runtime(wheels, folder, interpreter=interpreter)
        reporter.step(f"installed {len(pins)} distributions that {target.runtime} has itself")
    return folder


def _locked(
    wanted: tuple[Requirement, ...],
    target: Target,
    store: Store,
    options: SandboxOptions,
    reporter: Reporter,
) -> Locked:
    """Lock what the runtime has for the target, or as remembered."""
    texts = [str(requirement) for requirement in wanted]
    indexes = [options.requested, options.declared]
    places = [[i.index_url, *i.extra_index_urls, *i.find_links] for i in indexes]
    key = key_of("runtime-lock", target.runtime, target.architecture, texts, places)
    known = store.read_document("locks", key)
    origin = f"what {target.runtime} has itself"
    try:
        locked = lock(
            RequirementSet(
                declared=tuple(Declared(requirement=each, origin=origin) for each in wanted),
                indexes=options.declared,
            ),
            target,
            options=LockOptions(
                indexes=options.requested,
                build_folder=store.root / "built",
                offline=options.offline,
            ),
            reporter=reporter,
            remembered=parse_lock(known["text"], origin="the remembered lock") if known else None,
        )
    except CannotBuild as error:
        raise CannotBuild(
            f"the packages that {target.runtime} has itself cannot be had: {error.message}",
            hint=error.hint,
            details=error.details,
        ) from error
    if known is None:
        text = render_lock(locked.pylock)
        store.write_document("locks", key, {"text": text, "resolver": locked.selection.resolver})
    return locked
