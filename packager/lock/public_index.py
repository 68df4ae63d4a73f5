"""Which servers belong to the public package index, so that telling them tells nothing."""


def public_hosts() -> frozenset[str]:
    """Return the hosts of the index that pip asks when nobody configured one, and of its files.

    Only pip knows them. A pip that no longer tells makes every server a private one.
    """
    try:
        from pip._internal.models.index import PyPI  # noqa: PLC0415 -- hardly ever asked for
    except ImportError:
        return frozenset()
    return frozenset({PyPI.netloc, PyPI.file_storage_domain})


def default_index() -> str | None:
    """Return the URL of the index that pip asks when nobody configured one, if it tells."""
    try:
        from pip._internal.models.index import PyPI  # noqa: PLC0415 -- hardly ever asked for
    except ImportError:
        return None
    return str(PyPI.simple_url)
