"""In which order wheels arrive: the large ones one after the other, the small ones beside them."""

import hashlib
import threading
from pathlib import Path

from packager.model.progress import NullReporter
from packager.model.requirement import IndexSettings
from packager.model.selection import WheelReference
from packager.wheels.download import fetch
from packager.wheels.store import Store

MIB = 1 << 20


def wheel(folder: Path, name: str, size_bytes: int) -> WheelReference:
    path = folder / f"{name}-1-py3-none-any.whl"
    content = name.encode() + bytes(size_bytes - len(name))
    path.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    return WheelReference(filename=path.name, sha256=digest, path=path, size_bytes=size_bytes)


def test_the_largest_arrives_first_and_small_ones_beside_it(tmp_path: Path) -> None:
    sizes = {"small": 9, "large": 5 * MIB, "larger": 6 * MIB, "largest": 7 * MIB}
    wheels = {name: wheel(tmp_path, name, size) for name, size in sizes.items()}
    there, small_came = [], threading.Event()

    def arrived(one: WheelReference) -> None:
        if one == wheels["small"]:
            small_came.set()
        elif one == wheels["largest"]:
            # Nobody waits for a large one but the other large ones.
            assert small_came.wait(20)
        there.append(one.filename.partition("-")[0])

    store = Store(tmp_path / "store")
    for _ in range(2):
        fetch(
            list(wheels.values()),
            store,
            settings=IndexSettings(),
            reporter=NullReporter(),
            arrived=arrived,
        )
    once = [name for name in there[:4] if name != "small"]
    assert once == ["largest", "larger", "large"]
    # What is in the store already is told of too.
    assert there[4:] == ["largest", "larger", "large", "small"]
