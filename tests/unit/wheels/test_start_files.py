import hashlib

import pytest

from packager.wheels.start_files import describe_start_file, is_start_file

RUNS = ["a.pth", "a.start", "sitecustomize.py", "usercustomize.cpython-313-x86_64-linux-gnu.so",
        "sitecustomize/__init__.py", "usercustomize/__init__.abi3.so", "sitecustomize"]  # fmt: skip
RESTS = ["a.py", "pkg/a.pth", "pkg/sitecustomize.py", "sitecustomize/other.py", "sitecustomized.py",
         "sitecustomize/sub/__init__.py", "a.pthx", "__init__.py"]  # fmt: skip


@pytest.mark.parametrize("name", RUNS)
def test_what_runs_at_start(name: str) -> None:
    assert is_start_file(name)


@pytest.mark.parametrize("name", RESTS)
def test_what_does_not(name: str) -> None:
    assert not is_start_file(name)


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("a.pth", b"import os\n", "runs code when the function starts: `import os`"),
        ("a.pth", b"x\nimport\tb; c()\n", r"runs code when the function starts: `import\tb; c()`"),
        ("a.pth", b"\xff\nimport os", "runs code when the function starts: `import os`"),
        ("a.pth", b"importlib\n import x\n", "adds folders to `sys.path`"),
        ("a.start", b"pkg:main\n", "runs code when the function starts"),
        ("sitecustomize.py", b"import os\n", "runs code when the function starts"),
    ],
)
def test_what_is_told_of_it(name: str, data: bytes, told: str) -> None:
    digest = hashlib.sha256(data).hexdigest()
    assert describe_start_file(name, data) == f"`{name}` {told} (sha256 {digest})"


def test_a_file_that_is_too_large_is_not_read() -> None:
    assert describe_start_file("a.pth", None) == (
        "`a.pth` runs code when the function starts (not read: it is too large)"
    )
