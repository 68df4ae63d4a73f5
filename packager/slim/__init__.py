"""A verified wheel becomes a payload: exactly the streams that ship."""
