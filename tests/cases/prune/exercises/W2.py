"""A parquet round trip, a decomposition, time zones, an Arrow computation, an S3 client."""

import asyncio
import io

import aiobotocore.session
import boto3
import handler
import numpy as np
import numpy.testing
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset
import pyarrow.fs
import pyarrow.parquet as pq
import s3fs

table = pa.table({"a": [1, 2, 3], "b": ["x", "y", None]})
sink = io.BytesIO()
pq.write_table(table, sink, compression="zstd")
assert pq.read_table(io.BytesIO(sink.getvalue())).equals(table)
assert pc.sum(table["a"]).as_py() == 6
frame = pd.DataFrame(
    {"t": pd.date_range("2026-03-28", periods=3, tz="Europe/Berlin"), "v": [1, 2, 3]}
)
frame.to_parquet(buffer := io.BytesIO())
pd.testing.assert_frame_equal(pd.read_parquet(io.BytesIO(buffer.getvalue())), frame)
assert frame.groupby(frame.t.dt.month).v.sum().to_dict() == {3: 6}
matrix = np.arange(12.0).reshape(4, 3)
u, s, v = np.linalg.svd(matrix, full_matrices=False)
np.testing.assert_allclose(u * s @ v, matrix, atol=1e-9)
assert np.random.default_rng(1).normal(size=3).shape == np.fft.rfft(np.ones(4)).shape
assert pyarrow.fs.LocalFileSystem().type_name == "local"
assert pyarrow.dataset.dataset(table).count_rows() == 3
assert s3fs.S3FileSystem(anon=True).protocol[0] == "s3"
assert boto3.client("s3", region_name="eu-west-1").meta.service_model.service_name == "s3"


async def make_client() -> str:
    session = aiobotocore.session.get_session()
    async with session.create_client("s3", region_name="eu-west-1") as client:
        return client.meta.service_model.service_name


assert asyncio.run(make_client()) == "s3"
session = aiobotocore.session.get_session()
if hasattr(session, "preload_service_data"):
    session.preload_service_data("s3")
assert handler.lambda_handler({}, None)["statusCode"] == 200
