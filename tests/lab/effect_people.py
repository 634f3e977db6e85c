"""People at work, for tests/lab/effect.py: runs on the client, speaks only to the public address.

Reads an order (JSON, one line) from standard input, signs in, says `working`, and works until standard input ends. Then it
tells what they noticed.
"""

import http.client
import json
import ssl
import sys
import threading
import time
import urllib.parse
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

READ_SECONDS = 0.1
WRITE_SECONDS = 1.0
# Whoever waits longer than this has given up.
PATIENCE_SECONDS = 30


class People:
    def __init__(self, order):
        self.host = urllib.parse.urlsplit(order["url"]).hostname
        self.origin = order["url"]
        self.tls = ssl.create_default_context(cafile=order["authorities"])
        self.cookie = ""
        self.token = ""
        self.lock = threading.Lock()
        # kind → [(began, ended, "" or what went wrong)]
        self.done = {"reads": [], "writes": []}

    def call(self, method, path, body=None):
        """Status and body of one request over a connection of its own."""
        connection = http.client.HTTPSConnection(self.host, 443, timeout=PATIENCE_SECONDS, context=self.tls)
        headers = {"Origin": self.origin, "Content-Type": "application/json", "Cookie": self.cookie, "X-CSRF-Token": self.token}
        try:
            connection.request(method, "/api/data/v1" + path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            content = answer.read()
            if answer.getheader("Set-Cookie"):
                self.cookie = answer.getheader("Set-Cookie").split(";")[0]
            return answer.status, content
        finally:
            connection.close()

    def sign_in(self, login, password):
        status, content = self.call("POST", "/session", {"login": login, "password": password})
        if status >= 300:
            sys.exit(f"signing in: {status} {content.decode(errors='replace')}")
        told = json.loads(self.call("GET", "/session")[1])
        self.token, self.name = told["csrf_token"], told["person"]["display_name"]

    def work(self, kind, method, path, body=None):
        began, wrong = time.monotonic(), ""
        try:
            status, content = self.call(method, path, body)
            if status >= 300:
                wrong = f"{status} {json.loads(content).get('type', '').removeprefix('urn:kinora:problem:')}" if content[:1] == b"{" else str(status)
        except (OSError, http.client.HTTPException) as error:
            wrong = type(error).__name__
        with self.lock:
            self.done[kind].append((began, time.monotonic(), wrong))

    def go_on(self, ended):
        pool = ThreadPoolExecutor(400)
        begun = time.monotonic()
        count = 0
        while not ended.wait(max(0, begun + count * READ_SECONDS - time.monotonic())):
            pool.submit(self.work, "reads", "GET", "/productions")
            if count % round(WRITE_SECONDS / READ_SECONDS) == 0:
                pool.submit(self.work, "writes", "PATCH", "/account", {"display_name": self.name})
            count += 1
        pool.shutdown()

    def tell(self):
        for kind, calls in self.done.items():
            calls.sort(key=lambda call: call[1])
            first = min(began for began, _, _ in calls)
            failed = Counter(wrong for _, _, wrong in calls if wrong)
            times = [first, *(ended for _, ended, wrong in calls if not wrong)]
            gap = max((later - earlier, earlier - first) for earlier, later in zip(times, times[1:])) if len(times) > 1 else (calls[-1][1] - first, 0)
            slowest = max((ended - began for began, ended, wrong in calls if not wrong), default=0)
            print(
                f"{kind}: {len(calls)} begun, {sum(failed.values())} failed{''.join(f', {count} × {what}' for what, count in failed.items())};"
                f" slowest {slowest:.1f} s; longest time without one that succeeded {gap[0]:.1f} s (from second {gap[1]:.0f})"
            )


def main():
    order = json.loads(sys.stdin.readline())
    people = People(order)
    people.sign_in(order["login"], order["password"])
    print("working", flush=True)
    ended = threading.Event()
    worker = threading.Thread(target=people.go_on, args=(ended,))
    worker.start()
    sys.stdin.read()
    ended.set()
    worker.join()
    people.tell()


main()
