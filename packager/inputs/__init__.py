"""Text and folders of the user's project become values."""
