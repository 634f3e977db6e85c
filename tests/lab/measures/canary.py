"""The canary: `kinoractl canary` from the client, a machine in the office, through the public address.

Everything it needs comes to the client as it would to an operator's own machine: kinoractl and the packages it needs
from the bundle, the installation's authority, a short film, the first administrator's one-time password. What that
password was changed to is kept in the lab's directory and goes with the lab.
"""

import json
import os
import re
import secrets
from dataclasses import dataclass

from lab import install
from lab.problem import Problem

from .hosts import Lab

CLIENT = "client"
AUTHORITIES = "/root/kinora-authorities.pem"
FILM = "/root/canary.mov"
SECONDS = 180

# A film of four seconds with a test picture and a tone, made by the FFmpeg of a worker.
MAKE_FILM = (
    "ffmpeg -v error -f lavfi -i testsrc2=size=1280x720:rate=24 -f lavfi -i sine=frequency=440:sample_rate=48000"
    " -t 4 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac -movflags frag_keyframe+empty_moov -f mov pipe:1"
)

# Runs on the controller, in the unpacked bundle: all .debs of kinoractl as one tar.
PACK_KINORACTL = 'cd "$1" && tar -c -C debian $(cat closures/operator.txt)'
# Packages that are there already stay; a newer one of Debian's is never replaced by an older.
UNPACK_KINORACTL = """
set -e
rm -rf /root/kinoractl && mkdir /root/kinoractl && tar -x -C /root/kinoractl
DEBIAN_FRONTEND=noninteractive dpkg --skip-same-version --refuse-downgrade -i /root/kinoractl/*.deb
"""

# Runs on the client: signs in with the one-time password and replaces it. Speaks only to the public address.
CHANGE_PASSWORD = r"""
import http.cookiejar, json, ssl, sys, urllib.request
order = json.load(sys.stdin)
tls = ssl.create_default_context(cafile=order["authorities"])
opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=tls), urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
def call(method, path, body=None, **headers):
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", "Origin": order["url"], **headers}
    request = urllib.request.Request(order["url"] + "/api/data/v1" + path, data, headers, method=method)
    try:
        with opener.open(request, timeout=30) as answer:
            return json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        sys.exit(f"{method} {path}: {error.code} {error.read().decode(errors='replace')}")
call("POST", "/session", {"login": order["login"], "password": order["old"]})
token = call("GET", "/session")["csrf_token"]
call("PUT", "/account/password", {"current_password": order["old"], "new_password": order["new"]}, **{"X-CSRF-Token": token})
"""


@dataclass
class Outcome:
    """How a canary went. `stages` are lines for a reader."""

    ok: bool
    seconds: float
    stages: list[str]


def command(lab: Lab) -> str:
    """What a reader types."""
    return f"{lab.typed(CLIENT, _canary(lab))} < password-file"


def fly(lab: Lab, seconds: float = SECONDS) -> Outcome:
    """One canary. The first one brings to the client what it needs, and gives the administrator a password."""
    chosen = password(lab)
    result = lab.exec(CLIENT, f"{_canary(lab)} --json", timeout=seconds, stdin=f"{chosen}\n")
    try:
        report = json.loads(result.output)
    except ValueError:
        return Outcome(False, 0.0, [f"kinoractl ended with {result.code}: {(result.error or result.output).strip()[-600:]}"])
    stages = [f"{s['name']}: {'ok' if s['ok'] else 'FAILED'}, {s['seconds']:.1f} s, {s.get('detail', '')}" for s in report["stages"]]
    return Outcome(report["ok"] and result.ok, report["seconds"], stages)


def prepare(lab: Lab) -> None:
    """Brings kinoractl, authority and film to the client; what is there stays."""
    if not lab.exec(CLIENT, "command -v kinoractl").ok:
        unpacked = str(install.on_controller(lab.control).tar).removesuffix(".tar")
        lab.pipe(("control", ["sh", "-c", PACK_KINORACTL, "pack", unpacked]), (CLIENT, ["sh", "-c", UNPACK_KINORACTL]))
    if not lab.exec(CLIENT, ["test", "-s", FILM]).ok:
        lab.pipe((lab.members("workers")[0], ["sh", "-c", MAKE_FILM]), (CLIENT, _write(FILM)))
    authorities = (lab.members("applications")[0], ["cat", "/etc/kinora/tls/authorities.pem"])
    lab.pipe(authorities, (CLIENT, _write(AUTHORITIES)))


def url(lab: Lab) -> str:
    return f"https://{lab.fleet.public_name}"


def login(lab: Lab) -> str:
    return _one_time(lab)[0]


def _canary(lab: Lab) -> str:
    return f"kinoractl canary --ca-file {AUTHORITIES} --url {url(lab)} --login {login(lab)} --file {FILM}"


def password(lab: Lab) -> str:
    """The administrator's password; chosen now where it is still the one-time one."""
    kept = lab.control.state.path / "administrator-password"
    if kept.exists():
        return kept.read_text().strip()
    prepare(lab)
    name, old = _one_time(lab)
    chosen = secrets.token_urlsafe(24)
    order = json.dumps({"authorities": AUTHORITIES, "url": url(lab), "login": name, "old": old, "new": chosen})
    changed = lab.exec(CLIENT, ["python3", "-c", CHANGE_PASSWORD], stdin=order)
    if not changed.ok:
        raise Problem(f"the administrator's one-time password could not be changed: {(changed.error or changed.output).strip()[-600:]}")
    with open(kept, "w", encoding="utf-8", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
        file.write(f"{chosen}\n")
    return chosen


def _one_time(lab: Lab) -> tuple[str, str]:
    """Login and one-time password, as the first `site` said them."""
    log = lab.control.state.path / "first-administrator"
    if not log.exists():
        said = install.log_of(lab.control, "site").read_text() if install.log_of(lab.control, "site").exists() else ""
        name, once = re.search(r"Sign in as\s+(\S+)", said), re.search(r"^\s+one-time password\s+(\S+)", said, re.MULTILINE)
        if not (name and once):
            raise Problem("no one-time password is known; a lab that `up --install` installed from bare hosts has one")
        with open(log, "w", encoding="utf-8", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(f"{name[1]} {once[1]}\n")
    name, once = log.read_text().split()
    return name, once


def _write(path: str) -> list[str]:
    return ["sh", "-c", 'cat > "$1.new" && test -s "$1.new" && mv "$1.new" "$1"', "write", path]
