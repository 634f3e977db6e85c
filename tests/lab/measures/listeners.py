"""Tries how each TCP listener of a host speaks. A program of its own, run in the host's network: reads one JSON list of addresses and
ports, writes for each what was found.
"""

import json
import socket
import ssl
import struct
import sys
import warnings

SECONDS = 5
POSTGRESQL = 5432
# Without forward secrecy, or without authenticated encryption.
WEAK = "ALL:!AESGCM:!CHACHA20:!AESCCM:!eNULL:@SECLEVEL=0"


def connect(address: str, port: int) -> socket.socket:
    plain = socket.create_connection((address, port), SECONDS)
    plain.settimeout(SECONDS)
    if port == POSTGRESQL:
        plain.sendall(struct.pack("!II", 8, 80877103))
        if plain.recv(1) != b"S":
            raise OSError("PostgreSQL does not offer TLS")
    return plain


def handshake(address: str, port: int, least, most, ciphers: str = "") -> tuple[str, str]:
    """(version, cipher) of a handshake, or what went wrong instead."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        context.minimum_version, context.maximum_version = least, most
    if ciphers:
        context.set_ciphers(ciphers)
    try:
        with connect(address, port) as plain, context.wrap_socket(plain) as stream:
            return stream.version() or "", stream.cipher()[0]
    except (OSError, ssl.SSLError) as error:
        return "", str(error)


def redirects(address: str) -> str:
    with socket.create_connection((address, 80), SECONDS) as plain:
        plain.sendall(b"GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        return plain.recv(200).split(b"\r\n")[0].decode(errors="replace")


def answers_without_tls(address: str, port: int) -> bool:
    """Whether PostgreSQL lets somebody in, or asks for a password, who does not want TLS."""
    body = struct.pack("!I", 196608) + b"user\0kinora_application\0database\0kinora\0\0"
    with socket.create_connection((address, port), SECONDS) as plain:
        plain.sendall(struct.pack("!I", len(body) + 4) + body)
        return plain.recv(1) == b"R"


def main() -> None:
    versions = ssl.TLSVersion
    found = []
    for address, port in json.load(sys.stdin):
        entry = {"address": address, "port": port}
        if port == 80:
            entry["redirect"] = redirects(address)
        else:
            entry["version"], entry["cipher"] = handshake(address, port, versions.TLSv1_2, versions.TLSv1_3)
            entry["old"] = handshake(address, port, versions.TLSv1, versions.TLSv1_1, "ALL:@SECLEVEL=0")[0]
            entry["weak"] = handshake(address, port, versions.TLSv1_2, versions.TLSv1_2, WEAK)[0]
            entry["plain"] = port == POSTGRESQL and answers_without_tls(address, port)
        found.append(entry)
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
