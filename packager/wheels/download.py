"""Bringing every missing wheel into the store: in parallel, patiently, and all or an error."""

import re
from collections.abc import Callable, Sequence
from typing import Final

from packager.errors import CannotBuild
from packager.model.progress import Reporter
from packager.model.requirement import IndexSettings
from packager.model.retry_policy import DEFAULT_POLICY, RetryPolicy
from packager.model.selection import WheelReference
from packager.wheels.receiving import local_path
from packager.wheels.store import Store

_SHA256: Final = re.compile(r"[0-9a-f]{64}")


def fetch(
    wheels: Sequence[WheelReference],
    store: Store,
    *,
    settings: IndexSettings,
    reporter: Reporter,
    offline: bool = False,
    policy: RetryPolicy = DEFAULT_POLICY,
    arrived: Callable[[WheelReference], None] = lambda _: None,
) -> None:
    """Bring the wheels that `store` lacks into it, the biggest first.

    `arrived` is told of each as soon as it is in the store, from several threads: at once of
    those that were there, the biggest first too.

    Raises CannotBuild for the first wheel that cannot be had; the others are stopped, and what
    was complete by then stays in the store. After a failed try the reporter is told to go back
    by a negative number of bytes. `offline` still copies wheels that lie on this machine.
    """
    ordered = _biggest_first(wheels)
    missing = [w for w in ordered if not store.has_wheel(w.sha256, w.size_bytes)]
    remote = sorted(wheel.filename for wheel in missing if local_path(wheel) is None)
    if offline and remote:
        raise _forbidden(remote)
    lacking = {wheel.sha256 for wheel in missing}
    for wheel in ordered:
        if wheel.sha256 not in lacking:
            arrived(wheel)
    if not missing:
        return
    # The threads and the network: loaded only when a wheel is missing.
    from packager.wheels.fetching import Fetching  # noqa: PLC0415 -- see above
    from packager.wheels.http_client import HttpClient  # noqa: PLC0415 -- see above

    client = HttpClient(settings, connect_seconds=policy.connect_timeout) if remote else None
    noun = "wheel" if len(missing) == 1 else "wheels"
    reporter.begin(f"fetching {len(missing)} {noun}", sum(w.size_bytes or 0 for w in missing))
    try:
        fetching = Fetching(store, client=client, reporter=reporter, policy=policy, arrived=arrived)
        fetching.run(missing)
    finally:
        reporter.end()
        if client is not None:
            client.close()


def _biggest_first(wheels: Sequence[WheelReference]) -> list[WheelReference]:
    for wheel in wheels:
        if not _SHA256.fullmatch(wheel.sha256):
            raise CannotBuild(
                f"`{wheel.filename}` has no sha256 digest in the lock", hint="lock again"
            )
    distinct = {wheel.sha256: wheel for wheel in wheels}.values()
    return sorted(distinct, key=lambda w: (-(w.size_bytes or 0), w.filename))


def _forbidden(filenames: list[str]) -> CannotBuild:
    subject = f"{len(filenames)} wheels are" if len(filenames) > 1 else f"`{filenames[0]}` is"
    return CannotBuild(
        f"{subject} not in the store, and --offline forbids the network",
        hint="run once without --offline",
        details=filenames,
    )
