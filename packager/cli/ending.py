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
    except (OSError, MemoryError, RuntimeError) as error:
        return _system(error)
    except Exception:  # noqa: BLE001 -- the last resort: everything foreseen ends above
        return _bug()
    return result if isinstance(result, int) else 0


def _system(error: Exception) -> int:
    """Word what the system did where no stage foresaw it: its errors and limits are no bugs."""
    scarce = "raise the limit (`ulimit -a`), or use --jobs 1"
    if os.environ.get("LPACK_TRACEBACK"):
        return _bug()
    if isinstance(error, OSError) and error.errno is not None:
        place = f"cannot use `{error.filename}`" if error.filename else "the system refuses a file"
        hint = "check disk, permissions and `ulimit -n`; LPACK_TRACEBACK=1 shows where it happens"
        refusal = CannotBuild(f"{place}: {os.strerror(error.errno)}", hint=hint)
    elif isinstance(error, MemoryError):
        refusal = CannotBuild("there is not enough memory", hint=scarce)
    elif "can't start new thread" in str(error):  # CPython's words, in `_thread`
        refusal = CannotBuild("the system allows no further thread", hint=scarce)
    else:
        return _bug()
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
