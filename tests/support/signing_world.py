"""A Sigstore instance in memory: an authority, a log of certificates, a log of signatures.

What it signs is what PyPI serves as provenance (PEP 740). Sources: Fulcio's certificate
specification and OIDs, RFC 6962 for timestamps of certificates, Rekor's `dsse` entries, the
signed note of its checkpoints.
"""

import base64
import datetime as dt
import hashlib
import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
PUBLISH = "https://docs." + "py" + "pi.org/attestations/publish/v1"
_SHA256 = ec.ECDSA(hashes.SHA256())
_FULCIO = "1.3.6.1.4.1.57264.1."
_TIMESTAMPS = ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
_PAYLOAD_TYPE = "application/vnd.in-toto+json"


def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _public(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _id(key: ec.EllipticCurvePrivateKey) -> bytes:
    return hashlib.sha256(_public(key)).digest()


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _der(tag: int, data: bytes) -> bytes:
    size = len(data)
    length = bytes([size]) if size < 0x80 else b"\x82" + struct.pack("!H", size)
    return bytes([tag]) + length + data


def github(repository: str, workflow: str = "release.yml") -> dict[str, str]:
    return {"kind": "GitHub", "repository": repository, "workflow": workflow}


def gitlab(repository: str, path: str = ".gitlab-ci.yml") -> dict[str, str]:
    return {"kind": "GitLab", "repository": repository, "workflow_filepath": path}


def _claims(publisher: Mapping[str, str]) -> dict[int, str]:
    """What the authority writes into a certificate for a job of this publisher."""
    if publisher["kind"] == "GitHub":
        issuer, place = "https://token.actions.githubusercontent.com", "https://github.com/"
        config = f"{publisher['repository']}/.github/workflows/{publisher['workflow']}"
    else:
        issuer = place = "https://gitlab.com"
        place += "/"
        config = f"{publisher['repository']}//{publisher['workflow_filepath']}"
    ref = "refs/tags/v1"
    return {
        8: issuer,
        12: place + publisher["repository"],
        13: "0" * 40,
        14: ref,
        18: f"{place}{config}@{ref}",
    }


@dataclass
class SigningWorld:
    """One instance with its own keys; two of them do not know each other."""

    authority: ec.EllipticCurvePrivateKey = field(default_factory=_key)
    certificates: ec.EllipticCurvePrivateKey = field(default_factory=_key)
    log: ec.EllipticCurvePrivateKey = field(default_factory=_key)

    def __post_init__(self) -> None:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "signing world")])
        self.root = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.authority.public_key())
            .serial_number(1)
            .not_valid_before(START - dt.timedelta(days=365))
            .not_valid_after(START + dt.timedelta(days=3650))
            .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(self.authority.public_key()),
                critical=False,
            )
            .sign(self.authority, hashes.SHA256())
        )

    @property
    def trusted_root(self) -> str:
        """What one has to trust to believe what is signed here."""
        valid = {"start": "2020-01-01T00:00:00Z"}

        def log(key: ec.EllipticCurvePrivateKey) -> dict[str, Any]:
            public = {
                "rawBytes": _b64(_public(key)),
                "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                "validFor": valid,
            }
            log_id = {"keyId": _b64(_id(key))}
            url = "https://log.example"
            return {
                "baseUrl": url,
                "hashAlgorithm": "SHA2_256",
                "publicKey": public,
                "logId": log_id,
            }

        chain = {"certificates": [{"rawBytes": _b64(self.root.public_bytes(Encoding.DER))}]}
        subject = {"organization": "example", "commonName": "signing world"}
        return json.dumps(
            {
                "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
                "tlogs": [log(self.log)],
                "certificateAuthorities": [
                    {"subject": subject, "certChain": chain, "validFor": valid}
                ],
                "ctlogs": [log(self.certificates)],
            }
        )

    def attestation(
        self,
        publisher: Mapping[str, str],
        filename: str,
        sha256: str,
        *,
        predicate: str = PUBLISH,
        late: dt.timedelta = dt.timedelta(minutes=1),
        statement: bytes | None = None,
    ) -> dict[str, Any]:
        """What a job of `publisher` publishes with a file; logged `late` after its certificate."""
        stated = statement or statement_of([(filename, sha256)], predicate)
        key = _key()
        certificate = self._certificate(key, publisher)
        envelope = b"DSSEv1 %d %s %d %s" % (
            len(_PAYLOAD_TYPE), _PAYLOAD_TYPE.encode(), len(stated), stated,
        )  # fmt: skip
        signature = key.sign(envelope, _SHA256)
        return {
            "version": 1,
            "verification_material": {
                "certificate": _b64(certificate.public_bytes(Encoding.DER)),
                "transparency_entries": [self._entry(certificate, stated, signature, late)],
            },
            "envelope": {"statement": _b64(stated), "signature": _b64(signature)},
        }

    def provenance(self, publisher: Mapping[str, str], filename: str, sha256: str) -> bytes:
        """What an index serves for a file with one attestation."""
        return provenance_of((publisher, [self.attestation(publisher, filename, sha256)]))

    def _certificate(
        self, key: ec.EllipticCurvePrivateKey, publisher: Mapping[str, str]
    ) -> x509.Certificate:
        claims = _claims(publisher)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(self.root.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(START)
            .not_valid_after(START + dt.timedelta(minutes=10))
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False
            )
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.authority.public_key()),
                critical=False,
            )
            .add_extension(
                x509.SubjectAlternativeName([x509.UniformResourceIdentifier(claims[18])]),
                critical=True,
            )
        )
        for number, text in claims.items():
            oid = ObjectIdentifier(f"{_FULCIO}{number}")
            value = x509.UnrecognizedExtension(oid, _der(0x0C, text.encode()))
            builder = builder.add_extension(value, critical=False)
        seen = builder.sign(self.authority, hashes.SHA256())
        stamp = x509.UnrecognizedExtension(_TIMESTAMPS, self._timestamps(seen))
        return builder.add_extension(stamp, critical=False).sign(self.authority, hashes.SHA256())

    def _timestamps(self, seen: x509.Certificate) -> bytes:
        """That the log of certificates has seen this one (RFC 6962 §3.2, §3.3)."""
        when = struct.pack("!Q", int(START.timestamp() * 1000))
        body = seen.tbs_certificate_bytes
        entry = b"\0\1" + _id(self.authority) + struct.pack("!I", len(body))[1:] + body
        signature = self.certificates.sign(b"\0\0" + when + entry + b"\0\0", _SHA256)
        stamp = b"\0" + _id(self.certificates) + when + b"\0\0\4\3"
        stamp += struct.pack("!H", len(signature)) + signature
        listed = struct.pack("!H", len(stamp)) + stamp
        return _der(0x04, struct.pack("!H", len(listed)) + listed)

    def _entry(
        self, certificate: x509.Certificate, stated: bytes, signature: bytes, late: dt.timedelta
    ) -> dict[str, Any]:
        """The only entry of the log of signatures, with all proofs of that."""
        verifier = _b64(certificate.public_bytes(Encoding.PEM))
        spec = {
            "envelopeHash": {"algorithm": "sha256", "value": "0" * 64},
            "payloadHash": {"algorithm": "sha256", "value": hashlib.sha256(stated).hexdigest()},
            "signatures": [{"signature": _b64(signature), "verifier": verifier}],
        }
        body = _canonical({"apiVersion": "0.0.1", "kind": "dsse", "spec": spec})
        leaf = hashlib.sha256(b"\0" + body).digest()
        note = f"log.example - 1\n1\n{_b64(leaf)}\n"
        signed = _id(self.log)[:4] + self.log.sign(note.encode(), _SHA256)
        when = int((START + late).timestamp())
        promised = _canonical(
            {
                "body": _b64(body),
                "integratedTime": when,
                "logID": _id(self.log).hex(),
                "logIndex": 0,
            }
        )
        return {
            "logIndex": "0",
            "logId": {"keyId": _b64(_id(self.log))},
            "kindVersion": {"kind": "dsse", "version": "0.0.1"},
            "integratedTime": str(when),
            "inclusionPromise": {"signedEntryTimestamp": _b64(self.log.sign(promised, _SHA256))},
            "inclusionProof": {
                "logIndex": "0",
                "rootHash": _b64(leaf),
                "treeSize": "1",
                "hashes": [],
                "checkpoint": {"envelope": f"{note}\n\u2014 log.example {_b64(signed)}\n"},
            },
            "canonicalizedBody": _b64(body),
        }


def statement_of(subjects: Sequence[tuple[str, str]], predicate: str = PUBLISH) -> bytes:
    """An in-toto statement about files, (name, sha256) each."""
    return json.dumps(
        {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": name, "digest": {"sha256": sha256}} for name, sha256 in subjects],
            "predicateType": predicate,
            "predicate": None,
        }
    ).encode()


def provenance_of(*bundles: tuple[Mapping[str, Any], Sequence[Mapping[str, Any]]]) -> bytes:
    """A provenance of bundles: who, and the attestations that are said to be theirs."""
    rows = [{"publisher": dict(who), "attestations": list(what)} for who, what in bundles]
    return json.dumps({"version": 1, "attestation_bundles": rows}).encode()


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _canonical(value: object) -> bytes:
    """RFC 8785, for the plain values here."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
