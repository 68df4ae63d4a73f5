"""`lpack plan --layers`: layers chosen across all functions of the project."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from packager.assemble.output import atomic_output
from packager.cli.manifests import find_manifests, read_manifest
from packager.cli.plan_settings import configuration_place, configuration_text
from packager.errors import UsageError
from packager.inputs.configuration_edit import edited
from packager.model.sharing import Sharing
from packager.place.sharing import share_layers
from packager.place.situation import sharing_of
from packager.report.sharing import render_sharing, sharing_document
from packager.runtime.targets import load_quotas

DEPLOYMENTS = 20.0
"""Deployments of a function in a month, one each working day, where nobody says otherwise."""


def plan_layers(folder: Path | None, values: Mapping[str, Any]) -> int:
    """Plan the layers of all manifests in `folder` (dist by default); returns the exit code."""
    manifests = [read_manifest(path) for path in find_manifests(folder)]
    manifests = [manifest for manifest in manifests if manifest["artifact"]["kind"] == "zip"]
    targets = {_target(manifest) for manifest in manifests}
    if len(targets) != 1:
        raise UsageError(
            f"layers are shared within one target, and these functions have {len(targets)}: "
            + ", ".join(sorted(" ".join(target) for target in targets)),
            hint="lpack build the functions of one target into a folder: --target-dir dist/arm64",
        )
    consumers, shared = sharing_of(
        manifests,
        deployments=_rates("--deployments", values["deployments"], DEPLOYMENTS),
        changes=_rates("--changes", values["changes"], 1.0),
    )
    kind = manifests[0]["target"]["kind"]
    sharing = share_layers(consumers, shared, most_layers=load_quotas(kind)["layers"])
    names = [consumer.name for consumer in consumers]
    place = configuration_place(Path.cwd(), names[0])
    if values["written"]:
        text = _edited(sharing, names, place.prefix, configuration_text(place))
        with atomic_output(place.path) as output:
            output.write(text.encode())
        click.echo(f"{place.path.name}: {len(sharing.layers)} layers")
        return 0
    toml = _edited(sharing, names, place.prefix, "").lstrip()
    if values["output_format"] == "json":
        click.echo(json.dumps(sharing_document(sharing, toml=toml)))
    elif values["applied"]:
        click.echo(toml, nl=False)
    else:
        click.echo(render_sharing(sharing, functions=len(names), toml=toml), nl=False)
    return 0


def _edited(sharing: Sharing, names: Sequence[str], prefix: Sequence[str], text: str) -> str:
    """Return `text` with the layers, and with every function naming those it attaches."""
    layers = {layer.name: {"distributions": list(layer.distributions)} for layer in sharing.layers}
    for name in names:
        attached = [layer.name for layer in sharing.layers if name in layer.functions]
        text = edited(text, {"layers": attached}, prefix=prefix, function=name)
    return edited(text, {}, prefix=prefix, function=None, layers=layers)


def _target(manifest: Mapping[str, Any]) -> tuple[str, str, str]:
    target = manifest["target"]
    return target["runtime"], target["architecture"], target["kind"]


def _rates(option: str, texts: Sequence[str], default: float) -> dict[str, float]:
    """Read `N` for all and `NAME=N` for one; raises UsageError for what is no number."""
    rates = {"*": default}
    for text in texts:
        name, _, number = text.rpartition("=")
        try:
            rate = float(number)
        except ValueError:
            rate = -1.0
        if rate < 0:
            raise UsageError(f"`{option} {text}` is no rate", hint=f"{option} NAME=4")
        rates[name or "*"] = rate
    return rates
