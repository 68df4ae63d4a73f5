"""Equal files give equal bytes, and no changed header goes unnoticed."""

import hashlib
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.assembling import code_files, payload_with, records_of, written
from support.intensity import examples
from support.zip_plans import Plan, plans, write

from packager.assemble.reread import check_headers
from packager.errors import CannotBuild


@settings(max_examples=examples(20), suppress_health_check=[HealthCheck.too_slow])
@given(plan=plans())
def test_equal_plans_give_equal_bytes(plan: Plan) -> None:
    digests = set()
    for _ in range(2):
        with tempfile.TemporaryDirectory() as folder:
            digests.add(hashlib.sha256(write(plan, Path(folder))[0].read_bytes()).hexdigest())
    assert len(digests) == 1


@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.too_slow])
@given(plan=plans(), where=st.floats(0, 1, exclude_max=True), mask=st.integers(1, 255))
def test_a_changed_header_byte_is_noticed(plan: Plan, where: float, mask: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        code = code_files(folder / "src", plan.code, executables=plan.executables)
        payload = payload_with(folder, "one", plan.payloads[0] if not plan.code else {"m.py": b"1"})
        artifact = written(folder / "a.zip", [payload], code, stamp=plan.stamp)
        records = records_of(artifact)
        headers = [
            position
            for record in records
            for position in range(record.offset, record.offset + 30 + len(record.name))
        ]
        end_of_streams = records[-1].offset + 30 + len(records[-1].name)
        end_of_streams += records[-1].compressed_bytes
        headers += range(end_of_streams, artifact.compressed_bytes)
        data = bytearray((folder / "a.zip").read_bytes())
        data[headers[int(where * len(headers))]] ^= mask
        (folder / "a.zip").write_bytes(data)
        with pytest.raises(CannotBuild, match="reads back differently"):
            check_headers(folder / "a.zip", records, stamp=plan.stamp)
