"""An artifact's manifest against AWS's limits and the user's budgets. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from packager.gate.codes import BY_NAME
from packager.gate.sizes import unzipped_bytes
from packager.model.budget import Allowance, Budgets
from packager.model.figures import amount_of, mib
from packager.model.verdict import GateFinding, Rule, Unit

Manifest = Mapping[str, Any]
_NEAR = 0.05
_ROWS = 3
_LIMIT_NAMES = {
    "zip_direct_upload": "limit-zip",
    "unzipped": "limit-unzipped",
    "zip_edge": "limit-edge",
    "layers": "limit-layers",
    "image": "limit-image",
    "tmp": "limit-tmp",
}
_DEVELOPMENT = frozenset(
    {"black", "build", "coverage", "flake8", "hatchling", "hypothesis", "ipython", "isort"}
    | {"mypy", "nox", "pip", "poetry", "pre-commit", "pylint", "pytest", "pytest-cov", "ruff"}
    | {"sphinx", "tox", "twine", "uv", "virtualenv", "wheel"}
)
"""What only development needs; setuptools is not among them, `pkg_resources` is still imported."""


class Outcome(NamedTuple):
    """A rule that was held against an artifact, and the finding when there is one."""

    rule: Rule | None
    finding: GateFinding | None


def found(name: str, message: str, **facts: Any) -> GateFinding:  # noqa: ANN401 -- its other fields
    """Word a finding of the code called `name`; its advice is the hint unless one is given."""
    code = BY_NAME[name]
    facts.setdefault("hint", code.advice.removesuffix("."))
    return GateFinding(code=code.code, name=name, level=code.level, message=message, **facts)


def limit_outcomes(manifest: Manifest) -> Iterator[Outcome]:
    """Hold what the manifest measured against AWS's limits; those that do not bind are left out.

    Source of the limits: the manifest, which has them from AWS Lambda quotas.
    """
    for limit in manifest["limits"]:
        if not limit["binding"]:
            continue
        unit: Unit = "layers" if limit["name"] == "layers" else "bytes"
        rule = Rule(
            name=f"limit:{limit['name']}",
            title=f"AWS's limit, {limit['title']}",
            unit=unit,
            measured=limit["measured_bytes"],
            allowed=limit["limit_bytes"],
            passed=limit["passed"],
            exclusive=True,
        )
        yield Outcome(rule, _limit_finding(limit, rule, manifest))


def _limit_finding(limit: Mapping[str, Any], rule: Rule, manifest: Manifest) -> GateFinding | None:
    facts = {"measured": rule.measured, "allowed": rule.allowed, "unit": rule.unit}
    facts |= {"subject": limit["name"]}
    near = rule.measured >= rule.allowed * (1 - _NEAR)
    measured = f"{limit['title']}: {precise(rule)}"
    if rule.passed:
        if not near or rule.unit != "bytes":
            return None
        left = mib(max(0, limit["headroom_bytes"]))
        return found("limit-near", f"only {left} are left of AWS's limit, {measured}", **facts)
    kind = limit["name"].partition(":")[0]
    name = "limit-layers" if kind == "layer" else _LIMIT_NAMES.get(kind, "limit-other")
    zipped = kind != "unzipped"
    message = f"passes AWS's limit, {measured}"
    return found(name, message, details=_largest(manifest, zipped=zipped), **facts)


def budget_outcomes(
    manifest: Manifest, budgets: Budgets, *, init_ms: float | None
) -> Iterator[Outcome]:
    """Hold the artifact against the user's budgets, which are inclusive.

    `init_ms` is how long importing the handler took, None when nobody measured it.
    """
    artifact = manifest["artifact"]
    held: tuple[tuple[str, str, Unit, float | None, float | None], ...] = (
        ("zip", "zipped", "bytes", artifact["compressed_bytes"], budgets.zip),
        ("unzipped", "unzipped", "bytes", unzipped_bytes(manifest), budgets.unzipped),
        ("files", "number of files", "files", artifact["entries"], budgets.files),
        ("init", "import of the handler", "ms", init_ms, budgets.init_ms),
    )
    for key, title, unit, measured, allowed in held:
        if allowed is not None and measured is not None:
            details = _largest(manifest, zipped=key == "zip") if unit == "bytes" else ()
            yield _held(f"budget-{key}", title, unit, (measured, allowed), details=details)
    if budgets.init_ms is not None and init_ms is None:
        message = "nothing says how long importing the handler takes, so its budget was not held"
        yield Outcome(None, found("init-unknown", message, subject="init"))
    for allowance in budgets.distributions:
        yield from _distribution_outcomes(manifest, allowance, budgets)


def _held(
    name: str,
    title: str,
    unit: Unit,
    amounts: tuple[float, float],
    *,
    subject: str = "",
    details: tuple[str, ...] = (),
) -> Outcome:
    measured, allowed = amounts
    rule_name = f"budget:{name.removeprefix('budget-')}{':' if subject else ''}{subject}"
    rule = Rule(
        name=rule_name,
        title=f"budget, {title}",
        unit=unit,
        measured=measured,
        allowed=allowed,
        passed=measured <= allowed,
    )
    if rule.passed:
        return Outcome(rule, None)
    finding = found(
        name,
        f"passes the budget, {title}: {precise(rule)}",
        subject=subject,
        details=details,
        measured=measured,
        allowed=allowed,
        unit=unit,
    )
    return Outcome(rule, finding)


def _distribution_outcomes(
    manifest: Manifest, allowance: Allowance, budgets: Budgets
) -> Iterator[Outcome]:
    shipped = {each["name"]: each for each in manifest["distributions"] if not each["subtracted"]}
    named = {each.name for each in budgets.distributions}
    names = shipped.keys() - named if allowance.name == "*" else {allowance.name} & shipped.keys()
    if not names and allowance.name != "*" and not allowance.shared:
        message = f"there is a budget for `{allowance.name}`, which is not in the artifact"
        yield Outcome(None, found("budget-unused", message, subject=allowance.name))
    for name in sorted(names):
        for word, key in (("zipped", "compressed_bytes"), ("unzipped", "uncompressed_bytes")):
            allowed = getattr(allowance, key)
            if allowed is not None:
                each = shipped[name]
                title = f"{name} {each['version']} {word}"
                amounts = (each[key], allowed)
                subject = f"{name}:{word}"
                yield _held("budget-distribution", title, "bytes", amounts, subject=subject)


def state_findings(manifest: Manifest) -> Iterator[GateFinding]:
    """Find what is neither a limit nor a budget, and yet worth a line."""
    target = manifest["target"]
    if str(target.get("status", "")).startswith("deprecated"):
        yield found("runtime-ends", f"{target['runtime']} is {target['status']} by AWS")
    for number, conflict in enumerate(manifest["subtraction"]["conflicts"]):
        yield found("conflict", conflict, subject=str(number), hint=None)
    for each in manifest["distributions"]:
        if each["name"] in _DEVELOPMENT and not each["subtracted"]:
            message = (
                f"{each['name']} {each['version']} ships, which only development needs: "
                f"{mib(each['uncompressed_bytes'])} unzipped"
            )
            hint = f"lpack why {each['name']}"
            yield found("development-tool", message, subject=each["name"], hint=hint)


def precise(rule: Rule) -> str:
    """Say what was measured of what is allowed; in bytes too where the rounded figures are close.

    "1.8 KB > 1.8 KB" says nothing (ai/size-limit issue 19).
    """
    must = "must be below" if rule.exclusive else "allowed are"
    texts = [amount_of(value, rule.unit) for value in (rule.measured, rule.allowed)]
    if rule.unit == "bytes" and abs(rule.measured - rule.allowed) * 100 < rule.allowed:
        texts = [f"{value:,.0f} bytes" for value in (rule.measured, rule.allowed)]
    return f"{texts[0]}, {must} {texts[1]}"


def _largest(manifest: Manifest, *, zipped: bool) -> tuple[str, ...]:
    """Name the largest distributions, with what only they bring along."""
    key = "compressed_bytes" if zipped else "uncompressed_bytes"
    shipped = [each for each in manifest["distributions"] if not each["subtracted"]]
    lines = []
    for each in sorted(shipped, key=lambda each: (-each[key], each["name"]))[:_ROWS]:
        retained = each.get(f"retained_{key}", each[key])
        others = f" ({mib(retained)} with what only it needs)" if retained != each[key] else ""
        lines.append(f"{mib(each[key])}  {each['name']} {each['version']}{others}")
    return tuple(lines)
