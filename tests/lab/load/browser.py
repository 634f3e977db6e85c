"""Browsers at the public address, told what to do line by line; they keep cookies and follow nothing by themselves.

    python3 -m load.browser URL [AUTHORITIES]

A line in is a request: {"who", "method", "path", "json" or "form", "headers"}, or {"who", "like"}: from now on the first has
the cookies that the other one has. A line out is its answer: {"status", "headers", "body"}.
"""

import json
import sys
import urllib.parse

from .public import Session


class Browsers:
    def __init__(self, url: str, authorities: str | None) -> None:
        self.url, self.authorities = url, authorities
        self.sessions: dict[str, Session] = {}
        self.jars: dict[str, dict[str, str]] = {}

    def do(self, order: dict) -> dict:
        who = order["who"]
        jar = self.jars.setdefault(who, {})
        if "like" in order:
            self.jars[who] = dict(self.jars[order["like"]])
            return {}
        session = self.sessions.setdefault(who, Session(self.url, self.authorities))
        session.cookie = "; ".join(f"{name}={value}" for name, value in jar.items())
        headers, body = dict(order.get("headers", {})), order.get("json")
        if "form" in order:
            body = urllib.parse.urlencode(order["form"]).encode()
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        answer = session.ask(order["method"], order["path"], body, headers)
        for line in answer.headers.get("set-cookie", "").splitlines():
            name, _, value = line.split(";")[0].partition("=")
            jar[name] = value
        return {"status": answer.status, "headers": answer.headers, "body": answer.body.decode(errors="replace") or answer.wrong}


def main() -> None:
    browsers = Browsers(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None)
    for line in sys.stdin:
        print(json.dumps(browsers.do(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
