"""The command group, and what becomes of every way a command can end."""

import importlib
import os
import sys
from collections.abc import Sequence

import click

from packager import __version__
from packager.cli.console import render_error, say, styled
from packager.errors import CannotBuild, LpackError

_COMMANDS = {
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
_INTERRUPTED = 130
_BUG = 70


class _LazyGroup(click.Group):
    """Loads a command's module when the command is asked for: start-up time is a feature."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands in the order a project meets them."""
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of `cmd_name`."""
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"packager.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(
    cls=_LazyGroup,
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


def run(arguments: Sequence[str]) -> int:  # noqa: PLR0911 -- one return for each way to end
    """Run one command line and return its exit code."""
    try:
        result = group.main(list(arguments), prog_name="lpack", standalone_mode=False)
    except LpackError as error:
        say(render_error(error))
        return error.exit_code
    except click.exceptions.Exit as end:
        return end.exit_code
    except (click.Abort, KeyboardInterrupt):
        say("interrupted")
        return _INTERRUPTED
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return 2
    except click.UsageError as error:
        return _usage(error)
    except click.ClickException as error:
        say(f"{styled('error:', fg='red', bold=True)} {error.format_message()}")
        return 2
    except (BrokenPipeError, SystemExit):
        # Whoever read the result has enough of it: click then exits with 1, the code of a failed
        # check. Python must not complain at exit either.
        sys.stdout = None
        return 0
    except OSError as error:
        return _disk(error)
    except Exception:  # noqa: BLE001 -- the last resort: everything foreseen ends above
        return _bug()
    return result if isinstance(result, int) else 0


def _usage(error: click.UsageError) -> int:
    say(f"{styled('error:', fg='red', bold=True)} {error.format_message()}")
    command = error.ctx.command_path if error.ctx is not None else "lpack"
    say(f"{styled('hint:', fg='cyan', bold=True)} {command} --help")
    return 2


def _disk(error: OSError) -> int:
    """Word what the disk did where no stage foresaw it: an error of the system is no bug."""
    if error.errno is None or os.environ.get("LPACK_TRACEBACK"):
        return _bug()
    place = f"cannot use `{error.filename}`" if error.filename else "the system refuses a file"
    refusal = CannotBuild(
        f"{place}: {os.strerror(error.errno)}",
        hint="check disk, permissions and `ulimit -n`; LPACK_TRACEBACK=1 shows where it happens",
    )
    say(render_error(refusal))
    return refusal.exit_code


def _bug() -> int:
    import traceback  # noqa: PLC0415 -- only when lpack is wrong

    traceback.print_exc()
    say(
        f"{styled('error:', fg='red', bold=True)} this is a bug in lpack {__version__}, "
        "not in your project: please report the lines above"
    )
    return _BUG
