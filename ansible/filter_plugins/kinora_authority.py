"""Secrets and certificates of the installation, made on the controller.

Pure functions but for the random numbers, tested by ansible/tests. Nothing here touches a file: the role `authority`
keeps what is made in the inventory's Ansible Vault file and on the hosts.
"""

import base64
import datetime
import hashlib
import ipaddress
import secrets
import string

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PASSWORDS = (
    "database_replication_password",
    "database_rewind_password",
    "database_owner_password",
    "database_application_password",
    "database_backend_password",
    "database_copy_password",
    "broker_backend_password",
    "broker_worker_password",
    "redis_application_password",
    "redis_backend_password",
    "redis_replication_password",
    "redis_sentinel_password",
    "patroni_rest_password",
)
# Access tokens of Kinora's own API (services/store/src/token_text.rs).
TOKENS = ("canary_token",)
# Changing these is more than putting a new value in place, see docs/operations/rotate-secrets.md.
LASTING = ("broker_erlang_cookie", "backup_cipher_passphrase")
KEYS = ("vault_master_key", "session_key")
AUTHORITIES = ("kinora", "cluster")
RENEWED_BY_NAME = ("session_key",)

AUTHORITY_DAYS = 3650
HOST_DAYS = 398
RENEW_DAYS = 30
# Groups whose hosts are members of the cluster that elects the database's primary.
CLUSTER_GROUPS = {"backends", "databases"}
BACKDATE = datetime.timedelta(minutes=5)


class AuthorityError(Exception):
    """A request that cannot be fulfilled; the text says what to change."""


def now():
    return datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)


def complete_vault(vault, rotate=()):
    """The vault with everything in it: what is missing is made, what `rotate` names is made anew."""
    made = dict(vault or {})
    unknown = set(rotate) - set(rotatable())
    if unknown:
        raise AuthorityError(f"cannot rotate {', '.join(sorted(unknown))}; there are {', '.join(rotatable())}")
    for name in (*PASSWORDS, *LASTING):
        if name not in made or name in rotate:
            made[name] = secrets.token_hex(24)
    for name in TOKENS:
        if name not in made or name in rotate:
            made[name] = access_token()
    for name in KEYS:
        if name not in made or name in rotate:
            made[name] = base64.b64encode(secrets.token_bytes(32)).decode()
    for name in AUTHORITIES:
        if f"{name}_ca_key" not in made:
            key, certificate = make_authority(name)
            made[f"{name}_ca_key"], made[f"{name}_ca_cert"] = key, certificate
    return made


def rotatable(vault=None):
    """Secrets that rotate-secrets can change; given a vault, those it changes unless it is told which."""
    if vault is not None:
        return sorted((*PASSWORDS, *TOKENS))
    return sorted((*PASSWORDS, *TOKENS, *RENEWED_BY_NAME))


def access_token(body=None):
    """A token as Kinora's API takes it: prefix, 256 random bits, and characters that tell a mistyped one."""
    letters = string.digits + string.ascii_uppercase + string.ascii_lowercase
    body = body or "".join(secrets.choice(letters) for _ in range(43))
    check = "".join(letters[byte % 62] for byte in hashlib.sha256(f"kinora token check {body}".encode()).digest()[:6])
    return f"kinora_{body}{check}"


def make_authority(name, at=None):
    """Key and certificate (PEM) of an authority of its own."""
    key = ec.generate_private_key(ec.SECP256R1())
    # The serial keeps two installations apart in a browser that trusts both.
    subject = x509.Name([
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Kinora"),
        x509.NameAttribute(NameOID.COMMON_NAME, f"Kinora {name} authority {secrets.token_hex(4)}"),
    ])
    at = at or now()
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - BACKDATE)
        .not_valid_after(at + datetime.timedelta(days=AUTHORITY_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs=True), critical=True)
        .add_extension(identifier, critical=False)
        .sign(key, hashes.SHA256())
    )
    return _pem(key), _pem(certificate)


def _key_usage(signs):
    return x509.KeyUsage(
        digital_signature=not signs, key_cert_sign=signs, crl_sign=signs, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )


