"""What an artifact is held against: saved manifests."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class Saved(NamedTuple):
    """Manifests by function name, and the commit they were built from where that is known."""

    label: str
    manifests: Mapping[str, Mapping[str, Any]]
    commit: str | None = None
    dirty: bool = False

    def of(self, function: str, *, alone: bool) -> Mapping[str, Any] | None:
        """Return the manifest of `function`; of a pair that stands alone, names do not matter."""
        if alone and len(self.manifests) == 1:
            return next(iter(self.manifests.values()))
        return self.manifests.get(function)
