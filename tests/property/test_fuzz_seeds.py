"""Every input that ever broke a reader, and sound ones: quickly and in little memory."""

import time
import tracemalloc

import pytest
from support.fuzz_harnesses import HARNESSES, run
from support.fuzz_seeds import CASES, seeds

MOST_SECONDS = 2.0
MOST_BYTES = 128 * 2**20

INPUTS = [
    pytest.param(harness, data, id=f"{harness} {title}")
    for harness in HARNESSES
    for title, data in seeds(harness)
]


@pytest.fixture(scope="module", autouse=True)
def _loaded() -> None:
    """What a harness loads counts neither as its time nor as its memory."""
    for harness in HARNESSES:
        run(harness, b"")


@pytest.mark.parametrize(("harness", "data"), INPUTS)
def test_no_input_gets_out_of_hand(harness: str, data: bytes) -> None:
    tracemalloc.start()
    began = time.process_time()
    try:
        run(harness, data)
        assert time.process_time() - began < MOST_SECONDS
        assert tracemalloc.get_traced_memory()[1] < MOST_BYTES
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("harness", HARNESSES)
def test_what_is_sound_is_accepted(harness: str) -> None:
    accepted = [title for title, data in seeds(harness) if run(harness, data) is None]
    assert "sound 0" in accepted


def test_every_folder_of_seeds_belongs_to_a_harness() -> None:
    assert {path.name for path in CASES.iterdir()} <= HARNESSES.keys()
