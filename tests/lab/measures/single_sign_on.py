"""Staff sign in through an identity provider that this project did not write, at the fleet as it is installed.

So the verifier of signatures, a process of its own, runs under the application's unit with all that the unit takes away. Afterwards the
database's primary is killed, and what signed somebody in before must sign in nobody again.

The provider (tests/idp, pysaml2's) runs on this machine; only browsers speak with it, as SAML's bindings have it.
"""

import html
import json
import re
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.problem import Problem

from . import canary
from .at_work import LOAD, PLACE, wait_for_other, wait_until_redundant
from .faults import kill_postgresql
from .figures import Figure, Options
from .hosts import Lab

SECTION = "sign-on"
HERE = Path(__file__).resolve().parents[3]
NAME, DOMAIN, LOGIN = "Lab's studio accounts", "studio.example", "ada"
DATA = "/api/data/v1"
# What the provider does with its answers; each must be taken.
WAYS = (
    {"signature": "rsa-sha256", "encrypt": None},
    {"signature": "ecdsa-sha384", "digest": "sha384", "encrypt": None},
    {"signature": "rsa-sha512", "digest": "sha512", "encrypt": "aes256-gcm"},
    {"signature": "rsa-sha256", "digest": "sha256", "encrypt": "aes128-cbc"},
)
# HAProxy sends requests to the applications in turn: each of them is asked.
REPLAYS = 8


class Provider:
    def __init__(self, url: str) -> None:
        self.url = url

    def put(self, path: str, text: str) -> None:
        urllib.request.urlopen(urllib.request.Request(self.url + path, text.encode(), method="PUT"), timeout=30).close()

    def page(self, address: str, form: dict[str, str] | None = None) -> str:
        data = urllib.parse.urlencode(form).encode() if form is not None else None
        with urllib.request.urlopen(urllib.parse.urljoin(self.url, address), data, timeout=30) as answer:
            return answer.read().decode()

    def sign_in(self, address: str, login: str) -> tuple[str, dict[str, str]]:
        """The form that the provider's page posts back: where, and what."""
        asked = fields(self.page(address))
        answered = self.page("/sign-in", {"login": login, "request": asked["request"]})
        target = html.unescape(re.search(r'action="([^"]*)"', answered).group(1))
        return urllib.parse.urlsplit(target).path, fields(answered)


def fields(page: str) -> dict[str, str]:
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page)
    return {name: html.unescape(value) for name, value in found}


