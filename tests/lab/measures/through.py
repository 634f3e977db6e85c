"""Speaks with the public address as browsers and bad clients do, in ways that common tools do not. A program of its own, run in the
client's network: reads one JSON order (with the password, which is written nowhere), writes one JSON report.
"""

import contextlib
import http.client
import json
import socket
import ssl
import sys
import threading
import time

import ambiguous

MEBIBYTE = 1 << 20
DEADLINE_SECONDS = 30
UPLOAD_STOP_SECONDS = 90


class Public:
    """The public address, with the cookies of a person who is signed in."""

    def __init__(self, order: dict) -> None:
        self.order, self.cookies, self.token = order, "", ""
        self.context = ssl.create_default_context(cadata=order["authorities"])

    def connect(self, seconds: float = DEADLINE_SECONDS) -> ssl.SSLSocket:
        plain = socket.create_connection((self.order["address"], 443), 10)
        plain.settimeout(seconds)
        return self.context.wrap_socket(plain, server_hostname=self.order["name"])

    def open(self, method: str, path: str, body=None, **headers: str) -> http.client.HTTPResponse:
        """A request of its own connection; the answer's body is not read yet."""
        connection = http.client.HTTPConnection(self.order["name"])
        connection.sock = self.connect()
        sent = {"Host": self.order["name"], "Origin": f"https://{self.order['name']}", "Cookie": self.cookies, "X-CSRF-Token": self.token}
        data = json.dumps(body) if body is not None else None
        if body is not None:
            sent["Content-Type"] = "application/json"
        connection.request(method, path, data, {**{name: value for name, value in sent.items() if value}, **headers})
        return connection.getresponse()

    def call(self, method: str, path: str, body=None, **headers: str) -> tuple[http.client.HTTPResponse, object]:
        answer = self.open(method, path, body, **headers)
        text = answer.read()
        if answer.status >= 400:
            sys.exit(f"{method} {path}: {answer.status} {text[:300].decode(errors='replace')}")
        return answer, json.loads(text) if text.startswith((b"{", b"[")) else None

    def sign_in(self) -> None:
        answer, _ = self.call("POST", "/api/data/v1/session", {"login": self.order["login"], "password": self.order["password"]})
        self.cookies = "; ".join(value.split(";")[0] for name, value in answer.getheaders() if name.lower() == "set-cookie")
        _, session = self.call("GET", "/api/data/v1/session")
        self.token = session["csrf_token"]

    @contextlib.contextmanager
    def production(self):
        """A production that goes with the measure."""
        _, session = self.call("GET", "/api/data/v1/session")
        organisation = session["organisations"][0]["id"]
        _, made = self.call("POST", f"/api/data/v1/organisations/{organisation}/productions", {"name": "Lab: transport"})
        try:
            yield made["id"]
        finally:
            self.call("DELETE", f"/api/data/v1/productions/{made['id']}", **{"If-Match": "*"})


def events(public: Public, production: str) -> dict:
    """The first event comes while the stream is open, and the stream stays open after it."""
    began = time.monotonic()
    answer = public.open("GET", f"/api/data/v1/productions/{production}/events", Accept="text/event-stream")
    line = answer.readline().decode(errors="replace").strip()
    first = time.monotonic() - began
    is_open = True
    answer.fp.raw._sock.settimeout(1)
    with contextlib.suppress(TimeoutError, ssl.SSLError):
        while True:
            text = answer.readline()
            if not text:
                is_open = False
                break
    return {"status": answer.status, "seconds": first, "line": line, "open": is_open}


