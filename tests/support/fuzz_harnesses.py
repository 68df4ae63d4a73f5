"""What eats foreign bytes, one function each: bytes in, nothing but LpackError out.

The seeds of `tests/cases/fuzz` run through all of them in every test run; `make fuzz` lets
atheris look for new ones. A harness that accepts its input also holds what was read against
a second opinion or against itself.
"""

import io
import re
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from support.demo_wheel import FILE_NAME
from support.functions import make_function

from packager.errors import LpackError
from packager.inputs.attested import attested_as
from packager.inputs.configuration import load_project
from packager.inputs.documents import load_toml
from packager.inputs.index_page import read_page
from packager.inputs.requirements import read_requirements
from packager.inputs.settings import Overrides
from packager.lock.lockfile import parse_lock, render_lock
from packager.lock.select import choose
from packager.model.record import parse_record, render_record
from packager.pipeline.inspection import inspect_artifact
from packager.runtime.targets import load_target
from packager.wheels.admission import admit

SEPARATOR = b"\n--8<--\n"
"""Between the parts of an input that stands for several files."""

PAGE_FILE = "x-1-py3-none-any.whl"
"""The file that pages and provenance are asked about; its digest is all zeros."""

RUNTIMES = tuple(f"python3.{minor}" for minor in range(9, 15))
_TARGET = load_target("python3.13", "arm64")
_PROJECT = b'[project]\nname = "demo"\ndependencies = ["alpha"]\n'
_IMAGE_PARTS = ("manifest", "config", "layer")


def eat_wheel(data: bytes) -> None:
    """Admission refuses a wheel, or sees in it what zipfile sees."""
    with _folder() as folder:
        path = _written(folder / "x.whl", data)
        wheel = admit(path, sha256="0" * 64, filename=FILE_NAME)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = sorted(info.filename for info in archive.infolist() if not info.is_dir())
        assert [member.name for member in wheel.members] == names
        for member in wheel.members:
            stream = data[member.data_offset :][: member.compressed_bytes]
            plain = zlib.decompress(stream, -15) if member.method else stream
            assert plain == archive.read(member.name)


def eat_record(data: bytes) -> None:
    """What is read from a RECORD is written and read again as the same."""
    try:
        entries = parse_record(data)
    except ValueError:
        return
    text = render_record(entries)
    assert list(parse_record(text).items()) == list(entries.items())
    assert render_record(parse_record(text)) == text


def eat_pylock(data: bytes) -> None:
    """A lock chooses files or is refused; what is written of it reads as the same."""
    lock = parse_lock(_text(data), origin="pylock.toml")
    with _refusals():
        choose(lock, _TARGET)
    text = render_lock(lock)
    assert render_lock(parse_lock(text, origin="again")) == text


def eat_uv_lock(data: bytes) -> None:
    """A lock of uv, and behind the separator the project it is for."""
    _eat_inputs({"uv.lock": data}, "uv.lock")


def eat_poetry_lock(data: bytes) -> None:
    """A lock of Poetry, and behind the separator the project it is for."""
    _eat_inputs({"poetry.lock": data}, "poetry.lock")


def eat_pipfile_lock(data: bytes) -> None:
    """A lock of Pipenv, and behind the separator its Pipfile."""
    lock, found, pipfile = data.partition(SEPARATOR)
    _eat_inputs({"Pipfile.lock": lock, **({"Pipfile": pipfile} if found else {})}, "Pipfile.lock")


def eat_requirements(data: bytes) -> None:
    """A requirements file."""
    _eat_inputs({"requirements.txt": data}, "requirements.txt")


def eat_configuration(data: bytes) -> None:
    """A `pyproject.toml`: the configuration, and then everything the functions ask for."""
    with _folder() as folder:
        root = _project(folder)
        _written(root / "app.py", b"def handler(event, context):\n    return 1\n")
        _written(root / "pyproject.toml", data)
        for function in load_project(root, Overrides(), runtimes=RUNTIMES):
            with _refusals() as refused:
                read_requirements(function)
            if refused:
                continue
            extras = [f"{kind}:{name}" for kind, name in _named_references(root)]
            for reference in extras:
                with _refusals():
                    read_requirements(function._replace(requirements=(reference,)))


def eat_zip(data: bytes) -> None:
    """A zip of anybody's, inspected with all its files."""
    with _folder() as folder:
        inspect_artifact(_written(folder / "x.zip", data))


