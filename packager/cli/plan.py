"""`lpack plan`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from packager.cli import completion
from packager.cli.console import Console
from packager.cli.invoke import choose_artifact
from packager.cli.manifests import is_foreign
from packager.cli.plan_settings import configuration_place, render_settings, write_settings
from packager.cli.sandbox_options import options_of, sandbox_options
from packager.errors import UsageError
from packager.model.plan import Circumstances, Plan
from packager.pipeline.plan import Planned, calibrate, plan_artifact
from packager.report.plan import plans_document, render_plans, render_tried
from packager.wheels.store import Store

_NOTHING_FITS = 1


@click.command("plan")
@click.argument(
    "what",
    required=False,
    metavar="[FUNCTION|ARTIFACT]",
    shell_complete=completion.functions_or_files,
)
@click.option(
    "--memory",
    "memory_mb",
    type=click.IntRange(128, 10_240),
    default=1024,
    show_default=True,
    metavar="MB",
    help="The function's memory.",
)
@click.option(
    "--tmp",
    "tmp_mib",
    type=click.IntRange(512, 10_240),
    metavar="MIB",
    help="The most ephemeral storage to use; as much as it takes by default.",
)
@click.option("--upload", type=click.Choice(["direct", "s3"]), help="As configured by default.")
@click.option("--snapstart", is_flag=True, help="The function uses SnapStart.")
@click.option("--provisioned-concurrency", is_flag=True, help="It has provisioned concurrency.")
@click.option("--managed-instances", is_flag=True, help="It runs on Managed Instances.")
@click.option("--vpc", is_flag=True, help="It is attached to a VPC.")
@click.option("--s3-endpoint", is_flag=True, help="Its VPC reaches S3.")
@click.option("--new-function", is_flag=True, help="It does not exist yet as a zip function.")
@click.option(
    "--environment-bytes",
    type=click.IntRange(0),
    default=0,
    metavar="N",
    help="Its variables, as JSON.",
)
@click.option(
    "--invocations",
    type=click.IntRange(0),
    default=1_000_000,
    show_default=True,
    metavar="N",
    help="In a month, for the price of /tmp.",
)
@click.option(
    "--milliseconds",
    type=click.IntRange(1),
    default=200,
    show_default=True,
    metavar="MS",
    help="What an invocation takes, likewise.",
)
@click.option(
    "--layers", is_flag=True, help="Choose layers across all functions built into the folder."
)
@click.option(
    "--deployments",
    multiple=True,
    metavar="[FUNCTION=]N",
    help="With --layers: deployments of a function in a month; 20 by default.",
)
@click.option(
    "--changes",
    multiple=True,
    metavar="[NAME=]N",
    help="With --layers: changes of a distribution in a month; 1 by default.",
)
@click.option(
    "--calibrate",
    "wants_calibration",
    is_flag=True,
    help="Measure this machine's rates and the handler's import first.",
)
@click.option(
    "--try",
    "tries",
    type=click.IntRange(1),
    metavar="N",
    help="Build the best N plans and show what was measured.",
)
@click.option(
    "--apply",
    "applied",
    type=click.IntRange(1),
    metavar="K",
    is_flag=False,
    flag_value=1,
    help="Print only the TOML of plan K, of the best without K.",
)
@click.option(
    "--write",
    "written",
    type=click.IntRange(1),
    metavar="K",
    is_flag=False,
    flag_value=1,
    help="Write plan K into the configuration; comments stay.",
)
@click.option("--runtime", metavar="NAME", help="For artifacts of others that do not tell.")
@click.option("--arch", "architecture", metavar="ARCH", help="Likewise.")
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text")
@click.option(
    "--picture",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write an HTML page: where the bytes are before and after the best plan that moves any.",
)
@sandbox_options
@click.option("-q", "--quiet", is_flag=True, help="Print results and errors only.")
def command(what: str | None, **values: Any) -> int:  # noqa: ANN401 -- click's values
    """Say what to do about an artifact that does not fit, priced and ranked.

    Reads a function's manifest in dist, or any zip, layer, image or folder.

    \b
    lpack plan
    lpack plan api --memory 512 --snapstart
    lpack plan foreign.zip --runtime python3.13
    lpack plan --calibrate --try 3
    lpack plan --write               the best plan, into pyproject.toml
    lpack plan --layers --deployments api=60 --changes boto3=4
    """  # noqa: D301 -- \b is click's mark for lines that stay as they are
    if values["layers"]:
        from packager.cli.plan_layers import plan_layers  # noqa: PLC0415 -- another question

        return plan_layers(Path(what) if what is not None else None, values)
    console, store = Console(-1 if values["quiet"] else 0), Store.default()
    manifest, artifact = _subject(what, values)
    name = manifest["function"]["name"]
    if values["wants_calibration"]:
        options = options_of(values, function_name=name)
        calibrate(manifest, artifact, store=store, options=options, reporter=console)
    circumstances = _circumstances(manifest, values)
    planned = plan_artifact(manifest, artifact, store=store, circumstances=circumstances)
    if values["written"] or values["applied"]:
        return _use(planned, values)
    _show(planned, values)
    if values["picture"]:
        _draw(planned, manifest, values["picture"])
    if values["tries"]:
        _try(planned, name, values, store=store, console=console)
    possible = planned.situation.fits or any(plan.possible for plan in planned.plans)
    return 0 if possible else _NOTHING_FITS


def _subject(what: str | None, values: dict[str, Any]) -> tuple[Mapping[str, Any], Path]:
    """Return the manifest that is meant and its artifact: built by lpack, or by others."""
    path = Path(what) if what is not None and Path(what).exists() else None
    if path is not None and is_foreign(path):
        from packager.pipeline.inspection import inspect_artifact  # noqa: PLC0415 -- others' only

        runtime, architecture = values["runtime"], values["architecture"]
        return inspect_artifact(path, runtime=runtime, architecture=architecture), path
    place, manifest = choose_artifact(path, None if path is not None else what)
    return manifest, place.with_name(manifest["artifact"]["path"])


def _circumstances(manifest: Mapping[str, Any], values: dict[str, Any]) -> Circumstances:
    target = manifest["target"]
    return Circumstances(
        kind=target["kind"],
        runtime=target["runtime"],
        upload=values["upload"] or manifest["function"]["upload"],
        memory_mb=values["memory_mb"],
        tmp_mib=values["tmp_mib"],
        snapstart=values["snapstart"],
        provisioned_concurrency=values["provisioned_concurrency"],
        managed_instances=values["managed_instances"],
        vpc=values["vpc"],
        s3_endpoint=values["s3_endpoint"],
        existing_zip_function=not values["new_function"],
        environment_bytes=values["environment_bytes"],
        invocations_per_month=values["invocations"],
        milliseconds_per_invocation=values["milliseconds"],
    )


def _use(planned: Planned, values: dict[str, Any]) -> int:
    """Print or write the plan that was chosen."""
    number = values["written"] or values["applied"]
    plan = _chosen(planned, number)
    place = configuration_place(Path.cwd(), planned.situation.function)
    if values["written"]:
        write_settings(plan, place)
        click.echo(f"{place.path.name}: {plan.title}")
    else:
        click.echo(render_settings(plan, place), nl=False)
    for trim in plan.trims:
        if trim.requirement is not None:
            click.echo(f"# and require {trim.requirement}, then: lpack build --upgrade", err=True)
    return 0


def _chosen(planned: Planned, number: int) -> Plan:
    plans = planned.plans
    if planned.situation.fits:
        raise UsageError(f"`{planned.situation.function}` fits: there is nothing to apply")
    if number > len(plans):
        raise UsageError(f"there are {len(plans)} plans, no plan {number}", hint="lpack plan")
    if not plans[number - 1].possible:
        raise UsageError(f"plan {number} is not possible", hint="lpack plan")
    return plans[number - 1]


def _show(planned: Planned, values: dict[str, Any]) -> None:
    situation, plans = planned.situation, planned.plans
    place = configuration_place(Path.cwd(), situation.function)
    tomls = [render_settings(plan, place) for plan in plans]
    if values["output_format"] == "json":
        click.echo(json.dumps(plans_document(situation, plans, tomls=tomls)))
        return
    text = render_plans(situation, plans, tomls=tomls, memory_mb=values["memory_mb"])
    click.echo(text, nl=False)


def _draw(planned: Planned, manifest: Mapping[str, Any], path: Path) -> None:
    """Write the report's page for what the best plan makes of the artifact, beside today's."""
    from packager.assemble.output import atomic_output  # noqa: PLC0415 -- only for a picture
    from packager.report.artifact_document import artifact_document  # noqa: PLC0415 -- likewise
    from packager.report.html_page import render_html  # noqa: PLC0415 -- likewise
    from packager.report.planned import planned_manifest  # noqa: PLC0415 -- likewise

    possible = [plan for plan in planned.plans if plan.possible]
    # A plan that leaves every byte where it is has no picture of its own.
    moving = next((plan for plan in possible if plan.moved or plan.trims), None)
    plan = moving or next(iter(possible), None)
    after = manifest if plan is None else planned_manifest(manifest, plan)
    nothing = {"compressed_bytes": 0, "uncompressed_bytes": 0}
    document = artifact_document(after, (), could_save=nothing, baseline=manifest)
    with atomic_output(path.resolve()) as output:
        output.write(render_html([document]).encode())


def _try(
    planned: Planned, name: str, values: dict[str, Any], *, store: Store, console: Console
) -> None:
    from packager.cli.plan_try import try_plans  # noqa: PLC0415 -- builds, only when asked

    options = options_of(values, function_name=name)
    rows = try_plans(planned, values["tries"], store=store, options=options, console=console)
    click.echo(render_tried(rows), nl=False)
