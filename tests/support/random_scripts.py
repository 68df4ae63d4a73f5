"""Random scripts for the fault server: what happens at the first try, at the second, and so on.

A script is drawn from a seed alone, so that a seed that found something finds it again.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from support import random_answers
from support.fault_server import FaultServer, Request
from support.random_answers import Answer, Meaning

FILE = "demo-1-py3-none-any.whl"
_STATUSES = ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"]


@dataclass(frozen=True)
class Patience:
    """The limits of the client, which decide what a script costs and where it ends."""

    tries: int
    wrong: int
    silence: float
    deadline: float


@dataclass
class RandomScript:
    """Answers for the first try, the second, ...; the last is for all that follow.

    Each comes after `hops`, the redirects that lead to it. `served` is what was answered.
    """

    seed: int
    answers: list[Answer]
    hops: list[list[str]]
    tries: int = 0
    served: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The first part of its paths."""
        return f"s{self.seed}"

    def __str__(self) -> str:
        """Tell everything a person needs to see what went wrong."""
        told = [" → ".join([*h, a.name]) for h, a in zip(self.hops, self.answers, strict=True)]
        return f"seed {self.seed}: " + "; then ".join(told)

    def expected(self, patience: Patience) -> tuple[Meaning, int, float]:
        """Give what a client that keeps the rules ends with, after how many tries and seconds.

        After an answer that may be taken either way nothing is known but the most tries.
        """
        failed = wrong = 0
        seconds = 0.0
        for number in range(1, patience.tries + patience.wrong + 1):
            answer = self.answers[min(number, len(self.answers)) - 1]
            seconds += answer.seconds
            failed += answer.meaning is Meaning.PASSING
            wrong += answer.meaning is Meaning.WRONG
            given_up = failed == patience.tries or wrong == patience.wrong
            if answer.meaning is Meaning.OPEN:
                return answer.meaning, patience.tries + patience.wrong - 1, seconds
            if given_up or answer.meaning not in {Meaning.PASSING, Meaning.WRONG}:
                return answer.meaning, number, seconds
        raise AssertionError("unreachable: one of the limits is reached")

    def serve(self, r: Request) -> None:
        """Answer one request for any of the paths."""
        parts = r.path.partition("?")[0].split("/")
        hop = int(parts[parts.index("hop") + 1]) if "hop" in parts else 0
        self.tries += hop == 0
        place = min(self.tries, len(self.answers)) - 1
        hops, answer = self.hops[place], self.answers[place]
        if hop < len(hops):
            self.served.append(hops[hop])
            _redirect(r, hops[hop], f"/{self.name}/hop/{hop + 1}/{FILE}")
        else:
            self.served.append(answer.name)
            answer.send(r)


def random_script(seed: int, patience: Patience, *, secure: bool) -> RandomScript:
    """Draw the script of `seed`; `secure` servers may redirect to https only."""
    random = Random(seed)  # noqa: S311 -- the same seed draws the same script
    kinds: list[tuple[int, Callable[[], Answer]]] = [
        (30, lambda: random_answers.good(random)),
        (34, lambda: random_answers.passing(random, silence=patience.silence)),
        (14, lambda: random_answers.wrong(random)),
        (5, lambda: random_answers.final(random)),
        (1, lambda: random_answers.slow(random, deadline=patience.deadline)),
        (16, lambda: random_answers.strange(random)),
    ]
    answers, hops = [], []
    for _ in range(random.choice([1, 2, 2, 3, 3, 4])):
        kind = random.choices([make for _, make in kinds], [weight for weight, _ in kinds])[0]
        chain = _chain(random, secure=secure)
        answer = kind()
        if answer.meaning is Meaning.GOOD and not chain and random.random() < 0.3:
            answer = random_answers.BEHIND_A_PASSWORD
        answers.append(_after(chain, answer))
        hops.append(chain)
    return RandomScript(seed, answers, hops)


_LEADING = [
    "path",
    "whole",
    "no scheme",
    "relative",
    "capitals",
    "query",
    "fragment",
    "user",
    "UTF-8",
]
_LEADING_AWAY = ["elsewhere", "elsewhere with a user"]
_ENDING = ["loop", "file:", "ftp:", "broken", "port", "no host", "javascript:"]


def _chain(random: Random, *, secure: bool) -> list[str]:
    if random.random() < 0.6:
        return []
    chain = [random.choice(_LEADING) for _ in range(random.choice([1, 1, 2, 3, 10, 11]))]
    if random.random() < 0.2 and not secure:
        chain.append(random.choice(_LEADING_AWAY))
        chain += [random.choice(_LEADING) for _ in range(random.randrange(2))]
    elif random.random() < 0.1:
        chain.append(random.choice([*_ENDING, *(["no https"] if secure else [])]))
    return chain


def _after(chain: list[str], answer: Answer) -> Answer:
    """Give what an answer means at the end of redirects."""
    if len(chain) > 10 or (chain and chain[-1] in {*_ENDING, "no https"}):
        return dataclasses.replace(answer, meaning=Meaning.FINAL, seconds=0.0)
    return answer


def _redirect(r: Request, way: str, path: str) -> None:
    other = r.server.other or r.server
    here = f"127.0.0.1:{r.server.port}"
    there = f"localhost:{other.port}" if other is not r.server else here
    scheme = r.server.scheme
    locations = {
        "path": path,
        "whole": f"{scheme}://{here}{path}",
        "no scheme": f"//{here}{path}",
        "relative": "../" * (r.path.count("/") - 1) + path[1:],
        "capitals": f"{scheme.upper()}://{here}{path}",
        "query": f"{path}?signature=s3cr3t&a=/../b",
        "fragment": f"{path}#sha256=0",
        "user": f"{scheme}://guest:s3cr3t@{here}{path}",
        "UTF-8": "/".join([*path.split("/")[:-1], "gr\u00fcn x.whl"]).encode().decode("latin-1"),
        "elsewhere": f"{other.scheme}://{there}{path}",
        "elsewhere with a user": f"{other.scheme}://guest:s3cr3t@{there}{path}",
        "loop": r.path,
        "file:": "file:///etc/hostname",
        "ftp:": f"ftp://{here}{path}",
        "broken": f"http://[{here}{path}",
        "port": f"{scheme}://127.0.0.1:99999{path}",
        "no host": f"{scheme}://:80{path}",
        "javascript:": "javascript:alert(1)",
        "no https": f"http://{here}{path}",
    }
    status = _STATUSES[(r.number + len(path)) % len(_STATUSES)]
    r.answer(status, b"moved" * (r.number % 3), Location=locations[way])


def register(script: RandomScript, *servers: FaultServer) -> None:
    """Have the servers follow `script`."""
    for server in servers:
        server.scripts[script.name] = script.serve
