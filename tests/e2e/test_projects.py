"""Runs every case of tests/cases/projects through the real command against a local index."""

from pathlib import Path

import pytest
from support.golden import check_golden, describe_changes, normalize, snapshot
from support.index_server import IndexServer
from support.lpack_runner import LpackRunner
from support.projects import case_folders, read_case


@pytest.mark.parametrize("folder", case_folders(), ids=lambda folder: folder.name)
def test_project(folder: Path, tmp_path: Path, lpack: LpackRunner, update_golden: bool) -> None:
    case = read_case(folder)
    project = case.prepare(tmp_path)
    before = snapshot(project)
    wheels = case.build_wheels(tmp_path / "wheels")
    with IndexServer(wheels, faults=case.faults) as index:
        filled = [part.format(index=index.url, project=project) for part in case.argv]
        done = lpack.run(*filled, cwd=project, env=case.env)
        names = {index.url: "<INDEX>", f"127.0.0.1:{index.port}": "<INDEX-HOST>"}
    assert done.exit_code == case.exit_code, done.explain()
    assert "Traceback" not in done.stderr, done.explain()
    for text in case.contains:
        assert text in done.stderr, done.explain()
    names |= {str(project): "<PROJECT>", str(lpack.store): "<STORE>", str(tmp_path): "<SCRATCH>"}
    actual = {
        "stdout": normalize(done.stdout, names=names, sizes=case.sizes),
        "stderr": normalize(done.stderr, names=names, sizes=case.sizes),
        "files": describe_changes(project, before),
    }
    for name in case.compare:
        check_golden(folder / "expected" / name, actual[name], update=update_golden)
