"""The real wheels the tests build with, fetched once and kept by digest.

`fixtures/wheels/TARGET.txt` names them with their hashes; `pip download` fetches what the cache
lacks. The cache is `$LPACK_TEST_CACHE` or `.cache/fixture-wheels` in the checkout, one folder
per digest, so that targets share pure wheels.

    python tests/support/fixture_wheels.py fetch [TARGET…]   fill the cache
    python tests/support/fixture_wheels.py pin               rewrite the hashes (maintainers)
"""

import argparse
import hashlib
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
FIXTURES = CHECKOUT / "fixtures"
WORKLOADS = ("W1", "W2", "W3", "W4", "W5")
_WORKERS = 4
_LINE = re.compile(
    r"(?P<name>[\w.\-]+)==(?P<version>\S+)(?P<hashes>( --hash=sha256:[0-9a-f]{64})*)"
)


class MissingWheelsError(Exception):
    """The cache lacks wheels and the package index could not be reached."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FixtureTarget:
    """A target the fixture wheels are for."""

    name: str
    python: str
    machine: str
    glibc_minor: int

    @property
    def platforms(self) -> list[str]:
        """Every platform tag up to the runtime's glibc, newest first (pip takes no ranges)."""
        newest = range(self.glibc_minor, 16, -1)
        tags = [f"manylinux_2_{minor}_{self.machine}" for minor in newest]
        tags += [f"manylinux_2_17_{self.machine}", f"manylinux2014_{self.machine}"]
        if self.machine == "x86_64":
            tags += [f"{old}_x86_64" for old in ("manylinux_2_12", "manylinux2010")]
            tags += [f"{old}_x86_64" for old in ("manylinux_2_5", "manylinux1")]
        return tags


TARGETS = {
    target.name: target
    for target in (
        FixtureTarget(name="python3.11-x86_64", python="3.11", machine="x86_64", glibc_minor=26),
        FixtureTarget(name="python3.13-arm64", python="3.13", machine="aarch64", glibc_minor=34),
        FixtureTarget(name="python3.13-x86_64", python="3.13", machine="x86_64", glibc_minor=34),
    )
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Pin:
    """One line of a requirements file: an exact version and the hashes it may have."""

    name: str
    version: str
    hashes: tuple[str, ...]

    def render(self) -> str:
        """Write the line as pip reads it."""
        return " ".join(
            (f"{self.name}=={self.version}", *(f"--hash=sha256:{h}" for h in self.hashes))
        )


def cache_folder() -> Path:
    """Where the wheels are kept between runs."""
    chosen = os.environ.get("LPACK_TEST_CACHE")
    return Path(chosen) if chosen else CHECKOUT / ".cache" / "fixture-wheels"


def read_pins(path: Path) -> list[Pin]:
    """Read the pins of the requirements file `path`; other lines are comments or an error."""
    pins = []
    for raw in path.read_text().replace("\\\n", " ").splitlines():
        line = " ".join(raw.split("#")[0].split())
        if not line:
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise ValueError(f"{path.name}: not a pin: {line}")
        hashes = tuple(re.findall(r"sha256:([0-9a-f]{64})", match["hashes"]))
        pins.append(Pin(name=match["name"], version=match["version"], hashes=hashes))
    return pins


def pins_of(target: str) -> list[Pin]:
    """The pins of everything the tests may want for `target`."""
    return read_pins(FIXTURES / "wheels" / f"{target}.txt")


def workload_requirements(workload: str, target: str) -> Path:
    """The pinned requirements of `workload` for the Python of `target`."""
    python = TARGETS[target].python.replace(".", "")
    return FIXTURES / "workloads" / workload / f"requirements-py{python}.txt"


def wheels_for(target: str, *, requirements: Path | None = None) -> list[Path]:
    """The wheels for `target`, or only those that `requirements` pins, fetched when missing.

    Raises MissingWheelsError, in one sentence, when the index cannot be reached.
    """
    fetch([target])
    pins = pins_of(target)
    if requirements is not None:
        wanted = {(pin.name, pin.version) for pin in read_pins(requirements)}
        pins = [pin for pin in pins if (pin.name, pin.version) in wanted]
    return [_cached(pin) for pin in pins]


def _cached(pin: Pin) -> Path:
    """The file of `pin` in the cache; LookupError when it is not there."""
    for digest in pin.hashes:
        for path in (cache_folder() / digest).glob("*.whl"):
            return path
    raise LookupError(pin.render())


def _is_cached(pin: Pin) -> bool:
    """Tell whether the cache has the wheel of `pin`."""
    try:
        return _cached(pin).stat().st_size > 0
    except LookupError:
        return False


def fetch(targets: Sequence[str]) -> int:
    """Fetch what the cache lacks for `targets`; return how many wheels that was."""
    jobs: list[tuple[FixtureTarget, list[Pin]]] = []
    claimed: set[tuple[str, ...]] = set()
    for name in targets:
        wanted = [p for p in pins_of(name) if p.hashes not in claimed and not _is_cached(p)]
        claimed.update(pin.hashes for pin in wanted)
        jobs += [(TARGETS[name], batch) for batch in _batches(wanted)]
    if jobs:
        with ThreadPoolExecutor(_WORKERS) as pool:
            list(pool.map(lambda job: _download(*job), jobs))
    return sum(len(batch) for _, batch in jobs)


def _batches(pins: Iterable[Pin]) -> list[list[Pin]]:
    """Deal `pins` out so that no batch names a distribution twice, which pip refuses."""
    batches: list[dict[str, Pin]] = [{} for _ in range(_WORKERS)]
    for number, pin in enumerate(pins):
        turn = batches[number % _WORKERS :] + batches[: number % _WORKERS]
        free = next((batch for batch in turn if pin.name not in batch), None)
        if free is None:
            batches.append({pin.name: pin})
        else:
            free[pin.name] = pin
    return [list(batch.values()) for batch in batches if batch]


def _download(target: FixtureTarget, pins: list[Pin]) -> None:
    """Let pip download `pins` and move the files into the cache by digest."""
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix="fetch-") as scratch:
        requirements = Path(scratch) / "requirements.txt"
        requirements.write_text("".join(f"{pin.render()}\n" for pin in pins))
        _run_pip(target, requirements, Path(scratch), hashed=all(pin.hashes for pin in pins))
        for wheel in Path(scratch).glob("*.whl"):
            _keep(wheel, cache)


