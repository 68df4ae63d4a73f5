import pytest
from support.bundles import bundle

from packager.model.finding import Finding
from packager.runtime.targets import load_target
from packager.verify.start_files import check_start_files

TARGET = load_target("python3.13", "x86_64")


def check(name: str, text: str, *more: str) -> list[Finding]:
    files = {name: text.encode(), **dict.fromkeys(more, b"")}
    return list(check_start_files(bundle(files), TARGET))


@pytest.mark.parametrize(
    ("name", "text", "code", "level"),
    [
        ("evil.pth", "import os; os.system('id')\n", "runs-at-start", "warning"),
        ("evil.pth", "# fine\nimport\tbase64\n", "runs-at-start", "warning"),
        ("distutils-precedence.pth", "import os; _x = 1\n", "runs-at-start", "note"),
        ("zope-nspkg.pth", "import sys, types, os\n", "runs-at-start", "note"),
        ("vendored.pth", "vendor\n", "adds-path", "note"),
        ("vendored.pth", "vendor/deep\n", "adds-path", "note"),
        ("__editable__.app.pth", "/builds/app/src\n", "path-outside", "warning"),
        ("gone.pth", "nowhere\n", "path-outside", "warning"),
    ],
)
def test_what_a_start_file_does(name: str, text: str, code: str, level: str) -> None:
    (finding,) = check(name, text, "vendor/m.py")
    assert (finding.code, finding.level, finding.path) == (code, level, name)
    assert finding.message.startswith(f"`{name}` ")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("empty.pth", "\n# nothing\n"),
        ("pkg/inner.pth", "import os\n"),
        (".hidden.pth", "import os\n"),
        ("not-yet.start", "app:main\n"),
    ],
)
def test_what_does_not_run(name: str, text: str) -> None:
    assert check(name, text) == []


def test_the_code_is_shown_shortly_and_safely() -> None:
    (finding,) = check("a.pth", "import os\x1b[31m" + "x" * 200)
    assert "\x1b" not in finding.message
    assert len(finding.message) < 160
