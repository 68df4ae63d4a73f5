import pytest

from packager.runtime.targets import load_target
from packager.verify.extension_modules import check_extension_modules

TARGET = load_target("python3.13", "x86_64")


@pytest.mark.parametrize(
    "name",
    [
        "pkg/m.cpython-313-x86_64-linux-gnu.so",
        "pkg/m.abi3.so",
        "pkg/m.so",
        "pkg.libs/libz-1a2b.so.1.2",
        "pkg/m.py",
        "81d2__mypyc.cpython-313-x86_64-linux-gnu.so",
    ],
)
def test_what_python_looks_for(name: str) -> None:
    assert list(check_extension_modules([name], TARGET)) == []


@pytest.mark.parametrize(
    ("name", "built_for"),
    [
        ("pkg/m.cpython-312-x86_64-linux-gnu.so", "Python 3.12"),
        ("pkg/m.cpython-313t-x86_64-linux-gnu.so", "Python 3.13 without the global lock"),
        ("pkg/m.cpython-36m-x86_64-linux-gnu.so", "Python 3.6"),
        ("pkg/m.cpython-313-x86_64-linux-musl.so", "x86_64-linux-musl"),
        ("pkg/m.cpython-313-darwin.so", "darwin"),
        ("pkg/m.cpython-313-aarch64-linux-gnu.so", "aarch64-linux-gnu"),
        ("pkg/m.cp313-win_amd64.pyd", "cp313-win_amd64"),
        ("m.pypy310-pp73-x86_64-linux-gnu.so", "pypy310-pp73-x86_64-linux-gnu"),
    ],
)
def test_what_python_does_not_look_for(name: str, built_for: str) -> None:
    (finding,) = check_extension_modules([name], TARGET)
    assert (finding.code, finding.level) == ("wrong-python-abi", "error")
    assert finding.message == (
        f"`{name}` is built for {built_for}: python3.13 does not look for such a file"
    )
    assert finding.hint == "take the wheel for cp313 on x86_64"


def test_files_for_several_versions_are_fine_when_one_fits() -> None:
    names = [f"pkg/m.cpython-3{n}-x86_64-linux-gnu.so" for n in (11, 12, 13)]
    assert list(check_extension_modules(names, TARGET)) == []
    assert list(check_extension_modules([names[0], "pkg/m.abi3.so"], TARGET)) == []


def test_a_module_in_python_beside_it_takes_over() -> None:
    names = ["pkg/m.cpython-312-x86_64-linux-gnu.so", "pkg/m.py"]
    assert [f.level for f in check_extension_modules(names, TARGET)] == ["warning"]


def test_a_whole_package_is_one_finding() -> None:
    names = [f"pkg/m{n}.cpython-312-x86_64-linux-gnu.so" for n in range(9)]
    (finding,) = check_extension_modules(names, TARGET)
    assert "`pkg/m0.cpython-312-x86_64-linux-gnu.so` (and 8 more)" in finding.message


def test_what_is_reported_already_is_passed_over() -> None:
    name = "m.cpython-313-aarch64-linux-gnu.so"
    assert list(check_extension_modules([name], TARGET, reported=[name])) == []
