"""The handler that reads the truth out of the user's account."""

from pathlib import Path

_HANDLER = Path(__file__).parent / "capture_handler.py"


def capture_handler_source() -> str:
    """Return the source of a Lambda handler, `MODULE.handler`, that lists what the runtime holds.

    Its answer is what `read_captured_catalog` reads.
    """
    return _HANDLER.read_text(encoding="utf-8")
