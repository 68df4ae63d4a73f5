"""Chooses the files of a verified wheel that do not ship, each with its tier and rule. Pure.

Precedence: what identifies a distribution always ships; then the user's `keep`; then the user's
`drop`; then lpack's own rules up to the chosen tier; then services.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from packaging.metadata import InvalidMetadata
from packaging.utils import canonicalize_name
from packaging.version import Version

from packager.errors import UsageError
from packager.model.prune import Dropped, SlimSettings, Tier
from packager.model.wheel import AdmittedWheel, WheelMember
from packager.slim.dead_bytecode import is_dead_bytecode
from packager.slim.globs import compile_globs, fits
from packager.slim.prune_rules import (
    Exemption,
    Rule,
    declared_distributions,
    load_declared,
    load_inert,
)
from packager.slim.services import service_drops

MAGIC_BYTES = 32
"""How many bytes of a file the rules want to see at most; fewer where the file is shorter."""

_IDENTITY = ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "top_level.txt")

ReadHead = Callable[[WheelMember], bytes]
Placed = Sequence[tuple[str, WheelMember]]


def choose_dropped(
    wheel: AdmittedWheel,
    placed: Placed,
    settings: SlimSettings,
    *,
    read_head: ReadHead | None = None,
    python: str | None = None,
) -> tuple[Dropped, ...]:
    """Choose what of `placed` (name in the bundle, member) does not ship, ordered by name.

    `read_head` gives a member's first `MAGIC_BYTES` uncompressed bytes and is asked only for
    files that a rule suspects by name; without it those files stay. `python` is the target's
    minor version (`3.11`), for bytecode. Raises UsageError for services, and named rules, that
    do not exist.
    """
    facts = _Facts.of(wheel, placed, read_head, python)
    rules = _switched_on(wheel.name, wheel.version, settings, facts)
    kept = compile_globs(settings.keep, contents=True)
    user = [
        (compile_globs((text,), contents=True), reason or f"`{text}`")
        for text, reason in settings.drop
    ]
    services = service_drops(wheel.name, [name for name, _ in placed], settings.services)
    dropped = []
    for name, member in placed:
        if name in facts.identity or fits(kept, name):
            continue
        verdict = _verdict(name, member, user, rules, facts)
        if verdict is None and name in services:
            verdict = ("service", services[name])
        if verdict is not None:
            tier, rule = verdict
            sizes = (member.uncompressed_bytes, member.compressed_bytes)
            dropped.append(Dropped(name, tier, rule, *sizes))
    return tuple(sorted(dropped, key=lambda each: each.path.encode()))


def choose_listed(
    name: str,
    version: str,
    rows: Sequence[Sequence[Any]],
    settings: SlimSettings,
    *,
    requires: Iterable[str] = (),
) -> tuple[Dropped, ...]:
    """Choose what of a bundled distribution rules would drop, from its list of files alone.

    `name` and `requires` are normalized; `rows` begin with path, uncompressed and compressed
    bytes, as in manifests. Rules that look into files choose nothing here. Raises UsageError as
    `choose_dropped` does.
    """
    info = next((path.partition("/")[0] for path, *_ in rows if ".dist-info/" in path), "")
    facts = _Facts(
        name=name,
        requires=frozenset(requires),
        dist_info=f"{info}/",
        identity=frozenset(f"{info}/{each}" for each in _IDENTITY),
        uncompressed_bytes={row[0]: row[1] for row in rows},
        read_head=None,
        python=None,
    )
    rules = _switched_on(name, Version(version), settings, facts)
    dropped = []
    for path, uncompressed_bytes, compressed_bytes, *_ in rows:
        if path in facts.identity:
            continue
        rule = next((rule for rule in rules if _drops(rule, path, None, facts)), None)
        if rule is not None:
            dropped.append(Dropped(path, rule.tier, rule.id, uncompressed_bytes, compressed_bytes))
    return tuple(dropped)


def uncovered_rules(wheel: AdmittedWheel, settings: SlimSettings) -> tuple[str, ...]:
    """Name the declared rules that would apply to `wheel` if its version were among theirs."""
    return tuple(
        rule.id
        for rule in load_declared(wheel.name)
        if _wanted(rule, settings) and not _covers(rule, wheel.version)
    )


def check_named_rules(settings: SlimSettings) -> None:
    """Raise UsageError when `settings.rules` names a rule that no distribution has."""
    if not settings.rules:
        return
    known = {
        rule.id for name in declared_distributions() for rule in load_declared(name) if rule.named
    }
    for rule_id in settings.rules:
        if rule_id not in known:
            from difflib import get_close_matches  # noqa: PLC0415 -- loaded only for an error

            near = get_close_matches(rule_id, sorted(known), 1)
            hint = f"did you mean `{near[0]}`?" if near else f"one of: {', '.join(sorted(known))}"
            raise UsageError(f"no prune rule is called `{rule_id}`", hint=hint)


class _Facts(NamedTuple):
    """What rules ask about a wheel."""

    name: str
    requires: frozenset[str]
    dist_info: str
    identity: frozenset[str]
    uncompressed_bytes: Mapping[str, int]
    read_head: ReadHead | None
    python: str | None

    @classmethod
    def of(
        cls, wheel: AdmittedWheel, placed: Placed, read_head: ReadHead | None, python: str | None
    ) -> "_Facts":
        return cls(
            name=wheel.name,
            requires=frozenset(_requirement_names(wheel)),
            dist_info=f"{wheel.dist_info}/",
            identity=frozenset(f"{wheel.dist_info}/{name}" for name in _IDENTITY),
            uncompressed_bytes={name: member.uncompressed_bytes for name, member in placed},
            read_head=read_head,
            python=python,
        )


def _requirement_names(wheel: AdmittedWheel) -> Iterator[str]:
    try:
        requirements = wheel.metadata.requires_dist or ()
    except InvalidMetadata:  # Fields are parsed on access; the closure check words this error.
        return
    for requirement in requirements:
        yield canonicalize_name(requirement.name)


def _switched_on(name: str, version: Version, settings: SlimSettings, facts: _Facts) -> list[Rule]:
    return [rule for rule in _active_rules(name, version, settings) if not _is_off(rule, facts)]


def _active_rules(name: str, version: Version, settings: SlimSettings) -> Iterator[Rule]:
    if settings.tier in ("inert", "declared"):
        yield from load_inert()
    for rule in load_declared(name):
        if _wanted(rule, settings) and _covers(rule, version):
            yield rule


def _wanted(rule: Rule, settings: SlimSettings) -> bool:
    """Tell whether a declared rule is asked for: by its own name, or by the tier."""
    if rule.named:
        return rule.id in settings.rules
    return settings.tier == "declared"


def _covers(rule: Rule, version: Version) -> bool:
    from packaging.specifiers import SpecifierSet  # noqa: PLC0415 -- few wheels have such rules

    return SpecifierSet(rule.versions).contains(version, prereleases=True)


def _is_off(rule: Rule, facts: _Facts) -> bool:
    """Tell whether the rule does not concern this wheel at all."""
    if any(each.files is None and _exempts(each, facts) for each in rule.exemptions):
        return True
    if rule.unless_present is None:
        return False
    return any(rule.unless_present.fullmatch(name) for name in facts.uncompressed_bytes)


def _exempts(exemption: Exemption, facts: _Facts) -> bool:
    return fits(exemption.distributions, facts.name) or bool(exemption.requires & facts.requires)


def _verdict(
    name: str,
    member: WheelMember,
    user: Sequence[tuple[re.Pattern[str] | None, str]],
    rules: Sequence[Rule],
    facts: _Facts,
) -> tuple[Tier, str] | None:
    for expression, reason in user:
        if fits(expression, name):
            return "user", reason
    for rule in rules:
        if _drops(rule, name, member, facts):
            return rule.tier, rule.id
    return None


def _drops(rule: Rule, name: str, member: WheelMember | None, facts: _Facts) -> bool:
    if rule.dist_info != name.startswith(facts.dist_info):
        return False
    if not fits(rule.files, name) or fits(rule.keep, name):
        return False
    if any(fits(each.files, name) and _exempts(each, facts) for each in rule.exemptions):
        return False
    if rule.magic is None and not rule.dead_bytecode:
        return True
    if facts.read_head is None or member is None:
        return False
    return _head_drops(rule, name, facts.read_head(member), facts)


def _head_drops(rule: Rule, name: str, head: bytes, facts: _Facts) -> bool:
    if rule.dead_bytecode:
        return is_dead_bytecode(name, head, facts.uncompressed_bytes, python=facts.python)
    return rule.magic is not None and rule.magic.match(head) is not None
