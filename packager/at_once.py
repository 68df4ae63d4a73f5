"""Doing several works at a time, until the user gives up."""

import threading
from collections.abc import Callable, Sequence


def at_once(works: Sequence[Callable[[], None]], jobs: int) -> None:
    """Do all `works`, up to `jobs` of them at a time; none of them raises."""
    if len(works) < 2 or jobs < 2:
        for work in works:
            work()
        return
    waiting = iter(works)
    lock = threading.Lock()

    def run() -> None:
        while True:
            with lock:
                work = next(waiting, None)  # the name is bound anew when the user gives up
            if work is None:
                return
            work()

    threads = [threading.Thread(target=run) for _ in range(min(jobs, len(works)))]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            thread.join()
    except KeyboardInterrupt:
        # What is at work ends by itself and leaves nothing behind; nothing new begins.
        with lock:
            waiting = iter(())
        for thread in threads:
            thread.join()
        raise
