"""A studio in a running Kinora: people with sessions, and calls that are held against the API's description.

`Caller.call` makes one request of an operation, which has to succeed, and has schemathesis compare the answer
with the description: status, media type, headers and schema.
"""

import base64
import hashlib
import hmac
import json
import pathlib
import re
import struct
import time

import requests

PASSWORD = "granite-lantern-tobacco-fjord"
# What a run of a workflow may take on a busy machine, in seconds.
PATIENCE = 120


class Refused(Exception):
    """An operation that was asked as its description says did not succeed, or not as described."""


class Person:
    """A browser reduced to its cookies and its CSRF token, or a program reduced to its access token."""

    def __init__(self, login=None, token=None):
        self.login = login
        self.id = None
        self.cookies = {}
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def all_headers(self):
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return self.headers | ({"Cookie": cookie} if cookie else {})

    def take(self, response):
        # A session of `requests` would not send a __Host- cookie back without TLS.
        for cookie in response.cookies:
            self.cookies[cookie.name] = cookie.value
        # An answer that ends one names it with an empty value.
        self.cookies = {name: value for name, value in self.cookies.items() if value}
        # A confirmation gives the session another cookie, and with it another token.
        if "X-CSRF-Token" in self.headers and "__Host-kinora" in response.cookies:
            self.headers["X-CSRF-Token"] = response.json()["csrf_token"]


NOBODY = Person()


class Caller:
    def __init__(self, url, schema):
        self.url = url
        self.operations = {}
        for found in schema.get_all_operations():
            operation = found.ok()
            self.operations[operation.definition.raw["operationId"]] = operation
        self.succeeded = set()

    def call(self, operation_id, person=NOBODY, json=None, data=None, headers=None, query=None, **path):
        operation = self.operations[operation_id]
        response = requests.request(
            operation.method.upper(), self.url + operation.path.format(**path), params=query, json=json, data=data,
            headers=person.all_headers() | (headers or {}), timeout=60, allow_redirects=False)
        if not 200 <= response.status_code < 300:
            raise Refused(f"{operation_id} answered {response.status_code}: {response.text[:2000]}")
        described = operation.definition.raw["responses"].get(str(response.status_code))
        if described is None:
            raise Refused(f"{operation_id} answered {response.status_code}, of which its description does not know")
        media_type = response.headers.get("Content-Type", "").partition(";")[0]
        if response.content and media_type not in described.get("content", {}):
            raise Refused(f"{operation_id} answered {media_type}, of which its description does not know")
        try:
            operation.validate_response(response)
        except Exception as complaint:
            raise Refused(f"{operation_id} is not as described: {complaint}") from complaint
        self.succeeded.add(operation_id)
        person.take(response)
        return response

    def made(self, operation_id, person, json=None, **path):
        """The JSON of the answer."""
        return self.call(operation_id, person, json=json, **path).json()

    def sign_in(self, login, password=PASSWORD):
        """Somebody with a session that was just confirmed; a second factor is still to be shown if they have one."""
        person = Person(login)
        self.call("create_session", person, json={"login": login, "password": password})
        if "__Host-kinora" in person.cookies:
            self.learn(person)
        return person

    def learn(self, person):
        session = self.made("read_session", person)
        person.id = session["person"]["id"]
        person.headers["X-CSRF-Token"] = session["csrf_token"]


def until(what, look):
    """Asks again until there is an answer that is not empty."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.1)
    raise Refused(f"{what} did not happen in {PATIENCE} s")


def token_of(link):
    return link.partition("#")[2]


class Mailbox:
    """What the relay has taken, as `tests/smtp/server.py` keeps it."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)

    def newest(self, address, pattern, count=1):
        """What the group of `pattern` found in the newest of at least `count` mails to an address."""
        def look():
            mails = [json.loads(path.read_text()) for path in sorted(self.directory.glob("*.json"))]
            found = [re.search(pattern, mail["plain"].replace("\r\n", "\n"), re.MULTILINE) for mail in mails if address in mail["to"]]
            found = [match.group(1) for match in found if match]
            return found[-1] if len(found) >= count else None
        return until(f"a mail to {address}", look)


def one_time_code(key, later=0):
    """The code of an authenticator app (RFC 6238: SHA-1, six digits, 30 s)."""
    key = key.replace(" ", "")
    secret = base64.b32decode(key + "=" * (-len(key) % 8))
    mac = hmac.digest(secret, struct.pack(">Q", int(time.time() // 30) + later), hashlib.sha1)
    return f"{(struct.unpack_from('>I', mac, mac[-1] & 15)[0] & 0x7fffffff) % 1_000_000:06}"
