"""Values become text and JSON."""
