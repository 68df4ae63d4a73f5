"""`lpack build --check`: build, then hold what lies there against a slow reference."""

import json
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

from packager.cli.building import Answer, Request, build_all
from packager.cli.console import Console
from packager.cli.refusals import seen_from_here
from packager.errors import LpackError
from packager.pipeline.check import Checked, check_builds, edited_since
from packager.report.text import many
from packager.wheels.store import Store

_SHOWN = 20
_INDENT = "     "


class ArtifactDiffers(LpackError):  # noqa: N818 -- named as the sentence it stands for
    """An artifact is not what its wheels and the user's files make (exit code 1)."""

    exit_code = 1


def build_and_check(
    request: Request,
    arguments: Sequence[str],
    *,
    store: Store,
    started_ns: int,
    earlier: Sequence[Answer],
) -> int:
    """Build what is not there or outdated, compare everything, and print what came of it.

    What somebody edited since its build is compared as it lies there. Raises ArtifactDiffers when
    something is not as it has to be, LpackError as a build does.
    """
    console = Console(request.verbosity)
    edited = [each for each in request.functions if edited_since(each)]
    for function in edited:
        console.warn(f"{function.name}: its output was changed since it was built, and is kept")
    if edited:
        whole = tuple(each for each in request.functions if each not in edited)
        request = request._replace(functions=whole, remembered=False)
    told = StringIO()
    code = 0
    if request.functions:
        with redirect_stdout(told):
            code = build_all(
                request, arguments, store=store, started_ns=started_ns, earlier=earlier
            )
    functions = (*request.functions, *edited)
    checked = check_builds(
        functions,
        request.everyone or functions,
        store=store,
        options=request.options,
        reporter=Console(-1),
    )
    _print(told.getvalue(), checked, request.output_format)
    wrong = [each for each in checked if each.differences]
    if wrong:
        raise _complaint(wrong, edited=bool(edited))
    return code


def _complaint(wrong: Sequence[Checked], *, edited: bool) -> ArtifactDiffers:
    names = ", ".join(f"`{_shown(each)}`" for each in wrong)
    verb = "is" if len(wrong) == 1 else "are"
    hint = 'the store is not to be trusted: rm -r "$(lpack cache path)" && lpack build'
    if edited:
        paths = " ".join(_shown(each) for each in wrong)
        hint = f"rm -r {paths} && lpack build"
    return ArtifactDiffers(f"{names} {verb} not what the wheels and your files make", hint=hint)


def _print(told: str, checked: Sequence[Checked], output_format: str) -> None:
    if output_format == "json":
        document: dict[str, Any] = json.loads(told or '{"schema_version":1,"manifests":[]}')
        document["checked"] = [_row(each) for each in checked]
        told, lines = json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n", []
    else:
        lines = [line for each in checked for line in _lines(each)]
    sys.stdout.write(told + "".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def _shown(checked: Checked) -> str:
    return seen_from_here(str(checked.path))


def _row(checked: Checked) -> dict[str, Any]:
    return {
        "path": _shown(checked),
        "files": checked.files,
        "differences": [each._asdict() for each in checked.differences],
    }


def _lines(checked: Checked) -> list[str]:
    found = checked.differences
    what = many(checked.files, "file") + " " if checked.files else ""
    if not found:
        return [f"ok   {_shown(checked)}  {what}as the slow way makes it"]
    lines = [f"FAIL {_shown(checked)}  {many(len(found), 'difference')} from the slow way"]
    lines += [
        f"{_INDENT}{each.path}{' ' if each.path else ''}{each.text}" for each in found[:_SHOWN]
    ]
    if len(found) > _SHOWN:
        lines.append(f"{_INDENT}… and {len(found) - _SHOWN} more")
    return lines
