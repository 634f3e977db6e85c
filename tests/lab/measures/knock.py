"""Knocks at services with accounts: signs in, and tries what the account should not be able to do. A program of its own, run in a
host's network: reads one JSON order, writes one JSON report. Secrets come by standard input and are written nowhere.

Each try ends as `admitted`, `refused` (the service said no, at TLS or at the login) or `unreachable` (no connection came about).
"""

import base64
import contextlib
import hashlib
import hmac
import http.client
import json
import os
import secrets
import socket
import ssl
import struct
import sys
from concurrent.futures import ThreadPoolExecutor

CONNECT_SECONDS = 1.5
ANSWER_SECONDS = 10


class Refused(Exception):
    """The service does not want this account."""


class Unreachable(Exception):
    """There was no connection."""


@contextlib.contextmanager
def in_memory(text: str):
    """A file that nobody else has, for ssl.load_cert_chain."""
    descriptor = os.memfd_create("key")
    try:
        os.write(descriptor, text.encode())
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)


def context(attempt: dict) -> ssl.SSLContext:
    made = ssl.create_default_context(cadata=attempt["authorities"])
    if attempt.get("certificate"):
        with in_memory(attempt["certificate"]) as certificate, in_memory(attempt["key"]) as key:
            made.load_cert_chain(certificate, key)
    return made


def connect(attempt: dict) -> socket.socket:
    try:
        connection = socket.create_connection((attempt["address"], attempt["port"]), CONNECT_SECONDS)
    except OSError as error:
        raise Unreachable(str(error)) from error
    connection.settimeout(ANSWER_SECONDS)
    return connection


def secured(attempt: dict, connection: socket.socket | None = None) -> ssl.SSLSocket:
    connection = connection or connect(attempt)
    try:
        return context(attempt).wrap_socket(connection, server_hostname=attempt["name"])
    except (ssl.SSLError, OSError) as error:
        connection.close()
        raise Refused(f"TLS: {error}") from error


def exactly(stream, count: int) -> bytes:
    data = b""
    try:
        while len(data) < count:
            part = stream.recv(count - len(data))
            if not part:
                raise Refused("the service closed the connection")
            data += part
    except (ssl.SSLError, OSError) as error:
        raise Refused(f"TLS: {error}") from error
    return data


# --- PostgreSQL --------------------------------------------------------------------------------------------------


class PostgreSQL:
    def __init__(self, attempt: dict) -> None:
        connection = connect(attempt)
        connection.sendall(struct.pack("!II", 8, 80877103))
        if exactly(connection, 1) != b"S":
            connection.close()
            raise Refused("no TLS")
        self._stream = secured(attempt, connection)
        parameters = ["user", attempt["user"], "database", attempt.get("database", "kinora")]
        if attempt.get("replication"):
            parameters += ["replication", "true"]
        body = struct.pack("!I", 196608) + b"".join(text.encode() + b"\0" for text in parameters) + b"\0"
        self._stream.sendall(struct.pack("!I", len(body) + 4) + body)
        self._sign_in(attempt)

    def _sign_in(self, attempt: dict) -> None:
        while True:
            kind, body = self._message()
            if kind == b"E":
                raise Refused(self._error(body))
            if kind == b"Z":
                return
            if kind != b"R":
                continue
            step = struct.unpack_from("!I", body)[0]
            if step == 10:
                nonce = base64.b64encode(secrets.token_bytes(18)).decode()
                bare = f"n=,r={nonce}"
                first = b"SCRAM-SHA-256\0" + struct.pack("!I", len(bare) + 3) + b"n,," + bare.encode()
                self._send(b"p", first)
            elif step == 11:
                self._send(b"p", self._proof(attempt["password"], bare, body[4:].decode()))
            elif step not in (0, 12):
                raise Refused(f"another way of signing in is asked for ({step})")

    @staticmethod
    def _proof(password: str, bare: str, server: str) -> bytes:
        given = dict(part.split("=", 1) for part in server.split(","))
        salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(given["s"]), int(given["i"]))
        client = hmac.digest(salted, b"Client Key", "sha256")
        final = f"c=biws,r={given['r']}"
        signature = hmac.digest(hashlib.sha256(client).digest(), f"{bare},{server},{final}".encode(), "sha256")
        proof = bytes(one ^ other for one, other in zip(client, signature))
        return f"{final},p={base64.b64encode(proof).decode()}".encode()

    def may(self, statement: str) -> str:
        """Runs a statement and takes it back; an empty string where it was done, else what the service said."""
        self._run("BEGIN")
        said = self._run(statement)
        self._run("ROLLBACK")
        return said

    def _run(self, statement: str) -> str:
        self._send(b"Q", statement.encode() + b"\0")
        said = ""
        while True:
            kind, body = self._message()
            if kind == b"E":
                said = self._error(body)
            if kind == b"G":
                self._send(b"f", b"no\0")
            if kind == b"Z":
                return said

    def _send(self, kind: bytes, body: bytes) -> None:
        self._stream.sendall(kind + struct.pack("!I", len(body) + 4) + body)

    def _message(self) -> tuple[bytes, bytes]:
        kind, length = struct.unpack("!cI", exactly(self._stream, 5))
        return kind, exactly(self._stream, length - 4)

    @staticmethod
    def _error(body: bytes) -> str:
        fields = {part[:1]: part[1:].decode(errors="replace") for part in body.split(b"\0") if part}
        return fields.get(b"M", "an error")


