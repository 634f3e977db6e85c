"""The public address, as a page uses it: what may be asked again is, what may not is not."""

import http.client
import json
import select
import socket
import ssl
import threading
import time
import urllib.parse
from dataclasses import dataclass, field

# No answer for so long is none. Longer than the application takes for its own, so that this is the exception.
ANSWER_SECONDS = 20.0
# Whoever has had no success for so long has given up.
PATIENCE_SECONDS = 60.0
# Between attempts, also where the answer asks for more: it is measured when it is over, to this.
PAUSE_SECONDS = 0.25


@dataclass
class Answer:
    """`status` 0 is none; `wrong` says then what happened."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    wrong: str = ""
    # When the request was sent, seconds of CLOCK_MONOTONIC.
    sent: float = 0.0

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def is_refusal(self) -> bool:
        """It was understood and will not be done; 429 and 423 mean later."""
        return 400 <= self.status < 500 and self.status not in (423, 425, 429)

    def json(self):
        return json.loads(self.body)

    def describe(self) -> str:
        if not self.status:
            return self.wrong
        kind = ""
        # An answer to HEAD says of what type its body would be, and has none.
        if self.body and self.headers.get("content-type", "").startswith("application/problem+json"):
            kind = str(self.json().get("type", "")).removeprefix("urn:kinora:problem:")
        return f"{self.status} {kind}".strip()


class Session:
    """Somebody who is signed in. Each thread has a connection of its own, kept open as browsers do."""

    def __init__(self, url: str, authorities: str | None = None, pause: float = PAUSE_SECONDS, patience: float = PATIENCE_SECONDS) -> None:
        self.pause, self.patience = pause, patience
        parts = urllib.parse.urlsplit(url)
        self.origin, self._host, self._port, self._is_tls = url, parts.hostname, parts.port, parts.scheme == "https"
        self._tls = ssl.create_default_context(cafile=authorities) if self._is_tls else None
        self.cookie = self.token = ""
        self._local = threading.local()

    def sign_in(self, login: str, password: str) -> Answer:
        answer = self.ask("POST", "/api/data/v1/session", {"login": login, "password": password})
        if answer.ok:
            given = [line.split(";")[0] for line in answer.headers.get("set-cookie", "").splitlines()]
            # One without a value is taken away.
            self.cookie = "; ".join(cookie for cookie in given if not cookie.endswith("="))
            told = self.insist("GET", "/api/data/v1/session")
            if told.ok:
                self.token = told.json()["csrf_token"]
        return answer

    def ask(self, method: str, path: str, body=None, headers: dict[str, str] | None = None) -> Answer:
        """One request, sent once."""
        sent = {"Origin": self.origin, "Cookie": self.cookie, "X-CSRF-Token": self.token, **(headers or {})}
        data = body
        if body is not None and not isinstance(body, bytes):
            data, sent["Content-Type"] = json.dumps(body).encode(), "application/json"
        kept, began = self._kept(), time.monotonic()
        try:
            connection = kept or self._connect()
            try:
                connection.request(method, path, data, {name: value for name, value in sent.items() if value})
                answer = connection.getresponse()
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                # The other end had closed the open connection before it saw the request: browsers ask again, too,
                # but only for what may be repeated.
                if kept is None or method not in ("GET", "HEAD"):
                    raise
                connection = self._connect()
                connection.request(method, path, data, {name: value for name, value in sent.items() if value})
                answer = connection.getresponse()
            content = answer.read()
            told = {name.lower(): "\n".join(answer.headers.get_all(name, [])) for name in answer.headers}
            if told.get("connection", "").lower() == "close":
                self.close()
            return Answer(answer.status, content, told, sent=began)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            return Answer(0, wrong=type(error).__name__, sent=began)

    def insist(self, method: str, path: str, body=None, headers: dict[str, str] | None = None, failures: list[str] | None = None) -> Answer:
        """Asks until there is an answer that says yes or no: for what may be repeated. Notes what other attempts were told."""
        until = time.monotonic() + self.patience
        while True:
            answer = self.ask(method, path, body, headers)
            if answer.ok or answer.is_refusal or time.monotonic() > until:
                return answer
            if failures is not None:
                failures.append(answer.describe())
            time.sleep(self.pause)

    def close(self) -> None:
        kept = getattr(self._local, "connection", None)
        if kept is not None:
            kept.close()
        self._local.connection = None

    def _kept(self) -> http.client.HTTPConnection | None:
        """The open connection, if it still is: browsers, too, look whether the other end has closed one that was idle before they use it."""
        kept = getattr(self._local, "connection", None)
        # Nothing comes unasked but the end.
        if kept is not None and (kept.sock is None or select.select([kept.sock], [], [], 0)[0]):
            self.close()
            return None
        return kept

    def _connect(self) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self._is_tls else http.client.HTTPConnection
        options = {"context": self._tls} if self._is_tls else {}
        connection = kind(self._host, self._port, timeout=ANSWER_SECONDS, **options)
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._local.connection = connection
        return connection
