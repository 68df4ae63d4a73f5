from typing import Any

import pytest
from support.dependencies import dependencies, distribution, graph

from packager.report.why import (
    chains_to,
    find_dropped,
    find_owner,
    nearest_names,
    render_dropped,
    render_file,
    render_why,
)


def manifest_like(known: Any) -> dict[str, Any]:
    """The part of a manifest that `why` reads."""
    return {
        "artifact": {"path": "api.zip"},
        "target": {"runtime": "python3.13"},
        "distributions": [
            {
                "name": each.name,
                "version": each.version,
                "subtracted": each.subtracted,
                "uncompressed_bytes": 2048,
                "compressed_bytes": 1024,
                "findings": list(each.findings),
                "dropped": [list(row) for row in each.payload.dropped],
                "stripped": [list(row) for row in each.payload.stripped],
                "files": [[f"{each.name}/__init__.py", 2048, 1024, 0, 420]],
                "required_by": [
                    {
                        "parent": edge.parent,
                        "requirement": edge.requirement,
                        "origin": edge.origin,
                    }
                    for edge in each.required_by
                ],
            }
            for each in known.distributions
        ],
        "code": {"files": [["app.py", 512, 256, 0, 420]]},
        "subtraction": {"decisions": []},
    }


def chains(requires: dict[str, list[str]], name: str) -> list[str]:
    found = chains_to(manifest_like(graph(requires)), name)
    return [" → ".join([chain[0][0], *(text for _, text in chain[1:])]) for chain in found]


R = "requirements.txt:1"


@pytest.mark.parametrize(
    ("requires", "name", "expected"),
    [
        ({"": ["a"]}, "a", [f"{R} → a>=1"]),
        ({"": ["a"], "a": ["b"], "b": ["c"]}, "c", [f"{R} → a>=1 → b>=1 → c>=1"]),
        # Several roots: the shortest first, each parent once.
        (
            {"": ["a", "c"], "a": ["b"], "b": ["c"]},
            "c",
            [f"{R} → c>=1", f"{R} → a>=1 → b>=1 → c>=1"],
        ),
        (
            {"": ["a", "b"], "a": ["c"], "b": ["c"]},
            "c",
            [f"{R} → a>=1 → c>=1", f"{R} → b>=1 → c>=1"],
        ),
        # Everything that asks for it is named, though the way to it is partly the same.
        (
            {"": ["a"], "a": ["b", "c"], "b": ["c"]},
            "c",
            [f"{R} → a>=1 → c>=1", f"{R} → a>=1 → b>=1 → c>=1"],
        ),
        # Cycles end.
        ({"": ["a"], "a": ["b"], "b": ["a"]}, "b", [f"{R} → a>=1 → b>=1"]),
        ({"": ["a"], "a": ["b"], "b": ["a"]}, "a", [f"{R} → a>=1"]),
        ({"": ["a"], "a": ["a"]}, "a", [f"{R} → a>=1"]),
        ({"": [], "a": ["b"], "b": ["a"]}, "a", []),
        ({"": [], "a": ["b"]}, "b", []),
    ],
)
def test_chains(requires: dict[str, list[str]], name: str, expected: list[str]) -> None:
    assert chains(requires, name) == expected


def test_at_most_five_chains() -> None:
    requires = {"": list("abcdefgh")} | {name: ["z"] for name in "abcdefgh"}
    assert len(chains(requires, "z")) == 5


def test_render_names_bytes_chains_and_what_it_keeps() -> None:
    manifest = manifest_like(graph({"": ["a"], "a": ["b"]}))
    owner = manifest["distributions"][0]
    owner |= {"retained_uncompressed_bytes": 4096, "retained_compressed_bytes": 2048}
    owner["findings"] = ["it has a start file"]
    assert render_why(manifest, owner).splitlines() == [
        "a 1.0  2.0 KiB unzipped, 1.0 KiB zipped · in api.zip",
        "  requirements.txt:1 → a>=1",
        "  retained: without it 4.0 KiB unzipped, 2.0 KiB zipped would leave",
        "  note: it has a start file",
    ]


def test_render_of_what_was_left_out() -> None:
    known = dependencies(distribution("boto3", required_by=[""], subtracted=True))
    manifest = manifest_like(known)
    manifest["subtraction"]["decisions"] = [
        {
            "name": "boto3",
            "runtime_version": "1.42.0",
            "reason": "boto3 1.42.0 satisfies `boto3>=1`",
            "loosen": None,
        }
    ]
    assert render_why(manifest, manifest["distributions"][0]).splitlines() == [
        (
            "boto3 1.0  2.0 KiB unzipped, 1.0 KiB zipped · "
            "not in api.zip: python3.13 provides it 1.42.0"
        ),
        "  requirements.txt:1 → boto3>=1",
        "  runtime: boto3 1.42.0 satisfies `boto3>=1`",
    ]


def test_render_says_what_loosening_saves() -> None:
    manifest = manifest_like(graph({"": [], "six": []}))
    manifest["subtraction"]["decisions"] = [
        {
            "name": "six",
            "runtime_version": "1.0",
            "reason": "six stays",
            "loosen": "six>=1.0",
            "loosen_compressed_bytes": 3 << 20,
        }
    ]
    assert render_why(manifest, manifest["distributions"][0]).splitlines()[1:] == [
        "  required by nothing that is known: the lock names it",
        "  runtime: six stays",
        "  to leave it out: `six>=1.0` saves 3.0 MiB zipped",
    ]


@pytest.mark.parametrize("word", ["a-b.c", "A_B-C", "a--b..c", "a-b-c"])
def test_names_are_found_however_they_are_spelt(word: str) -> None:
    manifest = manifest_like(dependencies(distribution("a-b-c")))
    assert find_owner(manifest, word) == (manifest["distributions"][0], None)


def test_files_are_found_with_their_owner() -> None:
    manifest = manifest_like(dependencies(distribution("a")))
    owner, row = find_owner(manifest, "a/__init__.py")
    assert owner is not None
    assert row is not None
    assert render_file(manifest, owner, row) == (
        "a/__init__.py  2.0 KiB unzipped, 1.0 KiB zipped · in api.zip, from a 1.0\n"
    )
    owner, row = find_owner(manifest, "app.py")
    assert owner is None
    assert row is not None
    assert render_file(manifest, owner, row).endswith("· in api.zip, from your code\n")
    assert find_owner(manifest, "nothing") == (None, None)


def test_near_misses_are_named() -> None:
    manifest = manifest_like(dependencies(distribution("botocore"), distribution("boto3")))
    assert nearest_names(manifest, "botcore")[0] == "botocore"
    assert nearest_names(manifest, "zzz") == []


def test_what_slimming_took_is_told() -> None:
    manifest = manifest_like(graph({"": ["alpha"]}))
    owner = manifest["distributions"][0]
    owner["dropped"] = [["alpha/a.pyi", "inert", "type-stubs", 2048, 900]]
    owner["stripped"] = [["alpha/a.so", 4096], ["alpha/b.so", 4096]]
    text = render_why(manifest, owner)
    assert "  dropped: 1 file, 2.0 KiB unzipped\n" in text
    assert "  stripped: 2 libraries, 8.0 KiB smaller\n" in text
    assert find_dropped(manifest, "alpha/a.py") is None
    found = find_dropped(manifest, "alpha/a.pyi")
    assert found is not None
    line = render_dropped(manifest, *found)
    assert line.endswith("dropped from alpha 1.0: type-stubs (inert)\n")