# --- RabbitMQ ----------------------------------------------------------------------------------------------------


class Broker:
    def __init__(self, attempt: dict) -> None:
        self._stream = secured(attempt)
        self._channel = 0
        self._stream.sendall(b"AMQP\0\0\x09\x01")
        self._expect(10, 10)
        response = f"\0{attempt['user']}\0{attempt['password']}".encode()
        self._method(0, 10, 11, struct.pack("!I", 0) + b"\x05PLAIN" + struct.pack("!I", len(response)) + response + b"\x05en_US")
        self._expect(10, 30)
        self._method(0, 10, 31, struct.pack("!HIH", 16, 131072, 0))
        host = attempt.get("virtual_host", "kinora").encode()
        self._method(0, 10, 40, bytes([len(host)]) + host + b"\0\0")
        self._expect(10, 41)

    def may(self, what: list) -> str:
        """A channel and one method on it: [verb, name, …]."""
        self._channel += 1
        self._method(self._channel, 20, 10, b"\0")
        self._expect(20, 11)
        verb, name = what[0], what[1].encode()
        short = bytes([len(name)]) + name
        if verb == "declare":
            self._method(self._channel, 50, 10, b"\0\0" + short + b"\x10" + struct.pack("!I", 0))
        elif verb == "declare-exchange":
            self._method(self._channel, 40, 10, b"\0\0" + short + b"\x06fanout\x04" + struct.pack("!I", 0))
        elif verb == "get":
            self._method(self._channel, 60, 70, b"\0\0" + short + b"\0")
        elif verb == "consume":
            self._method(self._channel, 60, 20, b"\0\0" + short + b"\0" + b"\0" + struct.pack("!I", 0))
        elif verb == "purge":
            self._method(self._channel, 50, 30, b"\0\0" + short + b"\0")
        elif verb == "delete":
            self._method(self._channel, 50, 40, b"\0\0" + short + b"\0")
        elif verb == "publish":
            # Confirms, so that there is an answer also where nothing is wrong; a key that leads nowhere.
            self._method(self._channel, 85, 10, b"\0")
            self._expect(85, 11)
            key = what[2].encode()
            self._method(self._channel, 60, 40, b"\0\0" + short + bytes([len(key)]) + key + b"\0")
            header = struct.pack("!HHQH", 60, 0, 5, 0)
            self._frame(2, self._channel, header)
            self._frame(3, self._channel, b"knock")
        try:
            return self._answer()
        except Refused as refusal:
            return str(refusal)

    def _answer(self) -> str:
        while True:
            class_, method, body = self._read()
            if (class_, method) in ((20, 40), (10, 50)):
                code, length = struct.unpack_from("!HB", body)
                return f"{code} {body[3 : 3 + length].decode(errors='replace')}"
            return ""

    def _expect(self, class_: int, method: int) -> None:
        found = self._read()
        if found[:2] == (10, 50):
            code, length = struct.unpack_from("!HB", found[2])
            raise Refused(f"{code} {found[2][3 : 3 + length].decode(errors='replace')}")
        if found[:2] != (class_, method):
            raise Refused(f"an unexpected answer {found[0]}.{found[1]}")

    def _read(self) -> tuple[int, int, bytes]:
        while True:
            kind, _, length = struct.unpack("!BHI", exactly(self._stream, 7))
            body = exactly(self._stream, length + 1)[:-1]
            if kind == 1:
                return (*struct.unpack_from("!HH", body), body[4:])

    def _method(self, channel: int, class_: int, method: int, arguments: bytes) -> None:
        self._frame(1, channel, struct.pack("!HH", class_, method) + arguments)

    def _frame(self, kind: int, channel: int, body: bytes) -> None:
        self._stream.sendall(struct.pack("!BHI", kind, channel, len(body)) + body + b"\xce")


# --- Redis and Sentinel ------------------------------------------------------------------------------------------


