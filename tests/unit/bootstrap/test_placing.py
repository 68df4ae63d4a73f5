"""Which files make the bootstrap run first."""

import pytest

from packager.bootstrap.placing import bootstrap_files
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
    placed = bootstrap_files(handler, code)
    added = dict(placed.added)
    assert added.keys() == {"lpack_bootstrap.py", stub}
    package = bool(renamed)
    assert f'begin(__name__, "{origin}", package={package})' in added[stub].decode()
    assert placed.renamed == renamed
    compile(added[stub], stub, "exec")


def test_a_handler_of_somebody_else_is_refused_with_a_way_out() -> None:
    with pytest.raises(UsageError, match="needs a handler in your own code") as caught:
        bootstrap_files("datadog_lambda.handler.handler", {"app.py"})
    hint = "write a module with `from datadog_lambda.handler import handler`"
    assert caught.value.hint == hint
