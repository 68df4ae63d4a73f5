"""Written artifacts are held against what was claimed of them."""
