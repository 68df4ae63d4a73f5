"""Outputs read by independent readers: the same names, bytes and modes, whatever was put in.

Zips of invented files, and every zip that one project is built into: functions, a layer, an archive
for S3. `make torture` reads many more.
"""

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from support import forms_world
from support.index_server import IndexServer
from support.intensity import times
from support.lpack_runner import LpackRunner
from support.readers import MORE_READERS, READERS, read_all, read_with_python, why_missing
from support.zip_plans import Plan, plans, write

INVENTED = times(31, 491)
BUILT = 9

Expected = Mapping[str, tuple[str, int | None]]


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Expected]:
    """Zips, each with the sha256 and the mode that every reader must see of each file."""
    found = invented(tmp_path_factory.mktemp("invented"))
    folder = tmp_path_factory.mktemp("built")
    forms_world.make_wheels(folder / "wheels")
    project = forms_world.write_project(folder / "project")
    with IndexServer([folder / "wheels"]) as index:
        LpackRunner(home=folder / "home").ok("build", "--index-url", index.url, cwd=project)
    built = sorted((project / "dist").rglob("*.zip"))
    assert len(built) == BUILT
    return found | {path: read_with_python(path) for path in built}


def invented(folder: Path) -> dict[Path, Expected]:
    """Write zips of what hypothesis invents."""
    found: dict[Path, Expected] = {}

    @settings(
        max_examples=INVENTED,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(plan=plans())
    def write_one(plan: Plan) -> None:
        own = folder / str(len(found))
        own.mkdir()
        path, expected = write(plan, own)
        metadata = {
            name: seen for name, seen in read_with_python(path).items() if name not in expected
        }
        assert {name.rpartition("/")[2] for name in metadata} == {"METADATA", "WHEEL", "RECORD"}
        found[path] = metadata | expected

    write_one()
    assert len(found) >= INVENTED
    return found


@pytest.mark.parametrize("reader", [*READERS, *MORE_READERS])
def test_outputs_are_read_alike(reader: str, outputs: dict[Path, Expected]) -> None:
    if (missing := why_missing(reader)) is not None:
        pytest.skip(missing)
    compared = modes = 0
    for (path, expected), seen in zip(outputs.items(), read_all(reader, [*outputs]), strict=True):
        assert seen.keys() == expected.keys(), f"{reader}: {path}"
        for name, (digest, mode) in seen.items():
            assert digest == expected[name][0], f"{reader} reads other bytes of {name} in {path}"
            assert mode in (None, expected[name][1]), f"{reader}: mode of {name} in {path}"
            compared += 1
            modes += mode is not None
    print(f"\n{reader}: {len(outputs)} outputs, {compared} files, {modes} modes")
    assert compared > len(outputs)
