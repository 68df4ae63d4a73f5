import pytest
from support.bundles import system_of

from packager.verify.shadowing import check_shadowing

SYSTEM = system_of("python3.13/x86_64")


@pytest.mark.parametrize(
    ("name", "level"),
    [
        ("logging.py", "error"),
        ("enum/__init__.py", "error"),
        ("json.cpython-313-x86_64-linux-gnu.so", "error"),
        ("secrets.py", "warning"),
        ("asyncio/__init__.py", "warning"),
        ("queue.pyc", "warning"),
    ],
)
def test_modules_of_python(name: str, level: str) -> None:
    (finding,) = check_shadowing([name], SYSTEM)
    assert (finding.code, finding.level) == ("shadows-standard-library", level)
    assert "takes the place of Python's own" in finding.message
    assert ("Lambda's runtime itself" in finding.message) == (level == "error")


@pytest.mark.parametrize(
    "name",
    [
        "app.py",
        "pkg/logging.py",
        "logging/readme.txt",
        "logging/handlers.py",
        "queue.cpython-312-x86_64-linux-gnu.so",
        "test/__init__.py",
        "tests/__init__.py",
        "winreg.py",
        "lambda_function.py",
        "typing_extensions.py",
        "queue.dist-info/METADATA",
    ],
)
def test_what_takes_no_place(name: str) -> None:
    assert list(check_shadowing([name], SYSTEM)) == []


@pytest.mark.parametrize(
    ("name", "before", "since"),
    [
        ("distutils/__init__.py", "python3.11", "python3.12"),
        ("telnetlib.py", "python3.12", "python3.13"),
    ],
)
def test_what_python_gave_up_may_be_replaced(name: str, before: str, since: str) -> None:
    assert list(check_shadowing([name], system_of(f"{since}/arm64"))) == []
    assert list(check_shadowing([name], system_of(f"{before}/arm64"))) != []


@pytest.mark.parametrize(
    ("name", "since"), [("tomllib/__init__.py", "python3.11"), ("compression.py", "python3.14")]
)
def test_what_python_took_up_is_taken(name: str, since: str) -> None:
    assert list(check_shadowing([name], system_of("python3.10/arm64"))) == []
    assert list(check_shadowing([name], system_of(f"{since}/arm64"))) != []


def test_a_module_that_python_has_loaded_is_never_imported() -> None:
    (finding,) = check_shadowing(["time.py"], SYSTEM)
    assert (finding.code, finding.level) == ("never-imported", "warning")


def test_an_obsolete_distribution_is_named() -> None:
    (finding,) = check_shadowing(["enum/__init__.py"], SYSTEM)
    assert "`enum34`" in str(finding.hint)


def test_a_backport_that_offers_the_same_is_a_note() -> None:
    (finding,) = check_shadowing(["cgi.py"], system_of("python3.12/arm64"))
    assert (finding.level, finding.hint) == ("note", None)
    assert "legacy-cgi" in finding.message


@pytest.mark.parametrize(
    "name", ["awslambdaric/__init__.py", "bootstrap.py", "sitecustomize.py", "lambda_internal.py"]
)
def test_modules_of_the_runtime(name: str) -> None:
    (finding,) = check_shadowing([name], SYSTEM)
    assert (finding.code, finding.level) == ("shadows-runtime", "warning")
