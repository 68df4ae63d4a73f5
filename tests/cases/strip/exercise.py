"""Uses the native code of the libraries beside this interpreter's path; prints what came out.

Run as `python -I exercise.py FOLDER`; every answer is a plain value that must not change.
"""

# ruff: noqa: PLC0415 -- each exercise loads only its own libraries

import io
import json
import sys
from collections.abc import Callable

sys.path.insert(0, sys.argv[1])


def of_numpy() -> object:
    import numpy as np

    matrix = np.arange(40_000, dtype=float).reshape(200, 200) % 37
    _, values, _ = np.linalg.svd(matrix)
    spectrum = np.fft.fft(matrix[0])
    back = np.fft.ifft(spectrum).real
    random = np.random.default_rng(7).normal(size=3)
    return [round(float(values[0]), 6), bool(np.allclose(back, matrix[0])), random.tolist()]


def of_scipy() -> object:
    import numpy as np
    from scipy import linalg, optimize, sparse
    from scipy.sparse.linalg import eigsh

    found = optimize.minimize(optimize.rosen, [1.3, 0.7, 0.8], method="BFGS")
    solution = linalg.solve(np.eye(50) * 3 + 1, np.ones(50))
    largest = eigsh(sparse.diags(np.arange(1.0, 101.0)), k=1, return_eigenvectors=False)
    return [bool(found.success), round(float(solution.sum()), 9), round(float(largest[0]), 6)]


def of_sklearn() -> object:
    import numpy as np
    from sklearn.cluster import KMeans
    from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier

    data = np.random.default_rng(0).normal(size=(200, 4))
    target = (data.sum(axis=1) > 0).astype(int)
    forest = RandomForestClassifier(n_estimators=5, random_state=0).fit(data, target)
    boosted = HistGradientBoostingRegressor(max_iter=5).fit(data, data[:, 0])
    clusters = KMeans(3, n_init=1, random_state=0).fit(data)
    scores = forest.score(data, target), boosted.score(data, data[:, 0]), clusters.inertia_
    return [round(float(score), 6) for score in scores]


def of_pandas() -> object:
    import pandas as pd

    frame = pd.DataFrame({"key": list("abcab") * 20, "value": range(100)})
    frame["when"] = pd.date_range("2026-01-01", periods=100, tz="Europe/Zurich")
    days = frame.groupby("key")["value"].agg(["sum", "mean"]).to_dict()
    return [days, str(frame["when"].iloc[-1]), frame.to_csv(index=False)[:40]]


def of_pyarrow() -> object:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.dataset as ds
    import pyarrow.parquet as pq

    table = pa.table({"name": ["x", "y", None] * 100, "value": list(range(300))})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    back = pq.read_table(pa.BufferReader(sink.getvalue()))
    total = pc.sum(ds.dataset(back).to_table(filter=pc.field("value") > 10)["value"])
    try:
        pa.array(["a"]).cast(pa.int64())
    except pa.ArrowInvalid as error:  # a C++ exception path that unwinds through the library
        return [back.equals(table), total.as_py(), str(error)]
    return None


def of_opencv() -> object:
    import cv2
    import numpy as np

    image = np.tile(np.arange(256, dtype=np.uint8), (64, 1))
    answers: list[object] = []
    for ending in (".png", ".webp", ".jpg", ".tiff"):
        written, data = cv2.imencode(ending, image)
        answers.append([bool(written), cv2.imdecode(data, cv2.IMREAD_GRAYSCALE).shape])
    answers.append(float(cv2.GaussianBlur(image, (5, 5), 0).mean()))
    try:
        cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    except cv2.error as error:  # thrown in C++ and caught in the binding
        answers.append(str(error)[:60])
    return answers


def of_cryptography() -> object:
    from cryptography.fernet import Fernet
    from cryptography.hazmat.primitives.asymmetric import ed25519

    box = Fernet(b"a" * 43 + b"=")
    key = ed25519.Ed25519PrivateKey.from_private_bytes(b"k" * 32)
    signature = key.sign(b"text")
    key.public_key().verify(signature, b"text")
    return [box.decrypt(box.encrypt(b"secret")).decode(), signature.hex()]


def of_psycopg2() -> object:
    import psycopg2
    from psycopg2 import extensions

    try:
        psycopg2.connect(host="127.0.0.1", port=1, connect_timeout=1)
    except psycopg2.OperationalError as error:
        return [
            str(extensions.adapt("it's")),
            "127.0.0.1" in str(error),
            psycopg2.__libpq_version__,
        ]
    return None


def of_pillow() -> object:
    from PIL import Image, ImageDraw, ImageFont, features

    image = Image.linear_gradient("L").convert("RGB")
    ImageDraw.Draw(image).text((5, 5), "stripped", font=ImageFont.load_default(20))
    answers: list[object] = [features.check("freetype2")]
    for form in ("PNG", "JPEG", "WEBP", "TIFF", "JPEG2000", "AVIF"):
        if form == "AVIF" and not features.check("avif"):
            continue
        data = io.BytesIO()
        image.save(data, form)
        with Image.open(data) as back:
            answers.append([form, back.size, back.resize((8, 8)).convert("L").getpixel((4, 4))])
    return answers


def of_pydantic() -> object:
    from pydantic import BaseModel, ValidationError

    class Order(BaseModel):
        count: int
        tags: list[str] = []

    try:
        Order.model_validate_json('{"count": "many"}')
    except ValidationError as error:
        order = Order.model_validate_json('{"count": "3", "tags": ["a"]}')
        return [error.error_count(), order.model_dump_json()]
    return None


def of_sqlalchemy() -> object:
    import sqlalchemy as sa

    with sa.create_engine("sqlite://").begin() as connection:
        rows = connection.execute(sa.text("select 1 as one, 'two' as two")).all()
    return [[list(row) for row in rows], sa.util.has_compiled_ext()]


EXERCISES: dict[str, Callable[[], object]] = {
    name.removeprefix("of_"): exercise
    for name, exercise in list(globals().items())
    if name.startswith("of_")
}

if __name__ == "__main__":
    print(json.dumps({name: exercise() for name, exercise in EXERCISES.items()}))
