"""What is in a layer of a base image: proven by its diff_id, looked at, never unpacked.

Names are only read. Of files, only the first bytes of Python interpreters are, which tell the
processor they are for (ELF, e_machine).
"""

import hashlib
import io
import tarfile
import zlib
from gzip import GzipFile
from pathlib import Path

from packager.errors import LpackError
from packager.model.image import Descriptor
from packager.model.passing_reader import PassingReader
from packager.registry.layer_facts import CLIENT, ENTRY_POINT, LayerFacts

_CHUNK = 1 << 20
_LARGEST_LAYER_BYTES = 32 << 30
_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"
_MACHINES = {62: "x86_64", 183: "arm64"}
_BIN_FOLDERS = ("bin", "usr/bin", "usr/local/bin", "var/lang/bin")
_GZIP_MAGIC = b"\x1f\x8b"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


def look_at_layer(
    path: Path, layer: Descriptor, *, diff_id: str, name: str, refusal: type[LpackError]
) -> LayerFacts:
    """Read the whole layer at `path`; raises `refusal` unless digest and diff_id are right.

    An empty `diff_id` is not compared.

    `name` is the base's for people. Layers that are not gzipped are refused: Lambda is known to
    take gzip only (`ImageLayerFailure: UnsupportedImageLayerDetected`).
    """
    outer = _digest_of(path, name=name, refusal=refusal)
    if outer != layer.digest:
        raise refusal(f"the layer {layer.digest} of `{name}` has the digest {outer}",
                      hint="pull or build the base again")  # fmt: skip
    with path.open("rb") as file:
        magic = file.read(4)
        file.seek(0)
        if not magic.startswith(_GZIP_MAGIC):
            form = "compressed by zstd" if magic == _ZSTD_MAGIC else "not compressed"
            raise refusal(
                f"the layer {layer.digest} of `{name}` is {form}, and Lambda takes gzip",
                hint="convert the base: skopeo copy --dest-compress-format gzip SOURCE oci:FOLDER",
            )
        with GzipFile(fileobj=file) as inflated:
            try:
                facts = _walk(PassingReader(inflated, limit_bytes=_LARGEST_LAYER_BYTES))
            except (OSError, EOFError, ValueError, zlib.error, tarfile.TarError) as error:
                reason = " ".join(str(error).split())[:200]
                raise refusal(
                    f"the layer {layer.digest} of `{name}` is damaged: {reason}"
                ) from None
    if diff_id and facts.diff_id != diff_id:
        raise refusal(
            f"the layer {layer.digest} of `{name}` holds {facts.diff_id}, its configuration "
            f"says {diff_id}"
        )
    return facts


def _digest_of(path: Path, *, name: str, refusal: type[LpackError]) -> str:
    try:
        with path.open("rb") as file:
            return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        reason = error.strerror or str(error)
        raise refusal(f"a layer of `{name}` cannot be read: {reason} (`{path}`)") from error


def _walk(stream: PassingReader) -> LayerFacts:
    paths: list[str] = []
    whiteouts: list[str] = []
    machines: list[str] = []
    buffered = io.BufferedReader(stream, _CHUNK)
    with tarfile.open(fileobj=buffered, mode="r|", errorlevel=2) as archive:
        for entry in archive:
            name = _plain(entry.name)
            folder, _, last = name.rpartition("/")
            if last == _OPAQUE:
                whiteouts.append(f"{folder}/")
            elif last.startswith(_WHITEOUT):
                whiteouts.append(f"{folder}/{last.removeprefix(_WHITEOUT)}".lstrip("/"))
            elif _matters(name):
                paths.append(name)
                opened = archive.extractfile(entry) if entry.isreg() else None
                machine = _machine_of(opened.read(20)) if opened is not None else None
                if machine and "python" in last:
                    machines.append(machine)
    # What follows the end of the archive belongs to the digest as well.
    while buffered.read(_CHUNK):
        pass
    return LayerFacts(
        diff_id="sha256:" + stream.digest.hexdigest(),
        uncompressed_bytes=stream.passed_bytes,
        paths=tuple(paths),
        whiteouts=tuple(whiteouts),
        machines=tuple(dict.fromkeys(machines)),
    )


def _plain(name: str) -> str:
    return "/".join(part for part in name.split("/") if part not in {"", "."})


def _matters(name: str) -> bool:
    folder, _, last = name.rpartition("/")
    if folder in _BIN_FOLDERS or folder.endswith("/bin"):
        return last.startswith("python") and not last.endswith("-config")
    return name == ENTRY_POINT or name.endswith(CLIENT) or last.startswith("ld-musl-")


def _machine_of(head: bytes) -> str | None:
    if not head.startswith(b"\x7fELF") or len(head) < 20:
        return None
    return _MACHINES.get(int.from_bytes(head[18:20], "little"))
