"""uv's additions to `pyproject.toml`: `[tool.uv.sources]`, workspaces and `[[tool.uv.index]]`."""

from collections.abc import Mapping
from os.path import normpath
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from packager.errors import UsageError
from packager.inputs.documents import joined, load_pyproject
from packager.inputs.poetry_tables import poetry_indexes
from packager.inputs.requirement_line import Entry, local_project
from packager.model.requirement import Declared, IndexSettings
from packager.model.url_path import url_path


class Sources(NamedTuple):
    """Where some names come from instead of an index; `members` are a workspace's projects."""

    table: Mapping[str, Any]
    members: Mapping[str, Path]
    folder: Path
    origin: str

    def apply(self, declared: Declared) -> Entry:
        """Replace a requirement by its source. Raises UsageError for git sources."""
        source = self.table.get(declared.name)
        chosen = [each for each in _as_list(source) if _without_index(each)]
        if not chosen:
            return self._plain(declared)
        if len(chosen) > 1:
            raise UsageError(
                f"`tool.uv.sources.{declared.name}` in `{self.origin}` has several sources, which "
                "only uv can tell apart",
                hint="uv export --format pylock.toml -o pylock.toml, then name that file",
            )
        return self._from(chosen[0], declared)

    def _plain(self, declared: Declared) -> Entry:
        url = declared.requirement.url
        if url is not None and url.startswith(("git+", "hg+", "svn+", "bzr+")):
            raise _git(declared.name, declared.origin)
        path = Path(unquote(url_path(url))) if url and url.startswith("file:") else None
        if path is not None and path.is_dir():
            marker = str(declared.requirement.marker) if declared.requirement.marker else None
            extras = tuple(sorted(declared.requirement.extras))
            return Entry(
                local=local_project(path, origin=declared.origin, extras=extras, marker=marker)
            )
        return Entry(declared=declared)

    def _from(self, source: Mapping[str, Any], declared: Declared) -> Entry:
        where = f"{self.origin} (tool.uv.sources.{declared.name})"
        requirement = declared.requirement
        marker = str(requirement.marker) if requirement.marker else None
        extras = tuple(sorted(requirement.extras))
        if "git" in source:
            raise _git(declared.name, where)
        if "url" in source:
            return Entry(
                declared=Declared(requirement=_at(requirement, source["url"]), origin=where)
            )
        path = self._path(source, declared, where)
        if path.is_file():
            requirement = _at(requirement, path.as_uri())
            return Entry(declared=Declared(requirement=requirement, origin=where))
        return Entry(local=local_project(path, origin=where, extras=extras, marker=marker))

    def _path(self, source: Mapping[str, Any], declared: Declared, where: str) -> Path:
        if source.get("workspace"):
            if declared.name not in self.members:
                raise UsageError(f"{where}: the workspace has no member `{declared.name}`")
            return self.members[declared.name]
        return joined(self.folder, str(source["path"]))


def _as_list(source: object) -> list[Mapping[str, Any]]:
    if isinstance(source, list):
        return [each for each in source if isinstance(each, dict)]
    return [source] if isinstance(source, dict) else []


def _without_index(source: Mapping[str, Any]) -> bool:
    return bool(source.get("workspace")) or any(key in source for key in ("git", "url", "path"))


def _git(name: str, where: str) -> UsageError:
    return UsageError(
        f"{where}: `{name}` comes from git, whose files no hash can name",
        hint="build a wheel of it (`pip wheel --no-deps URL -w wheels`) and name that file",
    )


def _at(requirement: Requirement, url: str) -> Requirement:
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    marker = f" ; {requirement.marker}" if requirement.marker else ""
    return Requirement(f"{requirement.name}{extras} @ {url}{marker}")


def read_sources(data: Mapping[str, Any], *, folder: Path, origin: str) -> Sources:
    """Read the sources of a project; those of its workspace's root hold for members, too."""
    own = _sources_table(data)
    needs_members = any(
        each.get("workspace") for source in own.values() for each in _as_list(source)
    )
    top = workspace_root(folder) if needs_members or not own else None
    members: Mapping[str, Path] = {}
    inherited: dict[str, Any] = {}
    if top is not None:
        members = workspace_members(top)
        if top != folder:
            inherited = _inherited(top)
    return Sources({**inherited, **own}, members, folder, origin)


def _sources_table(data: Mapping[str, Any]) -> dict[str, Any]:
    table = data.get("tool", {}).get("uv", {}).get("sources", {})
    return {canonicalize_name(name): source for name, source in table.items()}


def _inherited(top: Path) -> dict[str, Any]:
    """Make the root's relative paths absolute, so that they mean the same to a member."""
    table = _sources_table(load_pyproject(top / "pyproject.toml", top))
    return {
        name: [
            {**each, "path": str(top / each["path"])} if "path" in each else each
            for each in _as_list(source)
        ]
        for name, source in table.items()
    }


def workspace_root(folder: Path) -> Path | None:
    """Find the nearest folder, from `folder` upwards, that declares a uv workspace."""
    for candidate in (folder, *folder.parents):
        file = candidate / "pyproject.toml"
        if not file.is_file():
            continue
        uv = load_pyproject(file, candidate).get("tool", {}).get("uv", {})
        if isinstance(uv, dict) and "workspace" in uv:
            return candidate
    return None


def workspace_members(top: Path) -> dict[str, Path]:
    """Map the normalized names of a workspace's projects to their folders."""
    uv = load_pyproject(top / "pyproject.toml", top)["tool"]["uv"]
    workspace = uv["workspace"]
    excluded = {path for glob in workspace.get("exclude", ()) for path in _matching(top, glob)}
    folders = [top]
    for glob in workspace.get("members", ()):
        folders += sorted(path for path in _matching(top, glob) if path not in excluded)
    members: dict[str, Path] = {}
    for folder in folders:
        file = folder / "pyproject.toml"
        if file.is_file():
            name = load_pyproject(file, top).get("project", {}).get("name")
            if isinstance(name, str):
                members[canonicalize_name(name)] = folder
    return members


def _matching(top: Path, glob: str) -> list[Path]:
    """List what a glob of a workspace matches; raises UsageError when it is none."""
    # The workspace itself is no pattern that pathlib knows, in any of its spellings.
    if glob and normpath(glob) == ".":
        return [top]
    try:
        return list(top.glob(glob))
    except (NotImplementedError, OSError, ValueError) as error:
        raise UsageError(
            f"`tool.uv.workspace` in `{top / 'pyproject.toml'}`: `{glob}` is not a glob of folders"
        ) from error


def index_settings(data: Mapping[str, Any], sources: Sources) -> IndexSettings:
    """Read `[[tool.uv.index]]` (or Poetry's sources): the default one, the others in order.

    An index marked `explicit` is only looked into for names whose source names it. That cannot
    be said of an index here, so it counts when a source uses it.
    """
    used = {each.get("index") for source in sources.table.values() for each in _as_list(source)}
    tool = data.get("tool", {})
    if "poetry" in tool and "index" not in tool.get("uv", {}):
        return poetry_indexes(tool["poetry"], origin=sources.origin)
    default: str | None = None
    extra: list[str] = []
    for index in tool.get("uv", {}).get("index", []):
        if not isinstance(index, dict) or not isinstance(index.get("url"), str):
            raise UsageError(f"`tool.uv.index` in `{sources.origin}`: every index needs a `url`")
        if index.get("default"):
            default = index["url"]
        elif not index.get("explicit") or index.get("name") in used:
            extra.append(index["url"])
    return IndexSettings(index_url=default, extra_index_urls=tuple(extra))
