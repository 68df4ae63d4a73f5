"""What a runtime is and provides, for people and as JSON-ready values. Pure."""

from collections.abc import Sequence
from typing import Any

from packager.model.runtime_catalog import RuntimeCatalog
from packager.model.target import Target
from packager.report.text import mib


def runtime_document(target: Target, catalog: RuntimeCatalog) -> dict[str, Any]:
    """Return everything known of `target` and what `catalog` says it provides."""
    return {
        "runtime": target.runtime,
        "architecture": target.architecture,
        "kind": target.kind,
        "operating_system": target.operating_system,
        "glibc": f"{target.glibc[0]}.{target.glibc[1]}",
        "status": target.status,
        "snapstart": target.snapstart,
        "sys_path": list(target.sys_path),
        "ld_library_path": list(target.ld_library_path),
        "source": target.source,
        "date": target.date,
        "tags": list(target.tags),
        "limits": [
            {"name": limit.name, "title": limit.title, "bytes": limit.bytes, "date": limit.date}
            for limit in target.limits
        ],
        "provides": {
            "date": catalog.date,
            "complete": catalog.complete,
            "source": catalog.source,
            "packages": [
                {
                    "name": package.name,
                    "version": None if package.version is None else str(package.version),
                    "group": package.group,
                    "date": package.date,
                    "source": package.source,
                    "subtractable": package.subtractable,
                }
                for _, package in sorted(catalog.packages.items())
            ],
        },
    }


def render_runtimes(documents: Sequence[dict[str, Any]]) -> str:
    """Return one line for each runtime."""
    lines = [f"{'runtime':<12}{'glibc':<7}{'boto3':<11}{'seen':<12}status"]
    for document in documents:
        boto3 = next((p for p in document["provides"]["packages"] if p["name"] == "boto3"), None)
        version = (boto3 and boto3["version"]) or "unknown"
        date = boto3["date"] if boto3 else ""
        lines.append(
            f"{document['runtime']:<12}{document['glibc']:<7}{version:<11}{date:<12}"
            f"{document['status']}"
        )
    return "\n".join(lines) + "\n"


def render_runtime(document: dict[str, Any]) -> str:
    """Return the details of one runtime."""
    provides = document["provides"]
    lines = [
        f"{document['runtime']} · {document['architecture']} · {document['kind']}",
        f"  {document['operating_system']}, glibc {document['glibc']}; {document['status']}",
        f"  best wheel tag {document['tags'][0]}, {len(document['tags'])} accepted",
        f"  SnapStart {'supported' if document['snapstart'] else 'not supported'}",
        "",
        *(f"  below {mib(limit['bytes']):>12}  {limit['title']}" for limit in document["limits"]),
        "",
        "  provides, at least in these versions"
        + ("" if provides["complete"] else " (no complete listing is known)"),
        *(_package_line(package) for package in provides["packages"]),
        "",
        "  sys.path",
        *(f"    {entry}" for entry in document["sys_path"]),
        "  AWS moves these versions without notice; `lpack runtime capture` tells yours.",
    ]
    return "\n".join(lines) + "\n"


def _package_line(package: dict[str, Any]) -> str:
    version = package["version"] or "version unknown"
    kept = "" if package["subtractable"] else " (never left out for it)"
    return f"    {package['name']:<22}{version:<18}{package['date']:<12}{package['group']}{kept}"