@contextmanager
def provider() -> Iterator[Provider]:
    bootstrap = HERE / "packaging/bootstrap"
    if subprocess.run([bootstrap, "lab-test"]).returncode != 0:
        raise Problem("pysaml2's identity provider is missing, see above")
    tools = subprocess.run([bootstrap, "tools"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    python = Path(tools) / "bin/pysaml2-python"
    with subprocess.Popen([python, "-B", HERE / "tests/idp/idp.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            yield Provider(json.loads(process.stdout.readline())["url"])
        finally:
            process.stdin.close()


class Browsers:
    """Those of load/browser.py on the client."""

    def __init__(self, process: subprocess.Popen) -> None:
        self.process = process

    def tell(self, **order) -> dict:
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise Problem("the browsers on the client have ended")
        return json.loads(line)

    def ask(self, who: str, method: str, path: str, wanted: int = 0, **more) -> dict:
        """One request; `wanted` is the status that anything else is a defect instead of."""
        answer = self.tell(who=who, method=method, path=path, **more)
        if wanted and answer["status"] != wanted:
            raise Problem(f"{method} {path}: {answer['status']} {answer['body'][:400]}")
        return answer


@contextmanager
def browsers(lab: Lab) -> Iterator[Browsers]:
    canary.prepare(lab)
    lab.push(canary.CLIENT, LOAD, PLACE)
    command = ["env", "-C", PLACE, "python3", "-B", "-m", "load.browser", canary.url(lab), canary.AUTHORITIES]
    with subprocess.Popen(lab.control.on(canary.CLIENT, command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Browsers(process)
        finally:
            process.stdin.close()


class Owner:
    """Whoever sets the connection up."""

    def __init__(self, lab: Lab, at: Browsers) -> None:
        self.at = at
        at.ask("owner", "POST", f"{DATA}/session", 200, json={"login": canary.login(lab), "password": canary.password(lab)})
        session = json.loads(at.ask("owner", "GET", f"{DATA}/session", 200)["body"])
        self.csrf = session["csrf_token"]
        self.path = f"{DATA}/organisations/{session['organisations'][0]['id']}/sign-on"

    def change(self, method: str, path: str, wanted: int, body=None) -> dict:
        headers = {"X-CSRF-Token": self.csrf}
        if method in ("PUT", "PATCH", "DELETE"):
            headers["If-Match"] = self.at.ask("owner", "GET", path.removesuffix("/metadata"), 200)["headers"]["etag"]
        return self.at.ask("owner", method, path, wanted, headers=headers, **({} if body is None else {"json": body}))

    def connect(self, lab: Lab, idp: Provider) -> str:
        """The id of a connection that is switched on, of a domain that is confirmed."""
        self.disconnect()
        made = json.loads(self.change("POST", f"{self.path}/connections", 201, {"name": NAME})["body"])
        path = f"{self.path}/connections/{made['id']}"
        idp.put("/service", self.at.ask("owner", "GET", f"/saml/{made['id']}/metadata", 200)["body"])
        self.change("PUT", f"{path}/metadata", 200, {"xml": idp.page("/metadata")})
        self.change("PATCH", path, 200, {"enabled": True})
        known = json.loads(self.at.ask("owner", "GET", f"{self.path}/domains", 200)["body"])["items"]
        if DOMAIN not in [domain["domain"] for domain in known]:
            self.change("POST", f"{self.path}/domains", 201, {"domain": DOMAIN})
        confirmed = lab.exec(lab.members("applications")[0], ["kinora-admin", "domain", "confirm", DOMAIN])
        if not confirmed.ok:
            raise Problem(f"kinora-admin domain confirm: {(confirmed.error or confirmed.output).strip()[-300:]}")
        return made["id"]

    def disconnect(self) -> None:
        for each in json.loads(self.at.ask("owner", "GET", f"{self.path}/connections", 200)["body"])["items"]:
            if each["name"] == NAME:
                self.change("DELETE", f"{self.path}/connections/{each['id']}", 204)


def begin(at: Browsers, idp: Provider, who: str, connection: str) -> tuple[str, dict[str, str]]:
    """As far as the provider's answer, which is not posted yet."""
    sent = at.ask(who, "GET", f"/saml/{connection}/sign-in")
    if "location" not in sent["headers"]:
        raise Problem(f"signing in does not lead to the provider: {sent['status']} {sent['body'][:300]}")
    return idp.sign_in(sent["headers"]["location"], LOGIN)


def arrive(at: Browsers, who: str, form: tuple[str, dict[str, str]]) -> tuple[bool, str]:
    """Whether the provider's answer signs in, and what was said."""
    path, values = form
    answer = at.ask(who, "POST", path, form=values)
    session = at.ask(who, "GET", f"{DATA}/session")
    is_in = session["status"] == 200 and json.loads(session["body"])["person"]["display_name"] == "Ada Löwe"
    return is_in, f"{answer['status']} {answer['headers'].get('location', '')}".strip()


def measure(lab: Lab, options: Options) -> Iterator[Figure]:
    command = f"make lab-test LAB={options.layout} ONLY=single_sign_on"
    with provider() as idp, browsers(lab) as at:
        owner = Owner(lab, at)
        connection = owner.connect(lab, idp)
        try:
            outside = []
            for number, way in enumerate(WAYS):
                idp.put("/settings", json.dumps(way))
                form = begin(at, idp, f"ada {number}", connection)
                is_in, said = arrive(at, f"ada {number}", form)
                outside += [] if is_in else [f"{way}: {said}"]
            value = f"{len(WAYS) - len(outside)} of {len(WAYS)}"
            yield Figure(SECTION, "pysaml2's identity provider: signatures and encryptions with which staff sign in", value, "all", not outside, command, outside)
            yield from replay(lab, at, idp, connection, command)
        finally:
            owner.disconnect()


def replay(lab: Lab, at: Browsers, idp: Provider, connection: str, command: str) -> Iterator[Figure]:
    """The browser that posts again is as it was when it posted first: whoever has the answer has its cookies, too."""
    if len(lab.members("databases")) < 2:
        return
    primary = wait_until_redundant(lab)
    form = begin(at, idp, "first", connection)
    for number in range(REPLAYS):
        at.tell(who=f"again {number}", like="first")
    is_in, said = arrive(at, "first", form)
    if not is_in:
        raise Problem(f"nobody was signed in who could be again: {said}")
    kill_postgresql(lab, primary)
    wait_for_other(lab, primary)
    admitted = [f"{number}: {said}" for number in range(REPLAYS) for is_in, said in [arrive(at, f"again {number}", form)] if is_in]
    case = "the same answer of the provider again, after the primary that had seen it was killed: signed in"
    yield Figure(SECTION, case, f"{len(admitted)} of {REPLAYS}", "0", not admitted, command, admitted)
    wait_until_redundant(lab)
