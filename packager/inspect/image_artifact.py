"""A container image that is open: the files that are left when its layers lie on each other."""

import re
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from packager.inspect.image_layers import LayerFile, WantedFiles, read_layers, uncompressed
from packager.inspect.image_source import ImageSource, Parts, find_image
from packager.model.found import Found, FoundFile, ImageFacts

_SPOOLED_BYTES = 4 << 20
_CHUNK_BYTES = 1 << 20
_LIBRARY = re.compile(r"(?:usr/)?(?:local/)?lib(?:64)?/(?:[^/]+/)?([^/]+\.so(?:\.[0-9.]+)?)")


class ImageArtifact:
    """The files a function brings along in an image; the base is only counted."""

    def __init__(self, parts: Parts, source: ImageSource) -> None:
        """Read all layers once."""
        self._parts = parts
        self._source = source
        self._unpacked: tuple[int, BinaryIO] | None = None
        config = source.config.get("config")
        self.found = _found(parts, source, config if isinstance(config, dict) else {})

    def read(self, file: FoundFile, limit_bytes: int = -1) -> bytes:
        """Return the file's first `limit_bytes` bytes."""
        place = cast("LayerFile", file.place)
        if place.kept is not None and (place.whole or 0 <= limit_bytes <= len(place.kept)):
            return place.kept if limit_bytes < 0 else place.kept[:limit_bytes]
        layer = self._layer(place)
        wanted = place.uncompressed_bytes
        return layer.read(wanted if limit_bytes < 0 else min(wanted, limit_bytes))

    def spool(self, file: FoundFile) -> BinaryIO:
        """Return the whole file as a seekable stream."""
        place = cast("LayerFile", file.place)
        layer = self._layer(place)
        spooled = tempfile.SpooledTemporaryFile(max_size=_SPOOLED_BYTES)  # noqa: SIM115 -- the caller closes it
        left = place.uncompressed_bytes
        while left > 0 and (data := layer.read(min(left, _CHUNK_BYTES))):
            spooled.write(data)
            left -= len(data)
        spooled.seek(0)
        return cast("BinaryIO", spooled)

    def close(self) -> None:
        """Remove what was unpacked."""
        if self._unpacked is not None:
            self._unpacked[1].close()
            self._unpacked = None

    def _layer(self, place: LayerFile) -> BinaryIO:
        """Return the tar of the file's layer, at the file; one layer at a time lies on disk."""
        if self._unpacked is None or self._unpacked[0] != place.layer:
            self.close()
            unpacked = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115 -- closed by close()
            self._unpacked = (place.layer, unpacked)
            with self._parts.open(self._source.layers[place.layer].name) as blob:
                stream = uncompressed(blob)
                while data := stream.read(_CHUNK_BYTES):
                    unpacked.write(data)
        self._unpacked[1].seek(place.offset)
        return self._unpacked[1]


@contextmanager
def open_image(path: Path) -> Iterator[ImageArtifact]:
    """Open an OCI layout, or a tar of one, or what `docker save` wrote.

    Raises UsageError when it is none.
    """
    parts = Parts(path)
    try:
        artifact = ImageArtifact(parts, find_image(parts))
        try:
            yield artifact
        finally:
            artifact.close()
    finally:
        parts.close()


def _found(parts: Parts, source: ImageSource, config: Mapping[str, Any]) -> Found:
    directory = str(config.get("WorkingDir") or "/")
    own = directory.strip("/")
    wanted = WantedFiles(("var/task/", "opt/", *((f"{own}/",) if own else ())))
    layers = read_layers(parts, source, wanted=wanted)
    shares = _shares(source, layers)
    files = []
    for path, place in layers.items():
        if path in wanted:
            stream_bytes = round(place.uncompressed_bytes * shares[place.layer])
            mode = stat.S_IFREG | place.mode
            sizes = (place.uncompressed_bytes, stream_bytes, stream_bytes)
            files.append(FoundFile(path, *sizes, place.crc32, mode, place.dated, place))
    base = {path: place for path, place in layers.items() if path not in wanted}
    total = sum(layer.compressed_bytes for layer in source.layers)
    return Found(
        kind="image",
        name=parts.path.name,
        files=tuple(files),
        compressed_bytes=total,
        overhead_bytes=total - sum(file.contribution_bytes for file in files),
        image=_facts(source, config, directory, base),
    )


def _shares(source: ImageSource, layers: Mapping[str, LayerFile]) -> list[float]:
    """Return for each layer how many blob bytes one byte of its files takes, on average.

    A gzip stream has no share of a single file: files get theirs by size, which the report says.
    """
    sums = [0] * len(source.layers)
    for place in layers.values():
        sums[place.layer] += place.uncompressed_bytes
    return [
        min(1.0, layer.compressed_bytes / total) if total else 0.0
        for layer, total in zip(source.layers, sums, strict=True)
    ]


def _facts(
    source: ImageSource, config: Mapping[str, Any], directory: str, base: Mapping[str, LayerFile]
) -> ImageFacts:
    variables = [str(each).partition("=") for each in _texts(config.get("Env"))]
    libraries = (_LIBRARY.fullmatch(path) for path in base)
    return ImageFacts(
        architecture=str(source.config.get("architecture", "")),
        manifest_sha256=source.manifest_sha256,
        config_sha256=source.config_sha256,
        working_directory=directory,
        command=_texts(config.get("Cmd")),
        entry_point=_texts(config.get("Entrypoint")),
        variables=tuple((name, value) for name, _, value in variables),
        layers=tuple((layer.digest, layer.compressed_bytes) for layer in source.layers),
        base_files=len(base),
        base_uncompressed_bytes=sum(place.uncompressed_bytes for place in base.values()),
        sonames=frozenset(match[1] for match in libraries if match is not None),
    )


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(each) for each in value) if isinstance(value, list) else ()
