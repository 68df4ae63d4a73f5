"""What TOML and JSON of other tools must look like before they are read: data and its check. Pure.

A form is `str`, `ANYTHING`, a list with the form of its items, a mapping from keys to forms, or a
tuple of forms to choose from. The key `*` stands for every key; a key that ends in `?` may be
absent. Keys that no form names may hold anything: the files belong to other tools.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from packager.errors import UsageError

Form = Any
ANYTHING: Form = object
_TABLE: Form = {}

_UV_SOURCE: Form = {"path?": str, "url?": str, "index?": str}
_POETRY_ENTRY: Form = {
    "extras?": [str], "file?": str, "markers?": str, "path?": str, "platform?": str,
    "python?": str, "url?": str, "version?": str,
}  # fmt: skip
_POETRY_TABLE: Form = {"*": (str, _POETRY_ENTRY, [(str, _POETRY_ENTRY)])}

PYPROJECT: Form = {
    "dependency-groups?": _TABLE,
    "project?": {
        "dependencies?": [str],
        "dynamic?": [str],
        "name?": str,
        "optional-dependencies?": {"*": [str]},
        "requires-python?": str,
    },
    "tool?": {
        "poetry?": {
            "dependencies?": _POETRY_TABLE,
            "extras?": {"*": [str]},
            "group?": {"*": {"dependencies?": _POETRY_TABLE}},
            "source?": [ANYTHING],
        },
        "uv?": {
            "constraint-dependencies?": [str],
            "index?": [ANYTHING],
            "sources?": {"*": (_UV_SOURCE, [_UV_SOURCE])},
            "workspace?": {"exclude?": [str], "members?": [str]},
        },
    },
}
"""PEP 621, PEP 735, and what is read of uv's and Poetry's tables."""

_UV_DEPENDENCIES: Form = [{"name": str, "extra?": [str]}]
UV_LOCK: Form = {
    "package?": [
        {
            "name": str,
            "version?": str,
            "source?": {
                "directory?": str, "editable?": str, "path?": str, "registry?": str,
                "url?": str, "virtual?": str,
            },
            "dependencies?": _UV_DEPENDENCIES,
            "dev-dependencies?": {"*": _UV_DEPENDENCIES},
            "metadata?": {
                "requires-dev?": {"*": _UV_DEPENDENCIES},
                "requires-dist?": _UV_DEPENDENCIES,
            },
            "optional-dependencies?": {"*": _UV_DEPENDENCIES},
            "resolution-markers?": [str],
            "sdist?": _TABLE,
            "wheels?": [_TABLE],
        }
    ]
}  # fmt: skip

POETRY_LOCK: Form = {
    "metadata?": {"files?": {"*": [_TABLE]}},
    "package?": [
        {
            "name": str,
            "version": str,
            "category?": str,
            "files?": [_TABLE],
            "groups?": [str],
            "markers?": (str, {"*": str}),
            "source?": {"type?": str, "url?": str},
        }
    ],
}

PIPENV_TABLE: Form = {
    "*": (
        str,
        {"extras?": [str], "file?": str, "hashes?": [str], "markers?": str, "path?": str},
    )
}
"""One category of a `Pipfile` or of its lock."""

SIMPLE_PAGE: Form = {
    "files": [{"filename": str, "hashes?": {"*": str}, "provenance?": (str, type(None))}],
}
"""What is read of a project's page on an index (PEP 691, PEP 740)."""

STATEMENT: Form = {
    "_type": str,
    "predicateType": str,
    "subject": [{"name": str, "digest": {"*": str}}],
}
"""What is read of an in-toto statement (Attestation Framework, Statement v1)."""


def check_form(document: object, form: Form, *, file: str, hint: str | None = None) -> None:
    """Demand that `document`, read from `file`, has this form; items of lists count from 1.

    Raises UsageError that names the first place where it has not.
    """
    for place, wanted in _faults(document, form, ()):
        where = f"`{'.'.join(place)}` in `{file}`" if place else f"`{file}`"
        raise UsageError(f"{where} must be {wanted}", hint=hint)


def _faults(
    value: object, form: Form, place: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the places that are not as they must be, each with what it must be."""
    if isinstance(form, tuple):
        fitting = [each for each in form if isinstance(value, _kind(each))]
        if fitting:
            yield from _faults(value, fitting[0], place)
        else:
            yield place, " or ".join(_word(each) for each in form)
    elif not isinstance(value, _kind(form)):
        yield place, _word(form)
    elif isinstance(form, list) and isinstance(value, list):
        for number, item in enumerate(value, start=1):
            yield from _faults(item, form[0], (*place, str(number)))
    elif isinstance(form, Mapping) and isinstance(value, dict):
        yield from _faults_of_table(value, form, place)


def _faults_of_table(
    table: Mapping[str, object], form: Mapping[str, Form], place: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], str]]:
    for key, below in form.items():
        name = key.removesuffix("?")
        if name == "*":
            for each, item in table.items():
                yield from _faults(item, below, (*place, each))
        elif name in table:
            yield from _faults(table[name], below, (*place, name))
        elif name == key:
            yield (*place, name), f"{_word(below)}; it is not there"


def _kind(form: Form) -> type:
    if isinstance(form, list):
        return list
    return dict if isinstance(form, Mapping) else form


def _word(form: Form) -> str:
    if form is type(None):
        return "null"
    if isinstance(form, list):
        if form[0] is str:
            return "a list of strings"
        return "a list of tables" if isinstance(form[0], Mapping) else "a list"
    return "a table" if isinstance(form, Mapping) else "a string"
