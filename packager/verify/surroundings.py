"""What the words about a failed import may look at beside the failure itself. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from packager.model.target import Target


@dataclass(frozen=True, kw_only=True, slots=True)
class Surroundings:
    """What the explanation may look at beside the failure itself.

    `manifest` may be empty. `files` are the artifact's files. `task` and `runtime` are the
    folders in the sandbox, as text. `sonames` are the libraries Lambda's own system has.
    """

    handler: str
    target: Target
    manifest: Mapping[str, Any]
    files: Collection[str]
    task: str
    runtime: str
    sonames: Collection[str] = ()

    def place(self, path: str) -> str:
        """Name a file as people know it: by its place in the zip, or as the runtime's."""
        if path.startswith(f"{self.task}/"):
            return path.removeprefix(f"{self.task}/")
        layers = f"{self.task.rpartition('/')[0]}/opt/"
        if path.startswith(layers):
            return f"/opt/{path.removeprefix(layers)}"
        if path.startswith(f"{self.runtime}/"):
            return f"the runtime's {path.removeprefix(self.runtime + '/')}"
        return path.rpartition("/")[2]

    def version_of(self, module: str) -> str:
        """Return `NAME VERSION` of the bundled distribution that has `module`, else empty."""
        top = module.partition(".")[0]
        for distribution in self.manifest.get("distributions", ()):
            for row in distribution["files"]:
                if row[0].startswith(f"{top}/") or row[0].partition(".")[0] == top:
                    return f"{distribution['name']} {distribution['version']}"
        return ""

    def importer(self, failure: Mapping[str, Any]) -> str:
        """Return `, imported by app.py:3,` for the nearest file that is not the machinery's."""
        client = f"{self.runtime}/awslambdaric/"
        for path, line, _ in reversed(failure.get("frames", ())):
            ours = str(path).startswith((f"{self.task}/", f"{self.runtime}/"))
            if ours and not str(path).startswith(client):
                return f", imported by `{self.place(str(path))}:{line}`,"
        return ""
