"""Certificates made on the spot, for a broker of this machine and its clients: no openssl, no ceremony.

    authority = Authority.create(folder)              # ca.pem
    broker = authority.issue("broker", hosts=HOSTS)   # broker.pem: its key and its certificate
    client = authority.issue("inference-gateway")     # known to the broker as User:inference-gateway

Elliptic curve P-256 throughout. A file that holds a key is readable by its owner alone. The authority's
own key is written nowhere: once this process ends, nobody can sign in its name.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ekiben_bus.brokers.private import write_private

RENEWED_BEFORE = timedelta(days=30)
"""The end of a certificate."""
LOOPBACK = ("127.0.0.1", "localhost")
"""The hosts that a broker of this machine is reached by."""
_DAY = timedelta(days=1)
_SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Authority:
    """Whom broker and clients trust: a certificate in `certfile`, and the key to sign others with."""

    certfile: Path
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def create(cls, folder: Path, name: str = "ca", *, valid_for: timedelta = 3650 * _DAY) -> Authority:
        """A new one; its certificate is written to `{name}.pem`, its key nowhere."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _named(f"Ekiben {name}")
        builder = (
            _builder(subject, subject, key.public_key(), datetime.now(UTC), valid_for)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )
        certificate = builder.sign(key, hashes.SHA256())
        folder.mkdir(parents=True, exist_ok=True)
        certfile = folder / f"{name}.pem"
        certfile.write_bytes(certificate.public_bytes(Encoding.PEM))
        return cls(certfile, certificate, key)

    def issue(
        self,
        name: str,
        *,
        hosts: Sequence[str] = (),
        valid_from: datetime | None = None,
        valid_for: timedelta = 825 * _DAY,
        key_password: str | None = None,
    ) -> Path:
        """Certify a new key; both are written to `{name}.pem` beside the authority's certificate.

        Args:
            name: the common name: of a client, its principal.
            hosts: what a server is reached by, names and addresses.
            valid_from: now, unless given.
            key_password: encrypts the key in the file.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        started = valid_from or datetime.now(UTC)
        builder = (
            _builder(_named(name), self.certificate.subject, key.public_key(), started, valid_for)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]),
                critical=False,
            )
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False
            )
        )
        if hosts:
            names = x509.SubjectAlternativeName([_alternative(host) for host in hosts])
            builder = builder.add_extension(names, critical=False)
        certificate = builder.sign(self.key, hashes.SHA256())
        encryption = BestAvailableEncryption(key_password.encode()) if key_password else NoEncryption()
        path = self.certfile.with_name(f"{name}.pem")
        write_private(
            path,
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
            + certificate.public_bytes(Encoding.PEM),
        )
        return path


def still_serve(authority: Path, keystore: Path, *, now: datetime) -> bool:
    """Whether a broker can start with these files: they are whole, belong together, and do not end soon."""
    try:
        signer = x509.load_pem_x509_certificate(authority.read_bytes())
        content = keystore.read_bytes()
        load_pem_private_key(content, password=None)
        certificate = x509.load_pem_x509_certificate(content)
        certificate.verify_directly_issued_by(signer)
    except (OSError, ValueError, InvalidSignature):
        return False
    ends = min(each.not_valid_after_utc for each in (signer, certificate))
    return now + RENEWED_BEFORE < ends


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    started: datetime,
    valid_for: timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(started - _SKEW)
        .not_valid_after(started + valid_for)
    )


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


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
