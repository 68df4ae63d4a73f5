"""Damaged payloads are made again, however many, until the store itself must be to blame."""

from pathlib import Path

import pytest
from support.functions import make_function

from packager.assemble.checked import PayloadDamagedError
from packager.errors import CannotBuild
from packager.leftovers import temporary_mark
from packager.model.progress import NullReporter
from packager.pipeline.memory import TRIES, Memory
from packager.pipeline.splicing import healed
from packager.wheels.store import EntryLostError, Store


class Damage:
    """A build over a store in which the payloads `keys` are damaged, each so many times."""

    def __init__(self, keys: dict[str, int]) -> None:
        self.keys = keys
        self.firsts: list[bool] = []

    def attempt(self, first: bool) -> str:
        self.firsts.append(first)
        for key, times in self.keys.items():
            if times:
                self.keys[key] -= 1
                raise EntryLostError(key) if key.startswith("lost") else PayloadDamagedError(key)
        return "built"


def heal(folder: Path, damage: Damage) -> str:
    memory = Memory(Store(folder / "store"), make_function(folder))
    return healed(damage.attempt, [memory], reporter=NullReporter())


def test_any_number_of_payloads_may_be_damaged(tmp_path: Path) -> None:
    damage = Damage({f"key{number}": 1 for number in range(30)} | {"lost wheel": 1})
    assert heal(tmp_path, damage) == "built"
    assert damage.firsts == [True] + [False] * 31


def test_unfinished_files_that_get_lost_are_counted_together(tmp_path: Path) -> None:
    with pytest.raises(CannotBuild, match="loses or alters what is written to it"):
        heal(tmp_path, Damage({f"lost-{temporary_mark()}.whl": 1 for _ in range(TRIES)}))


@pytest.mark.parametrize("key", ["key", "lost wheel"])
def test_one_that_stays_damaged_is_the_fault_of_the_store(tmp_path: Path, key: str) -> None:
    assert heal(tmp_path, Damage({key: TRIES - 1})) == "built"
    with pytest.raises(CannotBuild, match="loses or alters what is written to it"):
        heal(tmp_path, Damage({key: TRIES}))