def _pem(item):
    if isinstance(item, x509.Certificate):
        return item.public_bytes(serialization.Encoding.PEM).decode()
    return item.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()


def issue(authority_key, authority_certificate, subject, names, addresses, at=None, key=None):
    """Key and certificate (PEM) for a host, for both ends of a connection; `key` is kept if there is one."""
    signer = serialization.load_pem_private_key(authority_key.encode(), None)
    issuer = x509.load_pem_x509_certificate(authority_certificate.encode())
    at = at or now()
    # Nothing outlives its authority.
    # Counted from the beginning that it says: browsers take no longer ones.
    ends = min(at - BACKDATE + datetime.timedelta(days=HOST_DAYS), _ends(issuer))
    key = serialization.load_pem_private_key(key.encode(), None) if key else ec.generate_private_key(ec.SECP256R1())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject[:64])]))
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - BACKDATE)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(_alternative_names(names, addresses), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .sign(signer, hashes.SHA256())
    )
    return _pem(key), _pem(certificate)


def _alternative_names(names, addresses):
    entries = [x509.DNSName(name) for name in dict.fromkeys(names)]
    entries += [x509.IPAddress(ipaddress.ip_address(address)) for address in dict.fromkeys(addresses)]
    return x509.SubjectAlternativeName(entries)


def _ends(certificate):
    # `not_valid_after_utc` came with cryptography 42; Debian 12 has 38.
    try:
        return certificate.not_valid_after_utc
    except AttributeError:
        return certificate.not_valid_after.replace(tzinfo=datetime.timezone.utc)


def days_left(certificate, at=None):
    """Whole days until a certificate (PEM) ends; negative after it."""
    return (_ends(x509.load_pem_x509_certificate(certificate.encode())) - (at or now())).days


def reason_to_issue(key, certificate, authority_certificate, names, addresses, at=None):
    """Why what the host has must be replaced; empty if it is as it should be."""
    if not key or not certificate:
        return "is not there yet"
    try:
        held = x509.load_pem_x509_certificate(certificate.encode())
        own = serialization.load_pem_private_key(key.encode(), None).public_key()
        issuer = x509.load_pem_x509_certificate(authority_certificate.encode())
        wanted = {str(entry.value) for entry in _alternative_names(names, addresses)}
        carried = held.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        if held.public_key().public_numbers() != own.public_numbers():
            return "does not belong to its key"
        issuer.public_key().verify(held.signature, held.tbs_certificate_bytes, ec.ECDSA(held.signature_hash_algorithm))
    except InvalidSignature:
        return "is from another authority"
    except (ValueError, TypeError, AttributeError, x509.ExtensionNotFound):
        return "cannot be read"
    if {str(entry.value) for entry in carried} != wanted:
        return "has other names or addresses"
    left = (_ends(held) - (at or now())).days
    return f"ends in {left} days" if left < RENEW_DAYS else ""


def usable_key(text):
    """The key (PEM) if it is one that we would make, else nothing."""
    try:
        key = serialization.load_pem_private_key((text or "").encode(), None)
    except (ValueError, TypeError):
        return ""
    return text if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1) else ""


