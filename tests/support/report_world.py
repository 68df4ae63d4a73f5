"""An artifact of real wheels whose report is the same on every machine: nothing is deflated."""

import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from packaging.version import Version

DATE = (2026, 1, 2, 3, 4, 6)
NAMES = ("certifi", "charset_normalizer", "idna", "requests", "six", "urllib3")
HOSTILE = {
    "app.py": b"import requests\n",
    "</script><script>alert(1)</script>.txt": b"x" * 5000,
    "<img src=x onerror=alert(1)>/'\"&.bin": b"y" * 70_000,
    "right\u202eto-left\u200b.txt": b"z" * 9000,
    "`code` | *table* <b>.md": b"m" * 8000,
    ".env": b"A=b\n",
}
"""Your own code, with names that would act if they were taken for markup."""


def write_artifact(
    path: Path, wheels: Iterable[Path], *, code: Mapping[str, bytes] | None = None
) -> Path:
    """Write the newest wheels of NAMES, unpacked, and `code` into a stored zip."""
    newest: dict[str, Path] = {}
    for wheel in sorted(wheels, key=lambda wheel: Version(wheel.name.split("-")[1])):
        name = wheel.name.partition("-")[0]
        if name in NAMES:
            newest[name] = wheel
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, wheel in sorted(newest.items()):
            with zipfile.ZipFile(wheel) as opened:
                for info in opened.infolist():
                    if not info.is_dir():
                        add(archive, info.filename, opened.read(info))
            add(archive, f"{wheel.name.split('-')[0]}/__pycache__/{name}.cpython-39.pyc", b"0" * 20)
        for name, data in (code if code is not None else HOSTILE).items():
            add(archive, name, data)
    return path


def add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    """Write one member with a fixed date and mode."""
    info = zipfile.ZipInfo(name, DATE)
    info.external_attr = 0o100644 << 16
    info.create_system = 3
    archive.writestr(info, data)
