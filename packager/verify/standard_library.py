"""Which modules came to the standard library and left it, by minor version of Python. Data.

Sources: the "What's New" pages of Python 3.9 to 3.14 and PEP 594; checked against
`sys.stdlib_module_names` of the interpreters.
"""

_GONE = {
    (3, 10): "formatter parser symbol",
    (3, 11): "binhex",
    (3, 12): "asynchat asyncore distutils imp smtpd",
    (3, 13): (
        "aifc audioop cgi cgitb chunk crypt imghdr lib2to3 mailcap msilib nis nntplib "
        "ossaudiodev pipes sndhdr spwd sunau telnetlib uu xdrlib"
    ),
}
_NEW = {
    (3, 9): "graphlib zoneinfo",
    (3, 11): "tomllib",
    (3, 14): "annotationlib compression",
}
_GONE_BY_NAME = {name: version for version, names in _GONE.items() for name in names.split()}
_NEW_BY_NAME = {name: version for version, names in _NEW.items() for name in names.split()}


def gone_since(module: str) -> tuple[int, int] | None:
    """Return the first version without the top-level `module`; None for all others."""
    return _GONE_BY_NAME.get(module)


def new_in(module: str) -> tuple[int, int] | None:
    """Return the first version with the top-level `module`; None for older and unknown ones."""
    return _NEW_BY_NAME.get(module)
