"""Figures for people: sizes in MiB, counts with their noun. Pure."""

_MIB = 1024 * 1024


def mib(amount: float) -> str:
    """Format bytes for people: `12.3 MiB`, and KiB below a tenth of a MiB."""
    if abs(amount) < _MIB // 10:
        return f"{amount / 1024:,.1f} KiB"
    return f"{amount / _MIB:,.1f} MiB"


def signed(amount: int) -> str:
    """Format a change of bytes with its sign: `+3.1 MiB`, and below a KiB `+12 B`."""
    size = mib(abs(amount)) if abs(amount) >= 1024 else f"{abs(amount)} B"
    return f"{'−' if amount < 0 else '+'}{size}"


def many(count: int, one: str, several: str | None = None) -> str:
    """Count things for people: `1 file`, `2,000 files`."""
    return f"1 {one}" if count == 1 else f"{count:,} {several or one + 's'}"


def amount_of(value: float, unit: str) -> str:
    """Format a measured figure in its unit: bytes as MiB, `1,200 files`, `310 ms`."""
    if unit == "bytes":
        return mib(value) if value >= 1024 else f"{value:,.0f} B"
    if unit == "ms":
        return f"{value:,.0f} ms"
    return many(int(value), unit.removesuffix("s"))
