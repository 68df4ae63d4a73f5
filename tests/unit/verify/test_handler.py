import pytest
from support.bundles import system_of

from packager.verify.handler import check_handler

SYSTEM = system_of("python3.13/x86_64")
NAMES = {
    "app.py",
    "src/orders/main.py",
    "pkg/__init__.py",
    "fast.cpython-313-x86_64-linux-gnu.so",
    "old.cpython-312-x86_64-linux-gnu.so",
    "sourceless.pyc",
}


@pytest.mark.parametrize(
    "handler",
    [
        "app.handler",
        "src/orders/main.handler",
        "src.orders.main.handler",
        "pkg.run",
        "fast.go",
        "sourceless.handler",
    ],
)
def test_handlers_that_are_there(handler: str) -> None:
    assert list(check_handler(NAMES, handler, SYSTEM)) == []


@pytest.mark.parametrize(
    ("handler", "words", "hint"),
    [
        ("main.handler", "the module `main`", "did you mean `src.orders.main.handler`?"),
        ("apps.handler", "the module `apps`", "did you mean `app.handler`?"),
        ("old.handler", "the module `old`", "name a module that is in the zip"),
        ("orders/main.run", "the module `orders.main`", "did you mean `src.orders.main.run`?"),
        ("handler", "MODULE.FUNCTION", "write it like app.handler"),
        ("app.", "MODULE.FUNCTION", "write it like app.handler"),
        ("time.handler", "a module of Python itself", "rename the module"),
    ],
)
def test_handlers_that_are_not(handler: str, words: str, hint: str) -> None:
    (finding,) = check_handler(NAMES, handler, SYSTEM)
    assert (finding.code, finding.level, finding.path) == ("handler-missing", "error", "")
    assert words in finding.message
    assert finding.hint == hint
