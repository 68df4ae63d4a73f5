"""The checks that the declared rules name, over the real wheels of every target."""

import zipfile
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path

import pytest
from conftest import real_wheels
from support.fixture_wheels import TARGETS
from support.prune_guard import DECLARED, EVERYTHING, PrunedWheel, complaints, prune
from support.wheel_builder import build_wheel

from packager.slim.prune_rules import declared_distributions, load_declared

pytestmark = pytest.mark.index


@pytest.fixture(scope="module")
def pruned() -> Callable[[str], tuple[PrunedWheel, ...]]:
    """A function from a target to its wheels, pruned by every rule there is, named ones too."""

    @cache
    def prune_all(target: str) -> tuple[PrunedWheel, ...]:
        python = TARGETS[target].python
        return tuple(prune(path, EVERYTHING, python=python) for path in real_wheels(target))

    return prune_all


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_nothing_that_stays_needs_what_goes(
    target: str, pruned: Callable[[str], tuple[PrunedWheel, ...]]
) -> None:
    assert complaints(pruned(target)) == []


def test_every_declared_rule_is_of_use(
    pruned: Callable[[str], tuple[PrunedWheel, ...]],
) -> None:
    used = {d.rule for t in TARGETS for each in pruned(t) for d in each.dropped}
    rules = {rule.id for name in declared_distributions() for rule in load_declared(name)}
    assert rules - used == set()


@pytest.mark.parametrize("target", TARGETS)
def test_copies_are_dropped_only_where_the_same_bytes_stay(
    target: str, pruned: Callable[[str], tuple[PrunedWheel, ...]]
) -> None:
    [pyarrow] = [each for each in pruned(target) if each.wheel.name == "pyarrow"]
    copies = [d.path for d in pyarrow.dropped if d.rule == "pyarrow-library-copies"]
    assert len(copies) >= 4
    shipped = dict(prune(pyarrow.path, DECLARED).kept)
    with zipfile.ZipFile(pyarrow.path) as archive:
        stay = {
            sha256(archive.read(name)).digest()
            for name in shipped
            if name.startswith("pyarrow/libarrow_python")
        }
        for name in copies:
            assert sha256(archive.read(name)).digest() in stay, name


@pytest.mark.parametrize("target", TARGETS)
def test_the_sample_data_is_read_by_nobody_else(
    target: str, pruned: Callable[[str], tuple[PrunedWheel, ...]]
) -> None:
    for each in pruned(target):
        with zipfile.ZipFile(each.path) as archive:
            readers = {
                name
                for name, member in each.kept
                if name.endswith(".py") and b"sklearn.datasets.data" in archive.read(member.name)
            }
        assert readers <= {"sklearn/datasets/_base.py"}


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("import joblib.test.data", "imports joblib.test"),
        ("from joblib import test", "imports joblib.test"),
        ("def f():\n    from joblib.test import common", "imports joblib.test"),
        ("m = __import__('importlib').import_module('joblib.test')", "imports joblib.test"),
        ("from .test import common", "imports joblib.test"),
        ("from . import test", "imports joblib.test"),
        ("from joblib import testing", None),
        ("test = 'joblib/test.txt'", None),
    ],
)
def test_the_check_sees_every_kind_of_import(
    source: str, complaint: str | None, tmp_path: Path
) -> None:
    files = {
        "joblib/__init__.py": b"",
        "joblib/kept.py": source.encode(),
        "joblib/test/__init__.py": b"",
        "joblib/test/common.py": b"",
    }
    path = build_wheel(tmp_path, "joblib", "1.6.0", files=files)
    found = complaints([prune(path, DECLARED)])
    assert bool(found) == (complaint is not None)
    assert all(complaint in each for each in found if complaint)
