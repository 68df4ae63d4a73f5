"""An index whose metadata (PEP 658) is not that of its wheels: the wheels decide."""

from pathlib import Path

import pytest
from support.index_server import Fault, IndexServer
from support.lpack_runner import LpackRunner
from support.wheel_builder import build_wheel

HEAD = "Metadata-Version: 2.1\nName: alpha\nVersion: 1.0\n"


@pytest.mark.parametrize(
    ("resolver", "requires", "told", "message"),
    [
        ("uv", ["beta"], [], "alpha 1.0 requires `beta`, which the lock does not select"),
        ("pip", ["beta"], [], "alpha 1.0 requires `beta`, which the lock does not select"),
        ("uv", [], ["beta"], "the lock selects `beta 1.0`"),
        ("uv", ["beta>=2"], ["beta"], "alpha 1.0 requires `beta>=2`, and the lock selects"),
    ],
    ids=["hides one from uv", "hides one from pip", "adds one", "loosens one"],
)
def test_metadata_that_is_not_the_wheels(
    tmp_path: Path, lpack: LpackRunner, resolver: str, requires: list[str], told: list[str],
    message: str,
) -> None:  # fmt: skip
    wheels = [
        build_wheel(tmp_path / "wheels", "alpha", "1.0", requires=requires),
        build_wheel(tmp_path / "wheels", "beta", "1.0"),
    ]
    lie = (HEAD + "".join(f"Requires-Dist: {each}\n" for each in told)).encode()
    project = tmp_path / "project"
    project.mkdir()
    (project / "app.py").write_text("def handler(event, context):\n    return {}\n")
    (project / "requirements.txt").write_text("alpha\n")
    with IndexServer(wheels, faults={wheels[0].name: Fault(metadata=lie)}) as index:
        done = lpack.run(
            "build", "--index-url", index.url, "--resolver", resolver, cwd=project
        )  # fmt: skip
    assert done.exit_code == 3, done.explain()
    assert "Traceback" not in done.stderr
    assert message in " ".join(done.stderr.split())
    assert not (project / "dist").exists()
