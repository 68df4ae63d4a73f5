"""Running a finished artifact here: the runtime's packages from the index, then the handler.

    manifest → target → interpreter → the runtime's packages (locked, fetched, kept) → sandbox

What the runtime itself has: `packager.pipeline.runtime`.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from packager.errors import UsageError
from packager.model.finding import Finding
from packager.model.progress import Reporter
from packager.model.target import Target
from packager.pipeline.image_run import answer_in_image, check_image_digest
from packager.pipeline.runtime import SandboxOptions, runtime_folder
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
from packager.verify.sandbox import Sandbox, Subject, open_sandbox
from packager.verify.serving import Answer
from packager.wheels.store import Store


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
    runtime = runtime_folder(
        manifest, target, interpreter, store=store, options=options, reporter=reporter
    )
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
