"""Payloads and the user's code become artifacts."""
