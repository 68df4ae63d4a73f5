"""What a trace saw: which files of which distributions the real handler opened."""

from typing import Any, NamedTuple, Self

SCHEMA_VERSION = 1


class TracedDistribution(NamedTuple):
    """The files of one distribution that something opened or loaded, ordered archive names."""

    name: str
    version: str
    files: tuple[str, ...]


class Trace(NamedTuple):
    """One or several runs of a function on one target; distributions are ordered by name.

    `lpack` is the version that traced last, `runs` how many events or commands were seen.
    """

    lpack: str
    runtime: str
    architecture: str
    runs: int
    distributions: tuple[TracedDistribution, ...]

    def touched(self, name: str, version: str) -> frozenset[str] | None:
        """Return the files of a distribution that were touched; None for a version not traced."""
        for each in self.distributions:
            if (each.name, each.version) == (name, version):
                return frozenset(each.files)
        return None

    def merged(self, newer: "Trace") -> "Trace":
        """Return both together; what they say of two versions of a distribution, `newer` decides.

        Raises ValueError when they are of two targets.
        """
        if (self.runtime, self.architecture) != (newer.runtime, newer.architecture):
            raise ValueError(
                f"it is of {self.runtime}/{self.architecture}, "
                f"not of {newer.runtime}/{newer.architecture}"
            )
        merged = []
        for each in newer.distributions:
            earlier = self.touched(each.name, each.version) or frozenset()
            merged.append(each._replace(files=_ordered({*each.files, *earlier})))
        return newer._replace(runs=self.runs + newer.runs, distributions=tuple(merged))

    def to_document(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return {
            "schema_version": SCHEMA_VERSION,
            "lpack": self.lpack,
            "target": {"runtime": self.runtime, "architecture": self.architecture},
            "runs": self.runs,
            "distributions": [
                {"name": each.name, "version": each.version, "files": list(each.files)}
                for each in self.distributions
            ],
        }

    @classmethod
    def from_document(cls, document: Any) -> Self:  # noqa: ANN401 -- whatever a file held
        """Rebuild from `to_document`; raises ValueError for anything else."""
        try:
            if document["schema_version"] != SCHEMA_VERSION:
                raise ValueError(f"schema version {document['schema_version']} is not known")
            distributions = tuple(
                TracedDistribution(
                    name=str(each["name"]),
                    version=str(each["version"]),
                    files=_ordered({str(name) for name in each["files"]}),
                )
                for each in document["distributions"]
            )
            return cls(
                lpack=str(document["lpack"]),
                runtime=str(document["target"]["runtime"]),
                architecture=str(document["target"]["architecture"]),
                runs=int(document["runs"]),
                distributions=tuple(sorted(distributions)),
            )
        except (KeyError, TypeError) as error:
            raise ValueError("it is no trace of lpack") from error


def _ordered(names: set[str]) -> tuple[str, ...]:
    return tuple(sorted(names, key=str.encode))
