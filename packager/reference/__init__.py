"""The slow way to an artifact, with the standard library: what the fast way is held against."""
