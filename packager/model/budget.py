"""Budgets: what the user allows an artifact to be, as opposed to AWS's limits."""

from typing import NamedTuple


class Increase(NamedTuple):
    """How much an artifact may grow against its baseline.

    With both set, only a growth that passes both is one: 150 kB to 300 kB is 100 % and harmless,
    1 MB of 200 MB is harmless too.
    """

    percent: float | None = None
    bytes: int | None = None


class Allowance(NamedTuple):
    """What the distribution `name` (normalized, `*` for every other one) may add, in bytes.

    `shared` is true when it was said for several functions, of which not each has to have it.
    """

    name: str
    compressed_bytes: int | None = None
    uncompressed_bytes: int | None = None
    shared: bool = False


class Budgets(NamedTuple):
    """Everything the user allows one function; None means not said.

    Unlike AWS's limits, budgets are inclusive. `zip` and `unzipped` are bytes, `init_ms` is how
    long importing the handler may take. `new_distributions` are the names that may appear against
    the baseline: all (True), none (False), or those listed.
    """

    zip: int | None = None
    unzipped: int | None = None
    files: int | None = None
    init_ms: float | None = None
    max_increase: Increase | None = None
    new_distributions: bool | tuple[str, ...] | None = None
    distributions: tuple[Allowance, ...] = ()

    def over(self, weaker: "Budgets", *, shared: bool = False) -> "Budgets":
        """Return these budgets, with those of `weaker` where nothing is said.

        `shared` is whether `weaker` is for several functions.
        """
        values = {
            name: getattr(weaker, name) if getattr(self, name) is None else getattr(self, name)
            for name in self._fields
        }
        own = {allowance.name for allowance in self.distributions}
        inherited = tuple(
            each._replace(shared=each.shared or shared)
            for each in weaker.distributions
            if each.name not in own
        )
        values["distributions"] = (*self.distributions, *inherited)
        return Budgets(**values)


NO_BUDGETS = Budgets()
