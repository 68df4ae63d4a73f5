"""Which of the remembered functions a rebuild begins to copy for, before it knows anything else."""

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from packager.cli.unchanged import Looks
from packager.pipeline.ahead import HeadStart, head_start
from packager.wheels.store import Store


def begun(stamp: dict[str, Any]) -> AbstractContextManager[HeadStart | None]:
    """Give the work begun for the first function of `stamp` that is not as it was, if there is.

    Of several that changed the others gain nothing: both cores have enough to do then.
    """
    looks = Looks()
    for answer in stamp["answers"] if stamp["request"] is not None else ():
        if answer["prefix"] and not looks.hold(answer["paths"]):
            place = answer["outputs"][0]
            intact = looks.hold(entry for entry in answer["paths"] if entry[0] == place)
            started = head_start(Store.default(), answer["prefix"], Path(place), intact=intact)
            return started or nullcontext()
    return nullcontext()
