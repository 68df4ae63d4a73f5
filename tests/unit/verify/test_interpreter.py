import platform
import subprocess
import sys
from pathlib import Path

import pytest

from packager.model.target import Target
from packager.runtime.targets import load_target, runtime_names
from packager.verify.interpreter import can_run_here, find_interpreter


def here() -> Target:
    """A target that this very Python fits, where lpack knows one."""
    runtime = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    architecture = {"x86_64": "x86_64", "aarch64": "arm64"}.get(platform.machine())
    if platform.system() != "Linux" or runtime not in runtime_names() or architecture is None:
        pytest.skip("this Python stands in for no runtime")
    return load_target(runtime, architecture)


def test_this_python_fits_its_own_runtime() -> None:
    found = find_interpreter(here())
    assert found is not None
    assert found.version == platform.python_version()
    code = "import sys; print(sys.prefix == sys.base_prefix)"
    done = subprocess.run(
        [found.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == "True\n", "a virtual environment would show what is installed in it"


def test_another_processor_cannot_run_here() -> None:
    target = here()
    assert can_run_here(target)
    other = "x86_64" if target.machine == "aarch64" else "aarch64"
    foreign = target._replace(machine=other)
    assert not can_run_here(foreign)
    assert find_interpreter(foreign) is None


def test_what_only_looks_right_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shim that fails, one that hangs up, one of another version; then there is none."""
    target = here()._replace(python=(3, 99))
    for number, line in enumerate(("exit 127", "echo '{}", f'exec {sys.executable} "$@"')):
        shim = tmp_path / str(number) / "python3.99"
        shim.parent.mkdir()
        shim.write_text(f"#!/bin/sh\n{line}\n")
        shim.chmod(0o755)
    folders = [str(tmp_path / str(number)) for number in range(3)]
    monkeypatch.setenv("PATH", ":".join([*folders, "/usr/bin", "/bin"]))
    assert find_interpreter(target) is None


def test_pyenv_s_installed_versions_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = here()
    minor = f"{target.python[0]}.{target.python[1]}"
    for patch in ("2", "10"):
        link = tmp_path / "versions" / f"{minor}.{patch}" / "bin" / f"python{minor}"
        link.parent.mkdir(parents=True)
        link.write_text(f'#!/bin/sh\n: >"$0.asked"\nexec {sys.executable} "$@"\n')
        link.chmod(0o755)
    pyenv = tmp_path / "bin" / "pyenv"
    pyenv.parent.mkdir()
    pyenv.write_text(f"#!/bin/sh\necho {tmp_path}\n")
    pyenv.chmod(0o755)
    monkeypatch.setenv("PATH", str(pyenv.parent))
    monkeypatch.setattr(sys, "version_info", (3, 0, 0))
    assert find_interpreter(target) is not None
    assert [p.parts[-3] for p in tmp_path.rglob("*.asked")] == [f"{minor}.10"]
