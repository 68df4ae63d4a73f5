"""Container images on a registry or in a layout: pulled, proven and pushed without an engine."""
