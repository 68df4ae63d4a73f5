"""Bytes, shares and limits of a bundle."""
