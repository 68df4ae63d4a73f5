"""Wheels arrive, are verified once and are kept in the store."""
