"""Which offloaded distributions have to lie in one folder. Pure.

Most lie alone. Two belong together when one has files in the other's regular package, or loads the
other's libraries by their place (`$ORIGIN` in the RPATH of ELF files): both are found through the
folder they are installed in.
"""

from collections.abc import Collection, Iterable, Mapping

from packager.errors import UsageError


def groups_of(
    offloaded: Collection[str],
    files: Mapping[str, Collection[str]],
    packages: Mapping[str, Collection[str]],
    linked: Iterable[tuple[str, str]],
) -> dict[str, str]:
    """Return for each offloaded distribution the one its group is named after.

    `files` are the archive names of every distribution that ships, `packages` the folders of the
    regular packages of those. `linked` are pairs where the first loads libraries of the second.
    Raises UsageError when one of two that belong together is not offloaded.
    """
    leader = {name: name for name in offloaded}

    def find(name: str) -> str:
        while leader[name] != name:
            name = leader[name]
        return name

    for one, other, why in (*_sharing(files, packages), *_loading(linked)):
        if one not in leader and other not in leader:
            continue
        if one not in leader or other not in leader:
            outside, inside = (one, other) if other in leader else (other, one)
            raise UsageError(
                f"`{inside}` cannot be offloaded without `{outside}`: {why}",
                hint=f'offload = ["{inside}", "{outside}"]',
            )
        first, second = sorted((find(one), find(other)))
        leader[second] = first
    return {name: find(name) for name in leader}


def _sharing(
    files: Mapping[str, Collection[str]], packages: Mapping[str, Collection[str]]
) -> list[tuple[str, str, str]]:
    owners: dict[str, str] = {}
    for name, folders in packages.items():
        for folder in folders:
            owners.setdefault(folder, name)
    found: dict[tuple[str, str], str] = {}
    for name, listed in files.items():
        for folder in {each.rpartition("/")[0] for each in listed}:
            parts = folder.split("/")
            for end in range(1, len(parts) + 1):
                owner = owners.get("/".join(parts[:end]), name)
                if owner != name:
                    why = f"both have files in the package `{'.'.join(parts[:end])}`"
                    found.setdefault((owner, name), why)
    return [(*pair, why) for pair, why in found.items()]


def _loading(linked: Iterable[tuple[str, str]]) -> list[tuple[str, str, str]]:
    return [(one, two, f"`{one}` loads libraries of `{two}`") for one, two in linked]
