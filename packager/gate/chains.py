"""The way from the project to a distribution, over what changed where that can be. Pure."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from packager.model.difference import Step

Manifest = Mapping[str, Any]
_PROJECT = ""


class _Edge(NamedTuple):
    parent: str
    name: str
    requirement: str
    origin: str


class Chains:
    """Finds chains in one manifest, knowing another one that came before.

    A chain over a new edge or a new version explains a change; among those that do, and then
    among all others, the shortest is taken.
    """

    def __init__(self, manifest: Manifest, before: Manifest) -> None:
        """Read the edges of both."""
        self._versions = _versions(manifest)
        self._old_versions = _versions(before)
        self._was = {(edge.parent, edge.name): edge.requirement for edge in _edges(before)}
        self._below: dict[str, list[_Edge]] = {}
        for edge in _edges(manifest):
            self._below.setdefault(edge.parent, []).append(edge)
        self._found = self._search()

    def to(self, name: str) -> tuple[Step, ...]:
        """Return the chain to `name`, empty when nothing that is known requires it."""
        chain = self._found.get((name, True)) or self._found.get((name, False)) or ()
        return tuple(self._step(edge) for edge in chain)

    def _search(self) -> dict[tuple[str, bool], tuple[_Edge, ...]]:
        """Return the shortest chain to every name, with and without something new before it."""
        found: dict[tuple[str, bool], tuple[_Edge, ...]] = {}
        waiting: list[tuple[str, bool, tuple[_Edge, ...]]] = [(_PROJECT, False, ())]
        for name, touched, chain in waiting:
            for edge in self._below.get(name, ()):
                # What changed at the end of the chain is the change itself, not its reason.
                step = (edge.name, touched or self._is_new(edge))
                if step not in found:
                    found[step] = (*chain, edge)
                    passed = step[1] or self._moved(edge.name)
                    waiting.append((edge.name, passed, found[step]))
        return found

    def _is_new(self, edge: _Edge) -> bool:
        return self._was.get((edge.parent, edge.name)) != edge.requirement

    def _moved(self, name: str) -> bool:
        return self._old_versions.get(name) != self._versions.get(name)

    def _step(self, edge: _Edge) -> Step:
        return Step(
            name=edge.name,
            version=self._versions.get(edge.name, ""),
            requirement=edge.requirement,
            origin=edge.origin,
            was=self._was.get((edge.parent, edge.name)),
            old_version=self._old_versions.get(edge.name),
        )


def _versions(manifest: Manifest) -> dict[str, str]:
    return {each["name"]: each["version"] for each in manifest["distributions"]}


def _edges(manifest: Manifest) -> list[_Edge]:
    return [
        _Edge(by["parent"], each["name"], by["requirement"], by["origin"])
        for each in manifest["distributions"]
        for by in each["required_by"]
    ]
