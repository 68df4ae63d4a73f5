"""`lpack verify`."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from packager.cli.console import Console
from packager.cli.manifests import find_manifests, is_foreign, read_manifest
from packager.cli.sandbox_options import options_of, sandbox_options
from packager.errors import LpackError, UsageError
from packager.model.finding import Finding
from packager.model.target import Target
from packager.pipeline.sandbox import verify_import
from packager.report.findings import finding_rows, owners_of, render_findings
from packager.report.text import mib
from packager.runtime.system import load_runtime_system
from packager.runtime.targets import load_target
from packager.verify.artifact import check_artifact
from packager.verify.bundle_view import folder_view, zip_view
from packager.verify.image_artifact import check_image
from packager.verify.image_layout import is_image_layout
from packager.verify.image_tree import unpack_code
from packager.verify.layers import OPT, check_layers, layer_paths, layered_view
from packager.verify.statements import check_statements
from packager.verify.static import static_findings
from packager.wheels.store import Store

_CHECK_FAILED = 1
_SLOWEST = 5
_MANIFEST_SUFFIX = ".lpack.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Subject:
    """What is verified: an artifact with its manifest, or a foreign zip or folder without."""

    path: Path
    manifest: Mapping[str, Any] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Verdict:
    """What came of it; `faults` are claims of the manifest that the artifact does not keep.

    `import_ms` is how long the handler's import took here, `modules` all of it, each with
    its own time in ms.
    """

    subject: _Subject
    target: Target
    faults: tuple[str, ...]
    findings: tuple[Finding, ...]
    import_ms: float | None = None
    modules: tuple[tuple[str, float], ...] = ()

    @property
    def passed(self) -> bool:
        return not self.faults and all(finding.level != "error" for finding in self.findings)


@click.command("verify")
@click.argument("artifacts", nargs=-1, type=click.Path(path_type=Path))
@click.option("--runtime", metavar="NAME", help="Instead of the manifest's; for foreign zips.")
@click.option("--arch", "architecture", metavar="ARCH", help="x86_64 (the default) or arm64.")
@click.option("--handler", metavar="MODULE.FUNCTION", help="What Lambda calls in a foreign zip.")
@click.option("--no-import", is_flag=True, help="Only look at the zips, run nothing of them.")
@click.option("--misses", is_flag=True, help="Time what bringing back traced files would cost.")
@sandbox_options
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text")
def command(
    artifacts: tuple[Path, ...],
    *,
    runtime: str | None,
    architecture: str | None,
    handler: str | None,
    no_import: bool,
    misses: bool,
    output_format: str,
    **values: Any,  # noqa: ANN401 -- those of sandbox_options
) -> int:
    """Hold zips against their manifests, and against the runtime they are for.

    Every file is inflated and every claim recomputed; native libraries must find what they need
    on the runtime, and nothing may stand in the way of Python or of Lambda itself. Then the
    handler is imported as Lambda imports it, with the runtime's own packages and client, by an
    interpreter of the target's version when there is one. Errors end in exit code 1, warnings
    do not.

    \b
    lpack verify                     all in dist
    lpack verify dist/api.zip
    lpack verify foreign.zip --runtime python3.13 --arch arm64
    """  # noqa: D301 -- \b is click's mark for lines that stay as they are
    verdicts = []
    for subject in _subjects(artifacts, foreign=runtime is not None):
        verdict = _verify(subject, (runtime, architecture), handler)
        is_layer = "layer" in (subject.manifest or {})
        if not no_import and verdict.passed and _can_run(subject.path) and not is_layer:
            verdict = _with_import(verdict, handler, values)
        verdicts.append(verdict)
        if output_format == "text":
            click.echo(_render(verdict), nl=False)
            if misses and subject.path.is_file():
                click.echo(_render_misses(verdict), nl=False)
    if output_format == "json":
        rows = [_row(verdict) for verdict in verdicts]
        click.echo(json.dumps({"schema_version": 1, "verified": rows}))
    return 0 if all(verdict.passed for verdict in verdicts) else _CHECK_FAILED


def _subjects(given: tuple[Path, ...], *, foreign: bool) -> Iterator[_Subject]:
    """Find what to verify; without a manifest only when the user said what it is for."""
    for path in given or (None,):
        if path is not None and is_foreign(path):
            if not foreign:
                raise UsageError(
                    f"`{path}` has no manifest of lpack, so its target is not known",
                    hint=f"lpack verify {path} --runtime python3.13 --arch x86_64",
                )
            yield _Subject(path=path, manifest=None)
            continue
        for manifest_path in find_manifests(path):
            manifest = read_manifest(manifest_path, layers=True)
            try:
                artifact = manifest_path.with_name(manifest["artifact"]["path"])
            except (KeyError, TypeError, ValueError) as error:
                message = f"`{manifest_path}` is not a manifest of lpack"
                raise UsageError(message, hint="lpack build") from error
            if not artifact.exists():
                raise UsageError(f"`{artifact}` is not there", hint="lpack build")
            yield _Subject(path=artifact, manifest=manifest)


def _has_own_client(manifest: Mapping[str, Any]) -> bool:
    image = manifest.get("image")
    return image is not None and not image["base"]["runtime"]


def _can_run(path: Path) -> bool:
    return path.is_file() or is_image_layout(path)


def _verify(
    subject: _Subject, chosen: tuple[str | None, str | None], handler: str | None
) -> _Verdict:
    runtime, architecture = chosen
    words = (runtime or "", "x86_64", "lambda")
    faults: list[str] = []
    if subject.manifest is not None:
        words, built_handler, faults = _check_claims(subject.path, subject.manifest)
        handler = handler or built_handler
    target = load_target(runtime or words[0], architecture or words[1], words[2])
    try:
        findings = _static(subject, target, handler)
        if subject.manifest is not None and _has_own_client(subject.manifest):
            # There is no client of Lambda's in such a base that could be shadowed.
            findings = tuple(each for each in findings if each.code != "shadows-runtime")
    except LpackError:
        # A zip so damaged that it cannot be opened is reported by the check against the manifest.
        if not faults:
            raise
        findings = ()
    if subject.manifest is not None and "function" in subject.manifest:
        findings = (*findings, *check_statements(subject.path, subject.manifest))
    return _Verdict(subject=subject, target=target, faults=tuple(faults), findings=findings)


def _with_import(verdict: _Verdict, handler: str | None, values: dict[str, Any]) -> _Verdict:
    """Add what importing the handler showed; without an interpreter, only that it was not done."""
    manifest = verdict.subject.manifest
    if manifest is None:
        if handler is None:
            return verdict
        target = verdict.target
        words = {"runtime": target.runtime, "architecture": target.architecture}
        manifest = {
            "function": {"name": "", "handler": handler},
            "target": {**words, "kind": target.kind},
        }
    try:
        report = verify_import(
            verdict.subject.path,
            manifest,
            store=Store.default(),
            options=options_of(values, function_name=manifest["function"]["name"]),
            reporter=Console(-1),
        )
    except UsageError as error:
        finding = Finding(
            code="import-not-run",
            level="warning",
            message=f"the handler was not imported: {error.message}",
            hint=error.hint,
        )
        return replace(verdict, findings=(*verdict.findings, finding))
    return replace(
        verdict,
        findings=(*verdict.findings, *report.findings),
        import_ms=report.import_ms,
        modules=tuple((module.name, module.self_ms) for module in report.modules),
    )


def _check_claims(
    artifact: Path, manifest: Mapping[str, Any]
) -> tuple[tuple[str, str, str], str | None, list[str]]:
    """Return the target's words, the handler, and the claims that `artifact` does not keep.

    A layer has no handler.
    """
    try:
        target, function = manifest["target"], manifest.get("function")
        words = (str(target["runtime"]), str(target["architecture"]), str(target["kind"]))
        check = check_image if manifest["artifact"]["kind"] == "image" else check_artifact
        faults = check(artifact, manifest)
        if function is None:
            return words, None, faults
        return words, str(function["handler"]), faults + check_layers(manifest, artifact.parent)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        name = artifact.with_name(artifact.stem + _MANIFEST_SUFFIX)
        raise UsageError(f"`{name}` is not a manifest of lpack", hint="lpack build") from error


def _static(subject: _Subject, target: Target, handler: str | None) -> tuple[Finding, ...]:
    """Look at the files as they will lie in Lambda, those of layers in /opt."""
    path, manifest = subject.path, subject.manifest or {}
    system = load_runtime_system(target)
    if is_image_layout(path):
        with TemporaryDirectory(prefix="lpack-verify-") as folder:
            task = Path(folder, "task")
            task.mkdir()
            unpack_code(path, task)
            return static_findings(folder_view(task), system, handler=handler)
    if path.is_dir():
        return static_findings(folder_view(path), system, handler=handler)
    try:
        layers = layer_paths(manifest, path.parent)
    except UsageError as error:
        # What a layer has is not known: nothing can be said about what is missing.
        missing = Finding(
            code="layer-missing", level="error", path="", message=error.message, hint=error.hint
        )
        return (missing,)
    with zip_view(path, at=OPT if "layer" in manifest else "") as own, layered_view(layers) as opt:
        return static_findings([*own, *opt], system, handler=handler)


def _owners(verdict: _Verdict) -> Mapping[str, str]:
    return owners_of(verdict.subject.manifest) if verdict.subject.manifest is not None else {}


def _render(verdict: _Verdict) -> str:
    manifest = verdict.subject.manifest
    facts = f"as {verdict.target.label}"
    if manifest is not None:
        claimed = manifest["artifact"]
        facts = f"{claimed['entries']} files, sha256 {claimed['sha256']}"
    lines = [f"{'ok  ' if verdict.passed else 'FAIL'} {verdict.subject.path}  {facts}\n"]
    lines.extend(f"     {fault}\n" for fault in verdict.faults)
    if verdict.import_ms is not None:
        slowest = ", ".join(f"{name} {ms:,.0f}" for name, ms in verdict.modules[:_SLOWEST])
        lines.append(f"     handler imported in {verdict.import_ms:,.0f} ms here: {slowest}\n")
    return "".join(lines) + render_findings(verdict.findings, _owners(verdict))


def _render_misses(verdict: _Verdict) -> str:
    """Time what a miss of each distribution with files set aside costs on this machine."""
    from packager.verify.interpreter import find_interpreter  # noqa: PLC0415 -- only with --misses
    from packager.verify.miss_cost import measure_misses  # noqa: PLC0415 -- likewise

    interpreter = find_interpreter(verdict.target)
    if interpreter is None:
        return "     misses were not timed: no interpreter of the target's version is here\n"
    costs = measure_misses(verdict.subject.path, interpreter)
    if not costs:
        return "     nothing is set aside in this zip, so nothing can be missed\n"
    return "".join(
        f"     a miss of {cost.name} {cost.version} costs {cost.seconds:.1f} s here: "
        f"{mib(cost.uncompressed_bytes)} from {mib(cost.archive_bytes)}\n"
        for cost in sorted(costs, key=lambda cost: -cost.seconds)
    )


def _row(verdict: _Verdict) -> dict[str, Any]:
    return {
        "artifact": str(verdict.subject.path),
        "target": verdict.target.label,
        "passed": verdict.passed,
        "faults": list(verdict.faults),
        "findings": finding_rows(verdict.findings, _owners(verdict)),
        "import_ms": verdict.import_ms,
        "modules": [{"name": name, "self_ms": ms} for name, ms in verdict.modules],
    }
