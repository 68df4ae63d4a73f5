"""Reads artifacts that lpack may never have seen: what is in them, and whose it is."""
