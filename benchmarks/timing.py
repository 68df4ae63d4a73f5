"""Times whole processes: wall clock, processor time and peak memory of each, interleaved."""

import multiprocessing
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path


class ContenderFailedError(Exception):
    """A contender ended with an error; what it said is in the message."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """One run: seconds of wall clock and of processor, peak resident bytes of the largest process.

    The peak is what `wait4` reports: the largest single process among the child and those it
    waited for, not their sum. It cannot fall below the size of the process that started it.
    """

    seconds: float
    cpu_seconds: float
    peak_bytes: int


@dataclass(kw_only=True)
class Contender:
    """Something to time: `prepare` runs before each command, outside the clock.

    `commands` run one after the other inside one measurement. A contender that is a function of
    this process instead has `call`.
    """

    name: str
    commands: Sequence[Sequence[str]] = ()
    cwd: Path | None = None
    env: Mapping[str, str] | None = None
    prepare: Callable[[], None] = lambda: None
    call: Callable[[], object] | None = None
    rounds: int = 7
    exit_codes: Sequence[int] = (0,)
    warm_up: bool = True
    samples: list[Sample] = field(default_factory=list)

    def run_once(self, *, keep: bool) -> Sample:
        """Prepare, run, and note the sample when `keep` is set (a warm-up is not kept)."""
        self.prepare()
        if self.call is not None:
            began = time.perf_counter()
            self.call()
            sample = Sample(seconds=time.perf_counter() - began, cpu_seconds=0.0, peak_bytes=0)
        else:
            parts = [
                run_process(each, cwd=self.cwd, env=self.env, exit_codes=self.exit_codes)
                for each in self.commands
            ]
            sample = Sample(
                seconds=sum(part.seconds for part in parts),
                cpu_seconds=sum(part.cpu_seconds for part in parts),
                peak_bytes=max(part.peak_bytes for part in parts),
            )
        if keep:
            self.samples.append(sample)
        return sample

    @property
    def median(self) -> float:
        """The median of the wall clock, in seconds."""
        return statistics.median(sample.seconds for sample in self.samples)

    @property
    def peak_bytes(self) -> int:
        """The highest peak of all runs."""
        return max(sample.peak_bytes for sample in self.samples)


def run_process(
    command: Sequence[str],
    *,
    cwd: Path | None,
    env: Mapping[str, str] | None,
    exit_codes: Sequence[int],
) -> Sample:
    """Run one process to its end; ContenderFailedError when it ends otherwise than foreseen."""
    variables = None if env is None else dict(env)
    return _starter().submit(_run_here, list(command), cwd, variables, tuple(exit_codes)).result()


@cache
def _starter() -> ProcessPoolExecutor:
    """Return a small process that starts the others.

    The kernel counts the size of whoever starts a process towards its peak, and the harness grows
    with the servers that run in it.
    """
    return ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))


def _run_here(
    command: list[str],
    cwd: Path | None,
    env: dict[str, str] | None,
    exit_codes: tuple[int, ...],
) -> Sample:
    with tempfile.TemporaryFile() as said:
        began = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=said, stderr=said
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in exit_codes:
            said.seek(0)
            text = said.read().decode("utf-8", "replace")[-2000:]
            raise ContenderFailedError(f"{Path(command[0]).name}: {process.returncode}\n{text}")
    return Sample(
        seconds=seconds,
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        peak_bytes=usage.ru_maxrss * 1024,
    )


def run_interleaved(contenders: Sequence[Contender]) -> None:
    """Run the contenders in turn, A B C A B C, so that a slow minute hits all alike.

    Every contender with `warm_up` that is run more than once gets a run before, which does not
    count. Those with fewer rounds than others take part in the first rounds.
    """
    for contender in contenders:
        if contender.warm_up and contender.rounds > 1:
            contender.run_once(keep=False)
    for number in range(max(contender.rounds for contender in contenders)):
        for contender in contenders:
            if number < contender.rounds:
                contender.run_once(keep=True)
