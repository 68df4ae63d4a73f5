"""Small manifests for tests of the gate: only what it reads, every figure said in the test."""

from typing import Any

LIMIT_BYTES = {"zip_direct_upload": 52_428_800, "unzipped": 262_144_000}
_TITLES = {"zip_direct_upload": "zip, direct upload", "unzipped": "unzipped, with layers"}


def shipped(
    name: str,
    version: str = "1.0",
    *,
    required_by: dict[str, str] | None = None,
    compressed: int = 100,
    uncompressed: int = 300,
    subtracted: bool = False,
    files: tuple[tuple[str, int, int], ...] = (),
    wheel_sha256: str = "0" * 64,
) -> dict[str, Any]:
    """One distribution; `required_by` maps a parent (empty: the project) to its requirement."""
    edges = {"": name} if required_by is None else required_by
    return {
        "name": name,
        "version": version,
        "wheel": f"{name}-{version}-py3-none-any.whl",
        "wheel_sha256": wheel_sha256,
        "subtracted": subtracted,
        "placement": None if subtracted else "zip",
        "entries": max(1, len(files)),
        "compressed_bytes": compressed,
        "uncompressed_bytes": uncompressed,
        "required_by": [
            {
                "parent": parent,
                "requirement": requirement,
                "origin": f"{parent} 1.0" if parent else "pyproject.toml (project.dependencies)",
            }
            for parent, requirement in edges.items()
        ],
        "files": [[path, unzipped, zipped, 1, 0o644] for path, unzipped, zipped in files],
    }


def manifest(
    *distributions: dict[str, Any],
    name: str = "api",
    lpack: str = "0.1.0",
    runtime: str = "python3.13",
    code: int = 0,
    status: str = "supported until 2029-06-30",
    decisions: tuple[dict[str, str], ...] = (),
) -> dict[str, Any]:
    """The manifest of a zip of these distributions and `code` bytes of the user's own."""
    kept = [each for each in distributions if not each["subtracted"]]
    sizes = {
        key: sum(each[key] for each in kept) + code
        for key in ("compressed_bytes", "uncompressed_bytes")
    }
    measured = dict(zip(LIMIT_BYTES, sizes.values(), strict=True))
    target = {"runtime": runtime, "architecture": "x86_64", "kind": "lambda", "status": status}
    return {
        "schema_version": 2,
        "lpack": lpack,
        "function": {"name": name},
        "target": target,
        "artifact": {"kind": "zip", "path": f"{name}.zip", "entries": len(kept), **sizes},
        "layers": [],
        "offload": None,
        "image": None,
        "fits": True,
        "limits": [
            {
                "name": limit,
                "title": _TITLES[limit],
                "limit_bytes": allowed,
                "measured_bytes": measured[limit],
                "binding": True,
                "source": "AWS",
                "headroom_bytes": allowed - 1 - measured[limit],
                "passed": measured[limit] < allowed,
            }
            for limit, allowed in LIMIT_BYTES.items()
        ],
        "distributions": list(distributions),
        "code": {"compressed_bytes": code, "uncompressed_bytes": code, "files": []},
        "subtraction": {"decisions": list(decisions), "conflicts": []},
    }
