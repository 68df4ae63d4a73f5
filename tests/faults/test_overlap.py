"""Wheels are worked on while others are on their way: what is made meanwhile, what goes wrong."""

from pathlib import Path

from support.build_world import make_wheels, write_project
from support.index_files import Fault
from support.index_server import IndexServer
from support.lpack_runner import LpackRunner
from support.wheel_builder import build_wheel

from packager.wheels.store import Store

SLOW = "alpha-1.0-py3-none-any.whl"
OTHERS = ("beta", "gamma", "boto3", "botocore", "six")


def test_a_payload_is_made_while_another_wheel_is_held_back(
    lpack: LpackRunner, tmp_path: Path
) -> None:
    store = Store(lpack.store / "v1")
    made: list[Path] = []
    write_project(tmp_path / "project")

    def payload_is_there() -> bool:
        made[:] = (store.root / "slimmed").rglob("*.json")
        return bool(made)

    faults = {SLOW: Fault(until=payload_is_there)}
    with IndexServer(make_wheels(tmp_path / "wheels"), faults=faults) as index:
        done = lpack.run("build", "--index-url", index.url, cwd=tmp_path / "project")
    assert done.exit_code == 0, done.explain()
    assert made


def test_what_is_never_subtracted_is_made_although_the_runtime_has_it(
    lpack: LpackRunner, tmp_path: Path
) -> None:
    store, project = Store(lpack.store / "v1"), tmp_path / "project"
    wheels = make_wheels(tmp_path / "wheels")
    write_project(project)
    settings = project / "pyproject.toml"
    settings.write_text(
        settings.read_text().replace("[tool.lpack]", '[tool.lpack]\nsubtract = "never"')
    )
    made = 0

    def all_others_are_there() -> bool:
        nonlocal made
        made = len(list((store.root / "slimmed").rglob("*.json")))
        return made == len(OTHERS)

    faults = {SLOW: Fault(until=all_others_are_there)}
    with IndexServer(wheels, faults=faults) as index:
        done = lpack.run("build", "--index-url", index.url, cwd=project)
    assert done.exit_code == 0, done.explain()
    assert made == len(OTHERS)


def test_a_bad_wheel_is_told_when_the_others_have_arrived(
    lpack: LpackRunner, tmp_path: Path
) -> None:
    project, store = tmp_path / "project", Store(lpack.store / "v1")
    write_project(project)
    wheels = make_wheels(tmp_path / "wheels")
    build_wheel(tmp_path / "wheels", "beta", "1.2", requires=["gamma>=2"], record=b"")
    build_wheel(tmp_path / "wheels", "six", "1.0", record=b"")
    faults = {SLOW: Fault(status=404)}
    with IndexServer(wheels, faults=faults) as index:
        command = ("build", "--index-url", index.url)
        missing = lpack.run(*command, cwd=project)
        faults_gone = index.faults.pop(SLOW)
        refused = lpack.run(*command, cwd=project)
    assert faults_gone.status == 404
    # A download that failed comes first, then the first bad wheel by name.
    for done, named in ((missing, SLOW), (refused, "beta-1.2-py3-none-any.whl")):
        assert done.exit_code == 3, done.explain()
        errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
        assert len(errors) == 1
        assert named in errors[0]
        assert list((store.root / "tmp").iterdir()) == []
        assert not (project / "dist").exists()
