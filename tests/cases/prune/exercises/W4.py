"""Encodes and decodes images with both libraries, resizes and finds edges."""

import io

import cv2
import handler
import numpy as np
from PIL import Image, ImageDraw, ImageFont

picture = Image.new("RGB", (40, 30), "white")
ImageDraw.Draw(picture).text((2, 2), "a", fill="black", font=ImageFont.load_default())
for kind in ("PNG", "JPEG", "WEBP", "TIFF", "GIF"):
    picture.save(buffer := io.BytesIO(), kind)
    assert Image.open(io.BytesIO(buffer.getvalue())).resize((20, 15)).size == (20, 15)
pixels = np.asarray(picture)
done, encoded = cv2.imencode(".jpg", pixels)
assert done
assert cv2.imdecode(encoded, cv2.IMREAD_COLOR).shape == (30, 40, 3)
assert cv2.Canny(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), 50, 100).shape == (30, 40)
assert np.linalg.svd(np.eye(3))[1].sum() == 3
assert handler.lambda_handler({}, None)["statusCode"] == 200