def eat_image_archive(data: bytes) -> None:
    """A tar of an image layout, or what `docker save` writes."""
    with _folder() as folder:
        inspect_artifact(_written(folder / "image.tar", data))


def eat_image_layout(data: bytes) -> None:
    """A layout's index, manifest, configuration and one layer, behind each other."""
    index, *parts = data.split(SEPARATOR, 3)
    with _folder() as folder:
        layout = folder / "image"
        blobs = layout / "blobs" / "sha256"
        blobs.mkdir(parents=True)
        _written(layout / "index.json", index)
        for name, part in zip(_IMAGE_PARTS, parts, strict=False):
            _written(blobs / name, part)
        inspect_artifact(layout)


def eat_index_page(data: bytes) -> None:
    """A page of an index, as JSON and as HTML."""
    for kind in ("text/html", "application/json"):
        status, listed = read_page(
            data, kind, filename=PAGE_FILE, sha256="0" * 64, url="https://h/s/x/", shown="page"
        )
        assert status.reason.isprintable()
        assert listed is None or re.match(r"https?://|$", listed.provenance)
        if kind == "text/html" and listed is not None:
            return


def eat_provenance(data: bytes) -> None:
    """A provenance, and behind the separator whom to trust; nothing is proven by chance."""
    # Loaded late because it is an extra, and takes a second.
    from packager.attest.verification import Unproven, Verification  # noqa: PLC0415

    provenance, _, root = data.partition(SEPARATOR)
    with _folder() as folder:
        verification = Verification(_written(folder / "root.json", root))
    try:
        for signed in verification.signed(provenance):
            attested_as(signed.statement, filename=PAGE_FILE, sha256="0" * 64)
    except (Unproven, ValueError):
        return


HARNESSES: dict[str, Callable[[bytes], None]] = {
    "configuration": eat_configuration,
    "image-archive": eat_image_archive,
    "image-layout": eat_image_layout,
    "index-page": eat_index_page,
    "pipfile-lock": eat_pipfile_lock,
    "poetry-lock": eat_poetry_lock,
    "pylock": eat_pylock,
    "record": eat_record,
    "requirements": eat_requirements,
    "uv-lock": eat_uv_lock,
    "wheel": eat_wheel,
    "zip": eat_zip,
}

if find_spec("pypi_attestations") is not None:
    HARNESSES["provenance"] = eat_provenance


def run(name: str, data: bytes) -> LpackError | None:
    """Feed one input; give the refusal, None when it was accepted. All else is raised."""
    with _refusals() as refused:
        HARNESSES[name](data)
    return refused[0] if refused else None


def _eat_inputs(files: dict[str, bytes], reference: str) -> None:
    with _folder() as folder:
        root = _project(folder)
        for name, data in files.items():
            first, found, project = data.partition(SEPARATOR)
            _written(root / name, first)
            _written(root / "pyproject.toml", project if found else _PROJECT)
        with _refusals():
            read_requirements(make_function(root, (reference, "project", "group:dev")))
        read_requirements(make_function(root, (reference,)))


def _project(folder: Path) -> Path:
    """A folder with a local project and a wheel, which inputs may name."""
    root = folder / "demo"
    (root / "lib").mkdir(parents=True)
    _written(root / "lib" / "pyproject.toml", b'[project]\nname = "lib"\nversion = "1"\n')
    _written(root / "beta-2-py3-none-any.whl", b"")
    return root


def _named_references(root: Path) -> Iterator[tuple[str, str]]:
    """The extras and groups that a project declares, as far as it is sound."""
    document = load_toml(root / "pyproject.toml", root)
    tables = (
        ("extra", document.get("project", {}).get("optional-dependencies", {})),
        ("extra", document.get("tool", {}).get("poetry", {}).get("extras", {})),
        ("group", document.get("dependency-groups", {})),
        ("group", document.get("tool", {}).get("poetry", {}).get("group", {})),
    )
    for kind, table in tables:
        for name in list(table)[:4]:
            yield kind, name


@contextmanager
def _refusals() -> Iterator[list[LpackError]]:
    """Let refusals pass and hold them to their form: one line that acts on no terminal."""
    refused: list[LpackError] = []
    try:
        yield refused
    except LpackError as error:
        refused.append(error)
    for each in refused:
        assert each.message
        assert not re.search(r"[\x00-\x1f\x7f-\x9f]", each.message), each.message


@contextmanager
def _folder() -> Iterator[Path]:
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield Path(folder)


def _written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def tar_of(files: dict[str, bytes]) -> bytes:
    """A tar with these files, the same bytes in every run."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()
