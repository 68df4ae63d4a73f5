"""What becomes of every way a command can end."""

import os
import sys
from collections.abc import Callable

from packager import __version__
from packager.cli.console import render_error, say, styled
from packager.errors import CannotBuild, LpackError

_INTERRUPTED = 130
_BUG = 70


def end_of(work: Callable[[], object]) -> int:
    """Do `work` and return the exit code: what it returned, or what its exception stands for."""
    try:
        result = work()
    except LpackError as error:
        say(render_error(error))
        return error.exit_code
    except KeyboardInterrupt:
        say("interrupted")
        return _INTERRUPTED
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
