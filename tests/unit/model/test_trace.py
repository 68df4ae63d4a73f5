"""Traces: written, read, and put together."""

from typing import Any

import pytest

from packager.model.trace import Trace, TracedDistribution


def trace(runs: int = 1, runtime: str = "python3.11", **files: tuple[str, ...]) -> Trace:
    return Trace(
        lpack="0.1.0",
        runtime=runtime,
        architecture="x86_64",
        runs=runs,
        distributions=tuple(
            TracedDistribution(name.partition("_")[0], name.partition("_")[2], names)
            for name, names in sorted(files.items())
        ),
    )


def test_a_trace_reads_back_as_itself() -> None:
    one = trace(a_1=("a/x.py", "a/y.py"), b_2=())
    assert Trace.from_document(one.to_document()) == one


def test_runs_and_files_add_up() -> None:
    both = trace(2, a_1=("a", "c"), b_1=("x",)).merged(trace(3, a_1=("b", "c"), b_1=()))
    assert both == trace(5, a_1=("a", "b", "c"), b_1=("x",))


def test_another_version_begins_anew_and_what_left_is_forgotten() -> None:
    both = trace(a_1=("old",), gone_1=("x",)).merged(trace(a_2=("new",)))
    assert both == trace(2, a_2=("new",))
    assert both.touched("a", "2") == frozenset({"new"})
    assert both.touched("a", "1") is None


def test_traces_of_two_targets_do_not_add_up() -> None:
    with pytest.raises(ValueError, match=r"it is of python3\.11/x86_64, not of python3\.12/x86_64"):
        trace().merged(trace(runtime="python3.12"))


@pytest.mark.parametrize(
    "document",
    [None, [], {}, {"schema_version": 2}, {"schema_version": 1}, {"schema_version": 1, "runs": 1}],
)
def test_other_documents_are_refused(document: Any) -> None:
    with pytest.raises(ValueError, match=r"no trace of lpack|not known"):
        Trace.from_document(document)
