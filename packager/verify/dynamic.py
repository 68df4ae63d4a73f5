"""The dynamic check: import the handler as Lambda does, time it, and say what went wrong."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from packager.model.finding import Finding
from packager.verify.import_failures import explain
from packager.verify.import_times import ModuleTime, is_import_line, module_times
from packager.verify.processes import Child, signal_name
from packager.verify.sandbox import Sandbox
from packager.verify.surroundings import Surroundings

INIT_LIMIT_SECONDS = 10
"""What Lambda gives the init phase (Lambda Developer Guide, lambda-runtime-environment)."""

_TAIL_LINES = 20
_LAST_RESORT_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportReport:
    """What importing the handler gave.

    `import_ms` is what the handler's own import took here, in milliseconds, bytecode included or
    not as in the artifact; None when it did not end. `modules` are the top-level modules, the
    most expensive first. `output` are the lines the code wrote meanwhile.
    """

    findings: tuple[Finding, ...]
    import_ms: float | None
    modules: tuple[ModuleTime, ...]
    output: tuple[str, ...]
    interpreter: str

    @property
    def passed(self) -> bool:
        """Whether nothing found is an error."""
        return all(finding.level != "error" for finding in self.findings)


def check_import(
    sandbox: Sandbox,
    manifest: Mapping[str, Any],
    *,
    system_sonames: Collection[str] = (),
    limit_seconds: float = _LAST_RESORT_SECONDS,
) -> ImportReport:
    """Import the handler of `sandbox` through awslambdaric's own `_get_handler`.

    `manifest` may be empty; it only improves the words. `system_sonames` are the libraries that
    Lambda's system has. After `limit_seconds` the process is ended. Raises CannotBuild when the
    interpreter cannot be started.
    """
    lines: list[str] = []
    with Child(
        sandbox.command("import"),
        cwd=sandbox.task,
        environment=sandbox.environment(),
        on_line=lines.append,
    ) as child:
        code = child.wait(limit_seconds)
    times, output = _split(lines, sandbox.mark)
    result = sandbox.read_result()
    seconds = result.get("seconds") if result is not None else None
    import_ms = seconds * 1000 if isinstance(seconds, float) else None
    around = Surroundings(
        handler=sandbox.subject.handler,
        target=sandbox.subject.target,
        manifest=manifest,
        files=sandbox.files,
        task=str(sandbox.task),
        runtime=str(sandbox.subject.runtime),
        sonames=system_sonames,
    )
    findings = [*_verdict(result, code, output, around, limit_seconds), *_slow(import_ms)]
    findings += written(sandbox)
    return ImportReport(
        findings=tuple(findings),
        import_ms=import_ms,
        modules=module_times(times, module=_module(around.handler), total_ms=import_ms)
        if import_ms is not None
        else (),
        output=tuple(output),
        interpreter=sandbox.subject.interpreter.version,
    )


def written(sandbox: Sandbox) -> Iterator[Finding]:
    """Yield the finding that the function wrote where Lambda lets nobody write."""
    changed = sandbox.changed_files()
    if changed:
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        yield Finding(
            code="writes-task-folder",
            level="error",
            path=changed[0],
            message=f"the function wrote `{changed[0]}`{more} beside its code, "
            "where Lambda is read-only",
            hint="write below /tmp, through the `tempfile` module",
        )


def _module(handler: str) -> str:
    return handler.rpartition(".")[0].replace("/", ".")


def _split(lines: list[str], mark: str) -> tuple[list[str], list[str]]:
    """Part the import times between the two marks from what the code itself wrote."""
    times: list[str] = []
    output: list[str] = []
    inside = False
    for line in lines:
        if line == mark:
            inside = not inside
        elif not is_import_line(line):
            output.append(line)
        elif inside:
            times.append(line)
    return times, [line for line in output if line.strip()]


def _verdict(
    result: Mapping[str, object] | None,
    code: int | None,
    output: list[str],
    around: Surroundings,
    limit_seconds: float,
) -> Iterator[Finding]:
    module = _module(around.handler)
    tail = tuple(output[-_TAIL_LINES:])
    if result is not None:
        if not result["ok"]:
            yield explain(result, around)
    elif code is None:
        yield Finding(
            code="import-endless",
            level="error",
            message=f"importing `{module}` did not end within {limit_seconds:.0f} s; "
            f"init has {INIT_LIMIT_SECONDS} s",
            hint="move what waits for others from the module into the handler",
            details=tail,
        )
    else:
        died = signal_name(code)
        how = f"died of {died}" if died else f"ended with exit code {code}"
        hints = {
            "SIGILL": "a library uses instructions that this processor does not have",
            "SIGKILL": "the system ended it, most often for lack of memory",
        }
        yield Finding(
            code="import-crashed",
            level="error",
            message=f"the process {how} while it imported `{module}`",
            hint=hints.get(died),
            details=tail,
        )


def _slow(import_ms: float | None) -> Iterator[Finding]:
    if import_ms is not None and import_ms > INIT_LIMIT_SECONDS * 1000:
        yield Finding(
            code="import-slow",
            level="warning",
            message=f"importing the handler took {import_ms / 1000:.1f} s here; "
            f"init has {INIT_LIMIT_SECONDS} s",
            hint="import heavy modules where they are used",
        )
