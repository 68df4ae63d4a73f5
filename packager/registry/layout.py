"""OCI image layouts on disk: the folder with `oci-layout`, `index.json` and `blobs/`.

Source: OCI image specification 1.1, image layout.
"""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from packager.errors import LpackError
from packager.model.image import INDEXES, MANIFESTS, Descriptor, hex_of
from packager.parsing import parse_json
from packager.registry.manifests import Resolved, choose, descriptor_of

MARKER: Final = "oci-layout"
_LARGEST_DOCUMENT_BYTES: Final = 4 << 20


class Layout(NamedTuple):
    """A layout and the one manifest that is meant in it."""

    folder: Path
    resolved: Resolved

    @property
    def config(self) -> Descriptor:
        """The descriptor of the configuration."""
        return descriptor_of(self.resolved.manifest["config"])

    @property
    def layers(self) -> tuple[Descriptor, ...]:
        """The descriptors of the layers, the lowest first."""
        return tuple(descriptor_of(each) for each in self.resolved.manifest["layers"])

    def blob(self, digest: str) -> Path:
        """Where the blob with this digest lies."""
        return self.folder / "blobs" / "sha256" / hex_of(digest)


def is_layout(folder: Path) -> bool:
    """Tell whether `folder` is an image layout."""
    return (folder / MARKER).is_file()


def read_layout(
    folder: Path, *, architecture: str | None, tag: str | None, refusal: type[LpackError]
) -> Layout:
    """Read the layout in `folder`: its only image, or the one of `tag` and `architecture`.

    Manifests are held against their digests. Raises `refusal`.
    """

    def refuse(reason: str, *, hint: str | None = None) -> LpackError:
        return refusal(f"the image layout `{folder}` cannot be used: {reason}", hint=hint)

    try:
        index = parse_json(_small(folder / "index.json"))
        entries = [
            (descriptor_of(each), each.get("annotations") or {}) for each in index["manifests"]
        ]
        chosen = _tagged(entries, tag, refuse=refuse)
        resolved = _read(folder, chosen)
        while resolved.media_type in INDEXES:
            digest = choose(resolved.manifest, architecture or "x86_64", refuse=refuse)
            outer = resolved.digest
            resolved = _read(folder, Descriptor("", digest, 0))._replace(index_digest=outer)
        layout = Layout(folder, resolved)
        _ = layout.config, layout.layers
    except OSError as error:
        raise refuse(f"{error.strerror}: `{error.filename}`") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise refuse(f"it is damaged ({error})") from error
    return layout


def _tagged(
    entries: list[tuple[Descriptor, Mapping[str, str]]],
    tag: str | None,
    *,
    refuse: Callable[..., LpackError],
) -> Descriptor:
    name = "org.opencontainers.image.ref.name"
    tags = [str(annotations.get(name, "")) for _, annotations in entries]
    if tag is not None:
        matching = [each for (each, _), known in zip(entries, tags, strict=True) if known == tag]
        if len(matching) == 1:
            return matching[0]
        raise refuse(f"it has no image `{tag}`", hint=f"there are: {', '.join(filter(None, tags))}")
    if len(entries) != 1:
        listed = ", ".join(filter(None, tags)) or "none"
        raise refuse(f"it has {len(entries)} images", hint=f"name one as FOLDER:TAG of {listed}")
    return entries[0][0]


def _read(folder: Path, descriptor: Descriptor) -> Resolved:
    content = _small(folder / "blobs" / "sha256" / hex_of(descriptor.digest))
    found = "sha256:" + hashlib.sha256(content).hexdigest()
    if found != descriptor.digest:
        raise ValueError(f"{descriptor.digest} has other bytes than its name says")
    parsed = parse_json(content)
    media_type = str(parsed.get("mediaType") or descriptor.media_type)
    if not media_type:
        media_type = next(iter(sorted(INDEXES if "manifests" in parsed else MANIFESTS)))
    if media_type not in MANIFESTS | INDEXES:
        raise ValueError(f"a manifest of type `{media_type[:100]}`")
    return Resolved(found, media_type, content)


def _small(path: Path) -> bytes:
    with path.open("rb") as file:
        content = file.read(_LARGEST_DOCUMENT_BYTES + 1)
    if len(content) > _LARGEST_DOCUMENT_BYTES:
        raise ValueError(f"`{path.name}` is larger than 4 MiB")
    return content
