"""What the error lines of AWS, the loader and Python mean."""