def upload(public: Public, production: str) -> dict:
    """An upload's bytes arrive at the application while the request that sends them goes on; one that stops is given up."""
    length = 16 * MEBIBYTE
    path = f"/api/media/v1/productions/{production}/uploads"
    created, _ = public.call("POST", path, **{"Tus-Resumable": "1.0.0", "Upload-Length": str(length), "Upload-Metadata": "filename bGFiLm1vdg=="})
    place = created.getheader("Location").split(public.order["name"])[-1]
    stream, offsets = public.connect(), []
    head = f"PATCH {place} HTTP/1.1\r\nHost: {public.order['name']}\r\nOrigin: https://{public.order['name']}\r\nCookie: {public.cookies}\r\nX-CSRF-Token: {public.token}\r\n"
    head += f"Tus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\nContent-Type: application/offset+octet-stream\r\nContent-Length: {length}\r\n\r\n"
    stream.sendall(head.encode())
    for part in range(1, 4):
        stream.sendall(bytes(MEBIBYTE))
        until = time.monotonic() + DEADLINE_SECONDS
        while time.monotonic() < until:
            answer, _ = public.call("HEAD", place, **{"Tus-Resumable": "1.0.0"})
            offset = int(answer.getheader("Upload-Offset"))
            if offset >= part * MEBIBYTE:
                break
            time.sleep(0.5)
        offsets.append(offset)
    stopped = time.monotonic()
    stream.settimeout(UPLOAD_STOP_SECONDS)
    try:
        answer = stream.recv(4096).split(b"\r\n")[0].decode(errors="replace") or "closed"
        stops = {"seconds": time.monotonic() - stopped, "answer": answer}
    except OSError as error:
        stops = {"seconds": None if isinstance(error, TimeoutError) else time.monotonic() - stopped, "answer": str(error) or "still open"}
    stream.close()
    # The writer sees that its client has gone, and lets the upload be removed.
    until = time.monotonic() + DEADLINE_SECONDS
    while True:
        answer = public.open("DELETE", place, **{"Tus-Resumable": "1.0.0"})
        if answer.status == 204 or time.monotonic() > until:
            return {"offsets": offsets, "length": length, "removed": answer.status, "stops": stops}
        time.sleep(0.5)


def drip(public: Public, head: str, piece: str, every: float, limit: float) -> dict:
    """Sends a request too slowly; returns after how many seconds the other end had enough."""
    stream = public.connect(every)
    began = time.monotonic()
    stream.sendall(head.encode())
    answer = b""
    while time.monotonic() - began < limit:
        try:
            text = stream.recv(4096)
            answer += text
            if not text or answer:
                return {"seconds": time.monotonic() - began, "answer": answer[:60].decode(errors="replace").split("\r\n")[0]}
        except TimeoutError:
            pass
        except (ssl.SSLError, OSError) as error:
            return {"seconds": time.monotonic() - began, "answer": str(error)}
        try:
            if piece:
                stream.sendall(piece.encode())
        except OSError as error:
            return {"seconds": time.monotonic() - began, "answer": str(error)}
    return {"seconds": None, "answer": f"still open after {limit:.0f} s"}


def slow_clients(public: Public) -> dict:
    name = public.order["name"]
    post = f"POST /api/data/v1/session HTTP/1.1\r\nHost: {name}\r\nOrigin: https://{name}\r\nContent-Type: application/json\r\nContent-Length: 2000\r\n\r\n{{"
    tries = {
        "headers": (f"GET / HTTP/1.1\r\nHost: {name}\r\nX-Slow: ", "a", 1.0, 60.0),
        "no request": ("", "", 1.0, 60.0),
        "body that drips": (post, " ", 1.0, 90.0),
        "body that stops": (post, "", 1.0, 90.0),
    }
    found: dict[str, dict] = {}

    def one(what: str) -> None:
        found[what] = drip(public, *tries[what])

    threads = [threading.Thread(target=one, args=(what,)) for what in tries]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def main() -> None:
    public = Public(json.load(sys.stdin))
    report: dict[str, dict] = {}
    slow = threading.Thread(target=lambda: report.update(slow=slow_clients(public)))
    slow.start()
    public.sign_in()
    with public.production() as production:
        report["events"] = events(public, production)
        report["upload"] = upload(public, production)
    report["ambiguous"] = ambiguous.try_all(public)
    slow.join()
    report["slow"]["upload that stops"] = report["upload"].pop("stops")
    json.dump(report, sys.stdout)


if __name__ == "__main__":
    main()
