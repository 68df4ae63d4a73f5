"""Files that look like secrets, by their names and by what small text files hold.

A secret in an artifact can be read by everybody who can read the function, so lpack refuses to
ship one that was not allowed by name, instead of leaving it out (which would break code that
reads it) or shipping it.
"""

import re

SCANNED_BYTES = 262_144
"""Larger files are not looked into: secrets in source code stand in small files."""

FOLDERS = frozenset({".aws", ".ssh", ".gnupg", ".azure", ".gcloud"})

_NAMES = re.compile(
    r"""
    \.env(?:\..+|rc)? | .+\.env | \.netrc | _netrc | \.pypirc | \.npmrc | \.pgpass | \.htpasswd
    | \.git-credentials | \.dockercfg | .+\.(?:pem|key|p12|pfx|jks|keystore|kdbx|ppk)
    | id_(?:rsa|dsa|ecdsa|ed25519)(?:\..+)? | .+\.tfstate(?:\.backup)? | .*\.tfvars
    | (?:aws[-_])?credentials | credentials.*\.json | client_secret.*\.json
    | service[-_]account.*\.json
    """,
    re.VERBOSE | re.IGNORECASE,
)
# Templates of `.env` files hold names without values; public keys and code are no secrets.
_HARMLESS = re.compile(
    r"(?:\.env|.+\.env)\.(?:example|sample|template|dist|defaults?)|.+\.pub|.+\.pyi?",
    re.IGNORECASE,
)
# Of these names, some hold only public certificates: the content decides.
_CERTIFICATES = (".pem", ".key")
_PRIVATE_BLOCK = re.compile(rb"-----BEGIN [A-Z0-9 ]*PRIVATE KEY")
_ANY_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----")
_PUBLIC_BLOCKS = frozenset(
    {
        b"CERTIFICATE",
        b"TRUSTED CERTIFICATE",
        b"X509 CRL",
        b"PUBLIC KEY",
        b"RSA PUBLIC KEY",
        b"CERTIFICATE REQUEST",
        b"DH PARAMETERS",
        b"EC PARAMETERS",
    }
)

# The literal is looked for first, because that costs nothing; then the expression decides.
_CONTENTS = (
    # The documentation's own key ends in EXAMPLE.
    (b"AKIA", re.compile(rb"\bAKIA(?![0-9A-Z]{9}EXAMPLE)[0-9A-Z]{16}\b"), "an AWS access key"),
    (
        b"PRIVATE KEY",
        re.compile(
            rb"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----[^\0]{0,200}?[A-Za-z0-9+/]{32}"
        ),
        "a private key",
    ),
    (
        b"aws_secret_access_key",
        re.compile(
            rb"aws_secret_access_key[\"']?\s*[=:]\s*[\"']?(?=[A-Za-z0-9/+]{40}\b)(?![A-Za-z0-9/+]{0,33}EXAMPLE)"
        ),
        "an AWS secret key",
    ),
    (b"ghp_", re.compile(rb"\bghp_[A-Za-z0-9]{36}"), "a GitHub token"),
    (b"github_pat_", re.compile(rb"\bgithub_pat_[A-Za-z0-9_]{40}"), "a GitHub token"),
    (b"glpat-", re.compile(rb"\bglpat-[A-Za-z0-9_-]{20}"), "a GitLab token"),
    (b"xox", re.compile(rb"\bxox[abprs]-[0-9]{6,}[0-9A-Za-z-]{10}"), "a Slack token"),
    (b"_live_", re.compile(rb"\b[sr]k_live_[0-9A-Za-z]{24}"), "a Stripe key"),
)


def name_of_secret(name: str) -> bool:
    """Tell whether a file of this name is taken to be a secret, unless its content clears it."""
    return _NAMES.fullmatch(name) is not None and _HARMLESS.fullmatch(name) is None


def content_decides(name: str) -> bool:
    """Tell whether a suspicious name may be cleared by content: certificates without a key."""
    return name.lower().endswith(_CERTIFICATES)


def is_public_certificate(data: bytes) -> bool:
    """Tell whether PEM text holds blocks and all of them are public (RFC 7468)."""
    blocks = set(_ANY_BLOCK.findall(data))
    return bool(blocks) and blocks <= _PUBLIC_BLOCKS and not _PRIVATE_BLOCK.search(data)


def secret_in(data: bytes) -> str | None:
    """Name what secret a small text file holds, or None; binary content is not looked at."""
    if b"\0" in data[:1024]:
        return None
    for literal, expression, title in _CONTENTS:
        if literal in data and expression.search(data):
            return title
    return None
