"""Which certificate each TLS listener of a host shows. A program of its own, run in the host's network: reads one JSON list of
addresses and ports, writes `address port` → SHA-256 of the certificate. What speaks no TLS is left out.
"""

import hashlib
import json
import ssl
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from listeners import connect  # noqa: E402


def shown(address: str, port: int) -> str | None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with connect(address, port) as plain, context.wrap_socket(plain) as stream:
            return hashlib.sha256(stream.getpeercert(binary_form=True)).hexdigest()
    except OSError:
        return None


def main() -> None:
    found = {f"{address} {port}": shown(address, port) for address, port in json.load(sys.stdin)}
    json.dump({place: digest for place, digest in found.items() if digest}, sys.stdout)


if __name__ == "__main__":
    main()
