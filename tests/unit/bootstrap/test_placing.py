"""Which files make the bootstrap run first."""

import pytest

from packager.bootstrap.placing import (
    OFFLOAD,
    TRACED,
    bootstrap_files,
    find_handler,
    imports_offload,
)
from packager.errors import UsageError


@pytest.mark.parametrize(
    ("handler", "code", "stub", "origin", "renamed"),
    [
        ("app.handler", {"app.py"}, "app/__init__.py", "app.py", ()),
        ("src/app.handler", {"src/app.py"}, "src/app/__init__.py", "src/app.py", ()),
        ("a.b.handler", {"a/b.py", "a/c.py"}, "a/b/__init__.py", "a/b.py", ()),
        (
            "a.b.handler",
            {"a/__init__.py", "a/b.py"},
            "a/__init__.py",
            "a/__init__.lpack.py",
            (("a/__init__.py", "a/__init__.lpack.py"),),
        ),
        (
            "a.b.handler",
            {"a/b/__init__.py"},
            "a/b/__init__.py",
            "a/b/__init__.lpack.py",
            (("a/b/__init__.py", "a/b/__init__.lpack.py"),),
        ),
        # The import system takes the package when there is a module of its name too.
        (
            "a.handler",
            {"a.py", "a/__init__.py"},
            "a/__init__.py",
            "a/__init__.lpack.py",
            (("a/__init__.py", "a/__init__.lpack.py"),),
        ),
    ],
)
def test_the_first_file_that_is_executed_is_lpacks(
    handler: str,
    code: set[str],
    stub: str,
    origin: str,
    renamed: tuple[tuple[str, str], ...],
) -> None:
    placed = bootstrap_files(find_handler(handler, code), [OFFLOAD, TRACED])
    added = dict(placed.added)
    assert added.keys() == {"lpack_offload.py", "lpack_bootstrap.py", stub}
    text = added[stub].decode()
    assert f'(lpack_offload.__file__)), "{origin}")' in text
    assert text.index("lpack_offload.install()") < text.index("lpack_bootstrap.install()")
    assert placed.renamed == renamed
    compile(added[stub], stub, "exec")


def test_a_handler_of_somebody_else_is_refused_with_a_way_out() -> None:
    with pytest.raises(UsageError, match="need a handler in your own code") as caught:
        find_handler("datadog_lambda.handler.handler", {"app.py"})
    hint = "write a module with `from datadog_lambda.handler import handler`"
    assert caught.value.hint == hint


@pytest.mark.parametrize(
    ("text", "explicit"),
    [
        ("import lpack_offload\nimport scipy\n", True),
        ("import os\nimport lpack_offload  # first\n", True),
        ("import scipy\n# import lpack_offload\n", False),
        ("import lpack_offloading\n", False),
    ],
)
def test_an_import_of_the_users_own_is_noticed(text: str, explicit: bool) -> None:
    assert imports_offload(text) is explicit
