"""From an error line to what in an artifact causes it: recognize, look up, advise."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from packager.errors import LpackError
from packager.explain.known_errors import recognize
from packager.model.explanation import Explanation, KnownError
from packager.report.error_sizes import size_causes
from packager.report.findings import owners_of
from packager.runtime.system import load_runtime_system
from packager.runtime.targets import load_target
from packager.verify.bundle_view import zip_view
from packager.verify.error_causes import ArtifactFacts, find_causes, needs_libraries
from packager.verify.libraries import read_libraries


def explain_text(
    text: str, artifacts: Iterable[tuple[Path, Mapping[str, Any]]] = ()
) -> tuple[Explanation, ...]:
    """Explain every known error in `text`, with causes in `artifacts` (path and manifest).

    Native files are read only when a line is about them. Raises LpackError when an artifact
    cannot be read.
    """
    errors = recognize(text)
    native = any(needs_libraries(error) for error in errors)
    facts = [_facts(*each, native=native) for each in artifacts] if errors else []
    return tuple(_explain(error, facts) for error in errors)


def advice_for(text: str) -> str | None:
    """Return the first advice for a known error in `text`: the hint of a failed upload."""
    errors = recognize(text)
    return errors[0].advice[0] if errors else None


def _explain(error: KnownError, artifacts: list[ArtifactFacts]) -> Explanation:
    causes: list[str] = []
    hints: list[str] = []
    for facts in artifacts:
        causes += size_causes(error, facts.name, facts.manifest)
        for finding in find_causes(error, facts):
            # One line on what keeps the artifact from working is not improved by naming it twice.
            named = finding.message if len(artifacts) == 1 else f"{facts.name}: {finding.message}"
            causes.append(named)
            if finding.hint:
                hints.append(finding.hint)
    advice = tuple(dict.fromkeys((*hints, *error.advice)))
    return Explanation(error=error, causes=tuple(dict.fromkeys(causes)), advice=advice)


def _facts(path: Path, manifest: Mapping[str, Any], *, native: bool) -> ArtifactFacts:
    words = manifest["target"]
    target = load_target(words["runtime"], words["architecture"], words["kind"])
    owners = owners_of(manifest)
    facts = ArtifactFacts(
        name=str(path),
        manifest=manifest,
        files=frozenset([*owners, *(row[0] for row in manifest["code"]["files"])]),
        system=load_runtime_system(target),
        owners=owners,
    )
    if not native or not path.is_file():
        return facts
    try:
        with zip_view(path) as view:
            libraries, _ = read_libraries(view)
            files = frozenset(file.name for file in view)
    except LpackError:
        # What cannot be opened has no causes to show; `lpack verify` says what is wrong with it.
        return facts
    return ArtifactFacts(
        name=facts.name,
        manifest=manifest,
        files=files,
        system=facts.system,
        owners=owners,
        libraries=libraries,
    )
