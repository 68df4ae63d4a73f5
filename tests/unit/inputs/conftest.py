"""What the tests of the inputs share: projects written from text."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

Project = Callable[[Mapping[str, str]], Path]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Write files below a folder called `demo`; a name ending in `/` is an empty folder."""

    def write(files: Mapping[str, str]) -> Path:
        root = tmp_path / "demo"
        root.mkdir()
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if name.endswith("/"):
                path.mkdir()
            else:
                path.write_text(text.replace("{root}", str(root)))
        return root

    return write
