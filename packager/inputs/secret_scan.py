"""Files that look like secrets, by their names and by what small text files hold.

A secret in an artifact can be read by everybody who can read the function, so lpack refuses to
ship one that was not allowed by name, instead of leaving it out (which would break code that
reads it) or shipping it.
"""

import re

SCANNED_BYTES = 262_144
"""Larger files are not looked into: secrets in source code stand in small files."""

CERTIFICATE_BYTES = 4_194_304
"""Bundles of certificates are read up to here, because only the content can clear them."""

FOLDERS = frozenset({".aws", ".ssh", ".gnupg", ".azure", ".gcloud"})

_NAMES = r"""
    \.env(?:\..+|rc)? | .+\.env | \.netrc | _netrc | \.pypirc | \.npmrc | \.pgpass | \.htpasswd
    | \.git-credentials | \.dockercfg | .+\.(?:pem|key|p12|pfx|jks|keystore|kdbx|ppk)
    | id_(?:rsa|dsa|ecdsa|ed25519)(?:\..+)? | .+\.tfstate(?:\.backup)? | .*\.tfvars
    | (?:aws[-_])?credentials | credentials.*\.json | client_secret.*\.json
    | service[-_]account.*\.json
    """
# Every name above holds one of these: looking for them spares most builds the expressions.
_FRAGMENTS = (
    "env", "rc", "pgpass", "htpasswd", "credentials", "dockercfg", ".pem", ".key", ".p12", ".pfx",
    ".jks", ".keystore", ".kdbx", ".ppk", "id_", ".tfstate", ".tfvars", "client_secret", "account",
)  # fmt: skip
# Templates of `.env` files hold names without values; public keys and code are no secrets.
_HARMLESS = r"(?:\.env|.+\.env)\.(?:example|sample|template|dist|defaults?)|.+\.pub"
_CODE = (".py", ".pyi", ".so")
# Of these names, some hold only public certificates: the content decides.
_CERTIFICATES = (".pem", ".key")
_ANY_BLOCK = rb"-----BEGIN ([A-Z0-9 ]+)-----"
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

_AWS_SECRET = (
    rb"(?i:aws_secret_access_key)[\"']?\s*[=:]\s*[\"']?"
    rb"(?=[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+]))(?![A-Za-z0-9/+]{0,33}EXAMPLE)"
)
# The key itself must follow, at most after the headers of RFC 1421 and the ends of lines (as text
# or as escapes): the words alone stand in much code that reads keys.
_PRIVATE_KEY = (
    rb"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----(?:\\[nr]|[\s\"'+,\\])*"
    rb"(?:(?:Proc-Type|DEK-Info|Version|Comment):[^\0]{0,200}?)?[A-Za-z0-9+/]{32}"
)
# The literal is looked for first, because that costs nothing; then the expression decides.
_CONTENTS = (
    # The documentation's own key ends in EXAMPLE.
    (b"AKIA", rb"\bAKIA(?![0-9A-Z]{9}EXAMPLE)[0-9A-Z]{16}\b", "an AWS access key"),
    (
        b"PRIVATE KEY",
        _PRIVATE_KEY,
        "a private key",
    ),
    (b"aws_secret_access_key", _AWS_SECRET, "an AWS secret key"),
    (b"AWS_SECRET_ACCESS_KEY", _AWS_SECRET, "an AWS secret key"),
    (b"ghp_", rb"\bghp_[A-Za-z0-9]{36}", "a GitHub token"),
    (b"github_pat_", rb"\bgithub_pat_[A-Za-z0-9_]{40}", "a GitHub token"),
    (b"glpat-", rb"\bglpat-[A-Za-z0-9_-]{20}", "a GitLab token"),
    (b"xox", rb"\bxox[abprs]-[0-9]{6,}[0-9A-Za-z-]{10}", "a Slack token"),
    (b"_live_", rb"\b[sr]k_live_[0-9A-Za-z]{24}", "a Stripe key"),
)


def name_of_secret(name: str) -> bool:
    """Tell whether a file of this name is taken to be a secret, unless its content clears it."""
    lower = name.lower()
    if name.endswith(_CODE) or not any(fragment in lower for fragment in _FRAGMENTS):
        return False
    if not re.fullmatch(_NAMES, name, re.VERBOSE | re.IGNORECASE):
        return False
    return not re.fullmatch(_HARMLESS, name, re.IGNORECASE)


def content_decides(name: str) -> bool:
    """Tell whether a suspicious name may be cleared by content: certificates without a key."""
    return name.lower().endswith(_CERTIFICATES)


def is_public_certificate(data: bytes) -> bool:
    """Tell whether PEM text holds blocks and all of them are public (RFC 7468)."""
    blocks = set(re.findall(_ANY_BLOCK, data))
    return bool(blocks) and blocks <= _PUBLIC_BLOCKS and b"PRIVATE KEY" not in data


def secret_in(data: bytes) -> str | None:
    """Name what secret a small text file holds, or None; binary content is not looked at."""
    if b"\0" in data[:1024]:
        return None
    for literal, expression, title in _CONTENTS:
        if literal in data and re.search(expression, data):
            return title
    return None
