"""A runtime with layers on it: what a function finds there without shipping it. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from packager.model.layer import ForeignLayer
from packager.model.runtime_catalog import RuntimeCatalog, RuntimePackage


def with_layers(catalog: RuntimeCatalog, layers: Sequence[ForeignLayer]) -> RuntimeCatalog:
    """Return `catalog` with the distributions of `layers`, which come before the runtime's own.

    `sys.path` has /opt before /var/runtime (Lambda Developer Guide, python-package). Layers are
    merged into one folder, where a later one overwrites an earlier one. A layer moves only when
    its user changes it, so none of its distributions has to go with another: each is a group.
    """
    packages = dict(catalog.packages)
    for layer in layers:
        for provided in layer.distributions:
            name = canonicalize_name(provided.name)
            packages[name] = RuntimePackage(
                name=name,
                version=Version(provided.version),
                group=f"layer {layer.name} {name}",
                date=catalog.date,
                source=f"layer {layer.name}",
                requires=tuple(Requirement(text) for text in provided.requires),
                layer=layer.name,
            )
    return replace(catalog, packages=packages)
