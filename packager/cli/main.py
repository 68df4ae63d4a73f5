"""The command group, and what becomes of a command line that click refuses."""

from collections.abc import Sequence

import click

from packager import __version__
from packager.cli.console import say, styled
from packager.cli.ending import end_of
from packager.cli.lazy_group import LazyGroup

COMMANDS = {
    "build": "Build the zips of a project's functions, measured against AWS's limits.",
    "check": "Hold artifacts against AWS's limits, your budgets and a baseline.",
    "diff": "Tell what changed between two artifacts, and which requirement caused it.",
    "report": "Report what is in any artifact, what is wrong with it, and what could leave.",
    "why": "Explain why a distribution is in a zip, or why it is not.",
    "plan": "Say what to do about an artifact that does not fit, priced and ranked.",
    "runtime": "List runtimes, show what one provides, or capture it from your account.",
    "verify": "Prove a zip: every claim, every library, and the handler's import.",
    "trace": 'Note which files a built function opens, for `slim = "traced"`.',
    "publish": "Bring a built artifact to where functions are created from it.",
    "explain": "Explain an error line of a deploy or a start, and name what causes it.",
    "invoke": "Let a built function answer an event on this machine, as in Lambda.",
    "cache": "Look after the store: its place and size, verify it, prune it.",
}


@click.group(
    cls=LazyGroup,
    summaries=COMMANDS,
    prefix="packager.cli.",
    name="lpack",
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "LPACK"},
    epilog="Exit codes: 0 ok · 1 a limit or check failed · 2 usage · 3 cannot build · "
    "4 cannot publish · 70 a bug",
)
@click.version_option(__version__, prog_name="lpack", message="%(prog)s %(version)s")
def group() -> None:
    """Turn a Python project into the smallest AWS Lambda artifact that provably works.

    \b
    lpack build                      build the project in this folder
    lpack build --runtime python3.13 --arch arm64
    lpack why botocore               why is it in the zip, or why not?
    lpack runtime python3.13         what does AWS ship there?
    """  # noqa: D301 -- \b is click's mark for lines that stay as they are


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code."""
    return end_of(lambda: _dispatch(arguments))


def _dispatch(arguments: Sequence[str]) -> object:
    try:
        return group.main(list(arguments), prog_name="lpack", standalone_mode=False)
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.Abort:
        raise KeyboardInterrupt from None
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return 2
    except click.UsageError as error:
        return _usage(error)
    except click.ClickException as error:
        say(f"{styled('error:', fg='red', bold=True)} {error.format_message()}")
        return 2


def _usage(error: click.UsageError) -> int:
    say(f"{styled('error:', fg='red', bold=True)} {error.format_message()}")
    command = error.ctx.command_path if error.ctx is not None else "lpack"
    say(f"{styled('hint:', fg='cyan', bold=True)} {command} --help")
    return 2