def host_files(vault, fleet, host, present, public=None, renew=False, new_keys=False):
    """What must be written on a host: {files, contents, reasons, days}.

    `present` is name → content of what lies in /etc/kinora/tls; `public` has `name`, `addresses` and, if the customer has one,
    `certificate` and `key` for the load balancers' public side. `renew` replaces all certificates
    that we issue, `new_keys` their keys too.
    """
    mine = fleet["hosts"][host]
    own_names = [host, *mine["names"].values(), "localhost"]
    own_addresses = [address for zone in mine["addresses"].values() for address in zone.values()] + ["127.0.0.1", "::1"]
    issued = [("host", "kinora", host, own_names, own_addresses)]
    wanted = {"authorities.pem": vault["kinora_ca_cert"]}
    if CLUSTER_GROUPS & set(mine["groups"]):
        issued.append(("cluster", "cluster", host, own_names, own_addresses))
        wanted["cluster-authorities.pem"] = vault["cluster_ca_cert"]
    if "load_balancers" in mine["groups"]:
        if public.get("certificate"):
            check_public(public)
            wanted["public.pem"], wanted["public.key"] = public["certificate"], public["key"]
        else:
            issued.append(("public", "kinora", public["name"], [public["name"]], public["addresses"]))
    reasons = []
    for name, authority, subject, names, addresses in issued:
        certificate = vault[f"{authority}_ca_cert"]
        why = reason_to_issue(present.get(f"{name}.key"), present.get(f"{name}.pem"), certificate, names, addresses)
        why = why or ("was asked to be renewed" if renew or new_keys else "")
        if why:
            reasons.append(f"{name}.pem {why}")
            # A service need only be reloaded, not restarted, for a new certificate of the key it holds.
            key = "" if new_keys else usable_key(present.get(f"{name}.key"))
            wanted[f"{name}.key"], wanted[f"{name}.pem"] = issue(vault[f"{authority}_ca_key"], certificate, subject, names, addresses, key=key)
        else:
            wanted[f"{name}.key"], wanted[f"{name}.pem"] = present[f"{name}.key"], present[f"{name}.pem"]
    files = [
        {"path": f"/etc/kinora/tls/{name}", "content": content, "mode": "0600" if name.endswith(".key") else "0644"}
        for name, content in sorted(wanted.items())
    ]
    days = {name: days_left(content) for name, content in wanted.items() if name.endswith(".pem")}
    return {"files": files, "contents": wanted, "reasons": reasons, "days": days}


def check_public(public):
    """The customer's certificate is for the public name, belongs to its key and holds."""
    try:
        certificate = x509.load_pem_x509_certificate(public["certificate"].encode())
        key = serialization.load_pem_private_key(public["key"].encode(), None)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)
    except (KeyError, ValueError, TypeError, x509.ExtensionNotFound) as error:
        raise AuthorityError(f"kinora_public_certificate or its key cannot be read as PEM with alternative names: {error}") from error
    if certificate.public_key() != key.public_key():
        raise AuthorityError("kinora_public_certificate does not belong to kinora_public_certificate_key")
    wild = "*." + public["name"].partition(".")[2]
    if public["name"] not in names and wild not in names:
        raise AuthorityError(f"kinora_public_certificate is for {', '.join(names)}, not for {public['name']}")
    if _ends(certificate) <= now():
        raise AuthorityError(f"kinora_public_certificate ended on {_ends(certificate):%Y-%m-%d}; get a new one from who issued it")
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise AuthorityError("kinora_public_certificate has no ECDSA key; ask for one with P-256: load balancers offer nothing else")


def public_problems(certificate, key, name):
    """What preflight says of the customer's certificate, if there is one: [{host, what, do}]."""
    try:
        if certificate or key:
            check_public({"certificate": certificate, "key": key, "name": name})
    except AuthorityError as error:
        return [{"host": "inventory", "what": str(error), "do": "put it right, or take both out for a certificate of the installation's own authority"}]
    return []


def public_notes(certificate):
    """What preflight says of the public certificate although nothing is wrong with it: sentences."""
    if certificate:
        return []
    return [
        "kinora_public_certificate is not set: people get a certificate of the installation's own authority, which their browsers"
        " have to be told of. With one of a public authority they need not be: docs/operations/renew-certificates.md"
    ]


def parse_present(text):
    """Output of the role's reading of /etc/kinora/tls (`== NAME` before each file) → name → content."""
    present, name = {}, None
    for line in text.splitlines():
        if line.startswith("== "):
            name = line[3:]
            present[name] = ""
        elif name:
            present[name] += line + "\n"
    return present


class FilterModule:
    """Gives the functions to Ansible's templates."""

    def filters(self):
        return {
            "kinora_complete_vault": complete_vault,
            "kinora_host_files": host_files,
            "kinora_parse_present": parse_present,
            "kinora_public_notes": public_notes,
            "kinora_public_problems": public_problems,
            "kinora_days_left": days_left,
            "kinora_rotatable": rotatable,
        }
