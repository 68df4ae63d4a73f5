"""Planning: what a finished artifact can become, priced with what was measured here.

manifest → situation, trims → plans
artifact → calibration (rates, import times) → remembered in the store
"""

import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from packager.errors import LpackError
from packager.model.plan import Circumstances, Plan, Situation, Trim
from packager.model.progress import Reporter
from packager.pipeline.memory import key_of
from packager.pipeline.runtime import SandboxOptions
from packager.pipeline.sandbox import invoke_artifact, verify_import
from packager.pipeline.trims import trims_of
from packager.place.calibration import measure_rates, sample_of
from packager.place.plans import make_plans
from packager.place.pricing import Problem
from packager.place.rates import Rates, calibrated, shipped_rates
from packager.place.situation import situation_of
from packager.runtime.targets import load_quotas, load_target
from packager.wheels.store import Store

_ROUNDS = 3
_ZSTD_SINCE = (3, 14)
_PROBE = "def handler(event, context):\n    return None\n"

Manifest = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Planned:
    """Everything a report about plans is made of."""

    situation: Situation
    trims: tuple[Trim, ...]
    plans: tuple[Plan, ...]
    rates: Rates


def plan_artifact(
    manifest: Manifest, artifact: Path | None, *, store: Store, circumstances: Circumstances
) -> Planned:
    """Plan for the artifact of `manifest`; the file itself is only read for services.

    Uses what `calibrate` measured before, if it did. Nothing is built or changed.
    """
    target = load_target(
        manifest["target"]["runtime"],
        manifest["target"]["architecture"],
        manifest["target"]["kind"],
    )
    limits = {limit.name: limit.bytes for limit in target.limits}
    limits["zipped"] = limits.get("zip_direct_upload", limits.get("zip_edge", 0))
    known = store.read_document("starts", _start_key(manifest)) or {}
    situation = situation_of(
        manifest,
        circumstances,
        limits=limits,
        most_layers=load_quotas(target.kind)["layers"],
        module_ms=known.get("modules"),
        start_ms=known.get("start_ms"),
    )
    rates = _rates(store)
    codecs = ("deflate", "xz", "zstd") if target.python >= _ZSTD_SINCE else ("deflate", "xz")
    trims = trims_of(manifest, artifact, release_share=rates["release_share"])
    problem = Problem(situation, trims, rates, codecs)
    return Planned(situation=situation, trims=problem.trims, plans=make_plans(problem), rates=rates)


def calibrate(
    manifest: Manifest,
    artifact: Path,
    *,
    store: Store,
    options: SandboxOptions,
    reporter: Reporter,
) -> Mapping[str, float]:
    """Measure this machine's rates and the artifact's import times, and remember both.

    The start of the runtime without a handler, and with this one, are those of real processes
    with AWS's client. Raises LpackError when the artifact cannot run here.
    """
    sample = sample_of(_contents(artifact))
    rates = measure_rates(sample)
    reporter.step("measured the rates of this machine")
    with TemporaryDirectory(prefix="lpack-probe-") as folder:
        probe = Path(folder) / "probe.zip"
        with zipfile.ZipFile(probe, "w") as archive:
            archive.writestr("lpack_probe.py", _PROBE)
        bare = {
            "function": {"name": "probe", "handler": "lpack_probe.handler"},
            "target": manifest["target"],
            "distributions": [],
        }
        empty = init_ms(probe, bare, store=store, options=options, reporter=reporter)
    rates["runtime_seconds"] = empty / 1000
    whole = init_ms(artifact, manifest, store=store, options=options, reporter=reporter)
    report = verify_import(artifact, manifest, store=store, options=options, reporter=reporter)
    modules = {module.name: module.self_ms for module in report.modules}
    store.write_document("rates", "local", {"rates": rates, "date": time.strftime("%Y-%m-%d")})
    start = {"start_ms": max(0.0, whole - empty), "modules": modules}
    store.write_document("starts", _start_key(manifest), start)
    reporter.step(f"the handler's import takes {start['start_ms']:,.0f} ms here")
    return rates


def init_ms(
    artifact: Path,
    manifest: Manifest,
    *,
    store: Store,
    options: SandboxOptions,
    reporter: Reporter,
) -> float:
    """Return how long init takes here, in ms: the best of three starts of the real client.

    The best, because whatever else runs here only ever slows a start down. Raises LpackError when
    it does not start.
    """
    found = []
    for _ in range(_ROUNDS):
        answer = invoke_artifact(
            artifact,
            manifest,
            b"{}",
            store=store,
            options=options,
            reporter=reporter,
            on_line=_unheard,
        )
        if answer.init_ms is None or answer.init_failed:
            raise LpackError(
                f"the handler of `{artifact.name}` does not start here",
                hint=f"lpack verify {artifact.name}",
            )
        found.append(answer.init_ms)
    return min(found)


def _unheard(line: str) -> None:
    """Drop what the function logs: only the time counts here."""
    del line


def _rates(store: Store) -> Rates:
    known = store.read_document("rates", "local")
    if known is None:
        return shipped_rates()
    return calibrated(
        known["rates"], source="lpack plan --calibrate, on this machine", date=known["date"]
    )


def _start_key(manifest: Manifest) -> str:
    """Name what was measured: the artifact's bytes, or what is known of a foreign one."""
    artifact = manifest["artifact"]
    return key_of("start", artifact.get("sha256"), artifact["uncompressed_bytes"])


def _contents(artifact: Path) -> Iterator[bytes]:
    """Yield contents of the artifact's files, the largest first."""
    with suppress(zipfile.BadZipFile, OSError), zipfile.ZipFile(artifact) as archive:
        for info in sorted(archive.infolist(), key=lambda info: -info.file_size):
            with archive.open(info) as file:
                yield file.read(4 * 1024 * 1024)