def _run_pip(target: FixtureTarget, requirements: Path, folder: Path, *, hashed: bool) -> None:
    """Run one `pip download`; the machine's own pip configuration applies (mirrors, proxies)."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-cache-dir"]
    command += ["--disable-pip-version-check", "--progress-bar", "off", "--no-input"]
    command += ["--only-binary", ":all:", "--implementation", "cp"]
    command += ["--python-version", target.python, "--dest", str(folder), "-r", str(requirements)]
    for platform in target.platforms:
        command += ["--platform", platform]
    # Hashes make it safe to take a file from any mirror; without them only pip's default counts.
    command += ["--require-hashes"] if hashed else ["--isolated"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise MissingWheelsError(
            f"the fixture wheels for {target.name} are not in the cache and pip could not fetch "
            f"them: {reason}"
        )


def _keep(wheel: Path, cache: Path) -> str:
    """Move `wheel` into the cache and return its digest."""
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    folder = cache / digest
    folder.mkdir(exist_ok=True)
    wheel.replace(folder / wheel.name)
    return digest


def pin_all() -> None:
    """Download every pin without regard to hashes and write down the hashes of what came."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for target in TARGETS.values():
        path = FIXTURES / "wheels" / f"{target.name}.txt"
        bare = [Pin(name=p.name, version=p.version, hashes=()) for p in read_pins(path)]
        with ThreadPoolExecutor(_WORKERS) as pool:
            for hashes in pool.map(lambda b, t=target: _hashes_of(t, b), _batches(bare)):
                for key, digest in hashes.items():
                    found.setdefault(key, {})[target.name] = digest
        pins = [
            Pin(name=p.name, version=p.version, hashes=(found[p.name, p.version][target.name],))
            for p in bare
        ]
        _rewrite(path, pins)
    for workload in WORKLOADS:
        for python in sorted({target.python for target in TARGETS.values()}):
            names = [target.name for target in TARGETS.values() if target.python == python]
            path = workload_requirements(workload, names[0])
            _rewrite(path, [_with_hashes(pin, found, names) for pin in read_pins(path)])


def _with_hashes(
    pin: Pin, found: dict[tuple[str, str], dict[str, str]], targets: Sequence[str]
) -> Pin:
    """The pin with the hash of each of `targets`, once each."""
    hashes = dict.fromkeys(found[pin.name, pin.version][target] for target in targets)
    return Pin(name=pin.name, version=pin.version, hashes=tuple(hashes))


def _hashes_of(target: FixtureTarget, pins: list[Pin]) -> dict[tuple[str, str], str]:
    """Download `pins` into the cache and return their digests by name and version."""
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix="pin-") as scratch:
        requirements = Path(scratch) / "requirements.txt"
        requirements.write_text("".join(f"{pin.name}=={pin.version}\n" for pin in pins))
        _run_pip(target, requirements, Path(scratch), hashed=False)
        by_name = {}
        for wheel in sorted(Path(scratch).glob("*.whl")):
            by_name[re.sub(r"[-_.]+", "-", wheel.name.split("-")[0]).lower()] = _keep(wheel, cache)
    return {(pin.name, pin.version): by_name[pin.name] for pin in pins}


def _rewrite(path: Path, pins: Sequence[Pin]) -> None:
    """Write `pins` to `path`, in order of name and version."""
    ordered = sorted(pins, key=lambda pin: (pin.name, pin.version))
    path.write_text("".join(f"{pin.render()}\n" for pin in ordered))


def main() -> int:
    """Run the command line described at the top."""
    parser = argparse.ArgumentParser(description="the real wheels the tests build with")
    parser.add_argument("action", choices=("fetch", "pin"))
    parser.add_argument("targets", nargs="*", default=list(TARGETS), metavar="TARGET")
    options = parser.parse_args()
    if options.action == "pin":
        pin_all()
        return 0
    began = time.monotonic()
    try:
        count = fetch(options.targets)
    except MissingWheelsError as error:
        print(f"fixture wheels: {error}", file=sys.stderr)
        return 1
    print(f"fixture wheels: {count} fetched in {time.monotonic() - began:.1f} s, the rest cached")
    return 0


if __name__ == "__main__":
    sys.exit(main())
