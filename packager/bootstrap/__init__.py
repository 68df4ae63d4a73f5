"""What lpack puts beside a function's code, to run inside Lambda."""
