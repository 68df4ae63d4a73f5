"""Damaged payloads are made again, however many, until the store itself must be to blame."""

from pathlib import Path

import pytest
from support.functions import make_function

from packager.assemble.checked import PayloadDamagedError
from packager.errors import CannotBuild
from packager.leftovers import is_temporary, temporary_mark
from packager.model.progress import NullReporter
from packager.pipeline.memory import ALTERATIONS, REMOVALS, Memory
from packager.pipeline.splicing import healed
from packager.wheels.store import EntryLostError, Store


class Damage:
    """A build over a store in which the payloads `keys` are damaged, each so many times.

    Those whose keys begin with "lost" are gone.
    """

    def __init__(self, keys: dict[str, int]) -> None:
        self.keys = keys
        self.firsts: list[bool] = []
        self.store: Store | None = None

    def attempt(self, first: bool) -> str:
        self.firsts.append(first)
        for key, times in self.keys.items():
            if times:
                self.keys[key] -= 1
                self.raise_for(key)
        return "built"

    def raise_for(self, key: str) -> None:
        assert self.store is not None
        if key.endswith("wheel"):
            raise EntryLostError(key, altered=not key.startswith("lost"))
        if is_temporary(key):
            raise EntryLostError(key)
        if not key.startswith("lost"):
            with self.store.writing("payloads", key, ".zip") as temporary:
                temporary.write_bytes(b"altered")
        raise PayloadDamagedError(key)


def heal(folder: Path, damage: Damage) -> str:
    damage.store = Store(folder / "store")
    memory = Memory(damage.store, make_function(folder))
    return healed(damage.attempt, [memory], reporter=NullReporter())


def test_any_number_of_payloads_may_be_damaged(tmp_path: Path) -> None:
    damage = Damage({f"key{number}": 1 for number in range(30)} | {"lost wheel": 1})
    assert heal(tmp_path, damage) == "built"
    assert damage.firsts == [True] + [False] * 31


def test_unfinished_files_that_get_lost_are_counted_together(tmp_path: Path) -> None:
    with pytest.raises(CannotBuild, match="loses or alters what is written to it"):
        heal(tmp_path, Damage({f"lost-{temporary_mark()}.whl": 1 for _ in range(REMOVALS)}))


@pytest.mark.parametrize(
    ("key", "times"),
    [
        ("payload", ALTERATIONS),
        ("altered wheel", ALTERATIONS),
        ("lost-payload", REMOVALS),
        ("lost wheel", REMOVALS),
    ],
)
def test_one_that_stays_damaged_is_the_fault_of_the_store(
    tmp_path: Path, key: str, times: int
) -> None:
    """Somebody who prunes beside a slow build removes what is needed, and alters nothing."""
    assert heal(tmp_path, Damage({key: times - 1})) == "built"
    with pytest.raises(CannotBuild, match="loses or alters what is written to it"):
        heal(tmp_path, Damage({key: times}))
