"""What the gate says of an artifact."""

from typing import TYPE_CHECKING, Literal, NamedTuple

from packager.model.finding_code import Level

if TYPE_CHECKING:
    from packager.model.difference import Difference

Unit = Literal["bytes", "files", "ms", "layers"]


class Spot(NamedTuple):
    """A line of a file of the project, with forward slashes, seen from where lpack runs."""

    file: str
    line: int


class GateFinding(NamedTuple):
    """One thing the gate found.

    `code` is that of `packager.gate.codes`. `message` is one sentence without a full stop,
    `details` are further lines, `hint` can be acted on. `measured` and `allowed` are in `unit`.
    `subject` tells findings of one code in one function apart, such as the distribution's name.
    """

    code: str
    name: str
    level: Level
    message: str
    subject: str = ""
    spot: Spot | None = None
    hint: str | None = None
    details: tuple[str, ...] = ()
    measured: float | None = None
    allowed: float | None = None
    unit: Unit | None = None


class Rule(NamedTuple):
    """One limit or budget that was held against the artifact, passed or not.

    `exclusive` is true for AWS's limits: a measured figure equal to `allowed` is too much.
    """

    name: str
    title: str
    unit: Unit
    measured: float
    allowed: float
    passed: bool
    exclusive: bool = False


class Verdict(NamedTuple):
    """Everything the gate says of one function's artifact.

    `artifact` and `baseline` are for people; `difference` is there when there was a baseline.
    """

    function: str
    artifact: str
    entries: int
    compressed_bytes: int
    uncompressed_bytes: int
    rules: tuple[Rule, ...]
    findings: tuple[GateFinding, ...]
    baseline: str | None = None
    difference: "Difference | None" = None

    @property
    def passed(self) -> bool:
        """Whether there is no error."""
        return all(finding.level != "error" for finding in self.findings)

    def number_of(self, level: Level) -> int:
        """Count the findings of a level."""
        return sum(finding.level == level for finding in self.findings)