class Redis:
    def __init__(self, attempt: dict) -> None:
        self._stream = secured(attempt).makefile("rwb")
        said = self.may(["AUTH", attempt["user"], attempt["password"]]) if attempt["user"] else self.may(["INFO"])
        if said:
            raise Refused(said)

    def may(self, command: list[str]) -> str:
        parts = [part.encode() for part in command]
        try:
            self._stream.write(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts))
            self._stream.flush()
            line = self._line()
        except (ssl.SSLError, OSError) as error:
            raise Refused(f"TLS: {error}") from error
        return line[1:] if line.startswith("-") else ""

    def _line(self) -> str:
        line = self._stream.readline().decode(errors="replace").rstrip("\r\n")
        if not line:
            raise Refused("the service closed the connection")
        if line[0] == "$" and int(line[1:]) >= 0:
            self._stream.read(int(line[1:]) + 2)
        elif line[0] in "*>" and int(line[1:]) > 0:
            for _ in range(int(line[1:])):
                self._line()
        return line


# --- services behind HTTP: etcd, Patroni, the application, who gives figures ----------------------------------


class Web:
    """One request; any answer other than those that say `who are you?` counts as admitted."""

    def __init__(self, attempt: dict) -> None:
        stream = secured(attempt)
        connection = http.client.HTTPConnection(attempt["address"], attempt["port"])
        connection.sock = stream
        headers = {"Host": attempt.get("host") or attempt["name"], "Content-Type": "application/json"}
        if attempt.get("user"):
            headers["Authorization"] = "Basic " + base64.b64encode(f"{attempt['user']}:{attempt['password']}".encode()).decode()
        try:
            connection.request(attempt.get("method", "GET"), attempt["path"], attempt.get("body"), headers)
            answer = connection.getresponse()
            text = answer.read(attempt.get("most_bytes", 4096)).decode(errors="replace")
        except (ssl.SSLError, OSError, http.client.HTTPException) as error:
            raise Refused(f"TLS: {error!r}") from error
        if answer.status in (401, 403, 407, 421):
            raise Refused(f"{answer.status} {text[:100]}")
        self.said = f"{answer.status} {text if 'most_bytes' in attempt else text[:100]}"

    def may(self, _: list) -> str:
        return self.said


# --- services that say nothing first: the Alertmanagers among each other -----------------------------------------


class Tls:
    """Who is not wanted is told so, or hung up on, once its certificate was looked at; others may go on."""

    WAIT_SECONDS = 3

    def __init__(self, attempt: dict) -> None:
        stream = secured(attempt)
        stream.settimeout(self.WAIT_SECONDS)
        try:
            if not stream.recv(1):
                raise Refused("the service closed the connection")
        except TimeoutError:
            return
        except (ssl.SSLError, OSError) as error:
            raise Refused(f"TLS: {error}") from error

    def may(self, _: list) -> str:
        return ""


# --- Erlang's distribution --------------------------------------------------------------------------------------


class Distribution:
    """A node's greeting with a cookie (Erlang's manual, "Distribution Protocol")."""

    # What a node of Erlang 27 says of itself.
    FLAGS = 0xD07DF7FBD

    def __init__(self, attempt: dict) -> None:
        self._stream = secured(attempt)
        name = f"knock-{secrets.token_hex(4)}@{attempt['from_name']}".encode()
        self._send(b"N" + struct.pack("!QIH", self.FLAGS, 1, len(name)) + name)
        if not self._receive().startswith(b"sok"):
            raise Refused("the node does not want it")
        challenge = self._receive()
        if challenge[:1] != b"N":
            raise Refused("no challenge")
        theirs = struct.unpack_from("!I", challenge, 9)[0]
        digest = hashlib.md5(attempt["password"].encode() + str(theirs).encode()).digest()
        self._send(b"r" + struct.pack("!I", 1) + digest)
        if self._receive()[:1] != b"a":
            raise Refused("the cookie is not right")

    def _send(self, body: bytes) -> None:
        try:
            # Over TLS the length has four bytes also in the greeting.
            self._stream.sendall(struct.pack("!I", len(body)) + body)
        except (ssl.SSLError, OSError) as error:
            raise Refused(f"TLS: {error}") from error

    def _receive(self) -> bytes:
        return exactly(self._stream, struct.unpack("!I", exactly(self._stream, 4))[0])

    def may(self, _: list) -> str:
        return ""


SERVICES = {"postgresql": PostgreSQL, "broker": Broker, "redis": Redis, "web": Web, "tls": Tls, "distribution": Distribution}


def one(attempt: dict) -> dict:
    try:
        session = SERVICES[attempt["service"]](attempt)
    except Unreachable as error:
        return {"end": "unreachable", "said": str(error)}
    except Refused as error:
        return {"end": "refused", "said": str(error)}
    except (OSError, ssl.SSLError) as error:
        return {"end": "refused", "said": f"{error!r}"}
    rights = {}
    for what in attempt.get("rights", []):
        try:
            rights[json.dumps(what)] = session.may(what)
        except Refused as error:
            rights[json.dumps(what)] = str(error)
    return {"end": "admitted", "said": getattr(session, "said", ""), "rights": rights}


def main() -> None:
    attempts = json.load(sys.stdin)
    with ThreadPoolExecutor(16) as pool:
        json.dump(list(pool.map(one, attempts)), sys.stdout)


if __name__ == "__main__":
    main()
