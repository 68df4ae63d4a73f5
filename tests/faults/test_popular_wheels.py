"""Admission over wheels as the world has them: what is refused, and is it refused rightly?

`LPACK_POPULAR_WHEELS` names folders of wheels, such as a mirror; without it the wheels of the
workloads are looked at. Nothing is fetched. A refusal is false when the wheel works for everybody
else, and then it needs an escape that the message names.
"""

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest
from support.fixture_wheels import TARGETS, wheels_for

from packager.errors import WheelRefused
from packager.wheels.admission import admit

VARIABLE = "LPACK_POPULAR_WHEELS"
MOST_FALSE_REFUSALS = 0.005
ESCAPE = "allow-record-mismatch"

pytestmark = [pytest.mark.slow, pytest.mark.index]


class Verdict(NamedTuple):
    """What admission says of one wheel; `escaped` tells whether the named setting lets it pass."""

    wheel: str
    refusal: str
    hint: str
    findings: tuple[str, ...]
    escaped: bool


def popular_wheels() -> Iterator[Path]:
    """All wheels of the folders, each file once."""
    folders = os.environ.get(VARIABLE)
    if folders:
        found = [w for each in folders.split(os.pathsep) for w in Path(each).rglob("*.whl")]
    else:
        found = [wheel for target in TARGETS for wheel in wheels_for(target)]
    yield from sorted({wheel.name: wheel for wheel in found}.values(), key=lambda w: w.name)


def judge(wheel: Path) -> Verdict:
    with wheel.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    try:
        admitted = admit(wheel, sha256=sha256, filename=wheel.name)
    except WheelRefused as refused:
        hint = refused.hint or ""
        escaped = ESCAPE in hint and not _refused(wheel, sha256)
        return Verdict(wheel.name, refused.reason, hint, (), escaped)
    return Verdict(wheel.name, "", "", admitted.findings, True)


def _refused(wheel: Path, sha256: str) -> bool:
    try:
        admit(wheel, sha256=sha256, filename=wheel.name, allow_record_mismatch=True)
    except WheelRefused:
        return True
    return False


def test_hardly_any_wheel_is_refused_and_each_has_an_escape() -> None:
    with ThreadPoolExecutor(2) as threads:
        verdicts = list(threads.map(judge, popular_wheels()))
    projects = {verdict.wheel.partition("-")[0].lower() for verdict in verdicts}
    refused = [verdict for verdict in verdicts if verdict.refusal]
    print(f"\n{len(verdicts)} wheels of {len(projects)} projects, {len(refused)} refused")
    for verdict in refused:
        print(f"  {verdict.wheel}: {verdict.refusal}\n    hint: {verdict.hint}")
    told = [(finding, each.wheel) for each in verdicts for finding in each.findings]
    print(f"  {len(told)} findings in {len({wheel for _, wheel in told})} wheels")
    for finding, wheel in sorted(told, key=lambda each: each[1]):
        print(f"    {wheel}: {finding[:160]}")
    assert len(verdicts) > 100
    assert [verdict for verdict in refused if not verdict.escaped] == []
    assert len(refused) <= MOST_FALSE_REFUSALS * len(verdicts)
