"""lpack: the smallest AWS Lambda artifact of a Python project that provably works."""

__version__ = "0.1.0"
