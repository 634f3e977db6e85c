"""A log collector for the lab: syslog over TLS (RFC 5425) as a SIEM takes it. A program of its own, beside outside.py.

    collector.py --port 6514 --certificate FILE --key FILE --directory DIRECTORY

Frames are counted in octets. What is no RFC 5424 header with a JSON message ends it: that is a finding. The messages are lines of
`messages` in the directory.
"""

import argparse
import json
import re
import socketserver
import ssl
from pathlib import Path

# PRI, version, timestamp, host, application, process, message id, structured data, message.
HEADER = re.compile(rb"<(\d{1,3})>1 (\S+) (\S+) (\S+) (\S+) (\S+) (-|\[.*?\]) (.*)", re.DOTALL)


def parse(frame: bytes) -> dict:
    """Header and message of a frame."""
    match = HEADER.fullmatch(frame)
    if not match:
        raise ValueError(f"no RFC 5424: {frame[:200]!r}")
    priority, at, host, application = (part.decode() for part in match.groups()[:4])
    return {"priority": int(priority), "at": at, "host": host, "application": application, **json.loads(match[8])}


def frames(stream):
    """Frames of a stream: a count, a space, and so many octets."""
    while True:
        count = b""
        while (octet := stream.read(1)) != b" ":
            if not octet:
                return
            count += octet
        yield stream.read(int(count))


class Connection(socketserver.StreamRequestHandler):
    """One sender."""

    def handle(self) -> None:
        for frame in frames(self.rfile):
            try:
                line = json.dumps(parse(frame))
            except ValueError as problem:
                line = json.dumps({"problem": str(problem)})
            with open(self.server.directory / "messages", "a", encoding="utf-8") as file:
                file.write(f"{line}\n")


class Collector(socketserver.ThreadingTCPServer):
    """Takes connections that speak TLS."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port: int, context: ssl.SSLContext, directory: Path) -> None:
        self.context, self.directory = context, directory
        super().__init__(("0.0.0.0", port), Connection)

    def get_request(self):
        connection, address = super().get_request()
        return self.context.wrap_socket(connection, server_side=True), address

    def handle_error(self, request, client_address) -> None:
        """A connection that breaks is the sender's to repeat."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--certificate", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--directory", type=Path, required=True)
    options = parser.parse_args()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options.certificate, options.key)
    with Collector(options.port, context, options.directory) as server:
        print("collector ready", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
