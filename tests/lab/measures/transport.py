"""TLS and headers of the public address, and that nothing in the fleet speaks without TLS.

testssl.sh runs on the client; MDN's HTTP Observatory on this machine's Node.js, in the client's network. What HAProxy does with
streams, uploads and slow clients is tried through the public address as well.
"""

import json
import re
import secrets
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from lab.paths import PROJECT
from lab.problem import Problem

from . import canary
from .figures import Figure, Options
from .hosts import Lab

SECTION = "transport"
AGAIN = "make lab-test ONLY=transport"
HERE = Path(__file__).resolve().parent
CLIENT, AUTHORITIES, REPORT = "client", "/root/lab-authorities.pem", "/root/testssl.json"
TESTSSL_SECONDS = 1200
SEVERE = ("MEDIUM", "HIGH", "CRITICAL", "FATAL")
# An authority of the studio's own publishes no list of what it revoked: its certificates are replaced. A customer's certificate
# comes with what its authority has.
OF_THE_AUTHORITY = {"cert_revocation"}
SUITES = {
    "TLSv1_2": {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305"},
    "TLSv1_3": {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"},
}
OLD_PROTOCOLS = ("SSLv2", "SSLv3", "TLS1", "TLS1_1")
HSTS_SECONDS = 63_072_000
PAGES = {"the sign-in page": "/sign-in", "an answer of the API": "/api/data/v1/session"}
# What programs send, which is never led on from port 80.
PROGRAMS = {
    "the API, with a token": "--header 'Authorization: Bearer x' http://{name}/api/data/v1/session",
    "the API, with a session": "--header 'Cookie: session=x' http://{name}/api/data/v1/session",
    "the API, with a body": "--data '{{}}' http://{name}/api/data/v1/session",
    "SAML": "http://{name}/saml/metadata",
    "SCIM": "http://{name}/scim/v2/Users",
}
SCORE = 125
OBSERVATORY = "tests/lab/observatory/scan.mjs"
# What slow clients are given, by haproxy.cfg: the head of a request, and silence within a body.
HEAD_SECONDS, SILENCE_SECONDS, MARGIN_SECONDS = 10, 60, 5


def measure(lab: Lab, options: Options) -> Iterable[Figure]:
    authorities = lab.exec(lab.members("applications")[0], ["cat", "/etc/kinora/tls/authorities.pem"]).output
    lab.exec(CLIENT, f"cat > {AUTHORITIES}", stdin=authorities)
    yield from _listeners(lab)
    yield _redirect(lab)
    yield from _no_redirect(lab)
    yield _addresses(lab)
    yield from _observatory(lab, authorities)
    yield from _through(lab, authorities, options)
    options.say("testssl.sh looks at the public address")
    yield from _testssl(lab)


def _testssl(lab: Lab) -> Iterable[Figure]:
    address, url = lab.fleet.public_address["ipv4"], f"https://{lab.fleet.public_name}/"
    command = f"testssl --add-ca {AUTHORITIES} --jsonfile {REPORT} --quiet --color 0 --warnings off --nodns min --ip {address} {url}"
    ended = lab.exec(CLIENT, f"rm -f {REPORT}; {command}", TESTSSL_SECONDS)
    try:
        found = {entry["id"]: entry for entry in json.loads(lab.exec(CLIENT, ["cat", REPORT]).output)}
    except ValueError as error:
        raise Problem(f"testssl.sh ended with {ended.code}: {(ended.error or ended.output).strip()[-600:]}") from error
    typed = lab.typed(CLIENT, command)

    def says(name: str) -> str:
        return found.get(name, {}).get("finding", "nothing")

    grade = says("overall_grade")
    caps = [f"{name}: {entry['finding']}" for name, entry in found.items() if name.startswith("grade_cap_reason")]
    yield Figure(SECTION, "testssl.sh: grade of the public address", grade, "A+", grade == "A+", typed, caps)
    severe = {name: entry for name, entry in found.items() if entry["severity"] in SEVERE}
    lines = [f"{name}: {entry['severity']}, {entry['finding']}" for name, entry in severe.items()]
    value = f"{len(severe)}" + (f": {', '.join(severe)}" if severe else "")
    yield Figure(SECTION, "testssl.sh: findings of medium severity or worse", value, "0 besides cert_revocation (an authority of one's own)", not set(severe) - OF_THE_AUTHORITY, typed, lines)
    old = [name for name in OLD_PROTOCOLS if says(name) != "not offered"]
    suites = {version: set(says(f"cipherorder_{version}").split()) for version in SUITES}
    right = not old and suites == SUITES
    value = f"TLS 1.2 {says('TLS1_2')}, 1.3 {says('TLS1_3')}; {sum(map(len, suites.values()))} suites; older: {', '.join(old) or 'none'}"
    extra = [f"{version}: {suite}" for version in SUITES for suite in sorted(suites[version] ^ SUITES[version])]
    yield Figure(SECTION, "protocols and suites", value, "TLS 1.3, and 1.2 with ECDHE and AEAD only", right, typed, extra)
    kems = says("FS_KEMs")
    yield Figure(SECTION, "key agreement that stands against quantum computers", kems, "X25519MLKEM768", "X25519MLKEM768" in kems, typed)
    yield Figure(SECTION, "HTTP/2", says("ALPN_HTTP2"), "h2", "h2" in says("ALPN_HTTP2").split(), typed)
    hsts = re.search(r"=(\d+) seconds", says("HSTS_time"))
    seconds = int(hsts[1]) if hsts else 0
    yield Figure(SECTION, "HSTS", f"{seconds:,} s", f"≥ {HSTS_SECONDS:,} s", seconds >= HSTS_SECONDS, typed)


def _observatory(lab: Lab, authorities: str) -> Iterable[Figure]:
    bootstrap = PROJECT / "packaging/bootstrap"
    cache = Path(subprocess.run([bootstrap, "tools"], capture_output=True, text=True, check=True).stdout.strip())
    if subprocess.run([bootstrap, "lab-test"]).returncode != 0:
        raise Problem("MDN's HTTP Observatory could not be installed, see above")
    tools = sorted(cache.glob("observatory-*/installed"))
    own = cache / "node/node_modules/.bin/node"
    certificates = lab.control.state.path / "authorities.pem"
    certificates.write_text(authorities)
    for what, path in PAGES.items():
        scan = [str(own) if own.exists() else "node", OBSERVATORY, str(tools[-1].parent), lab.fleet.public_name, path, lab.fleet.public_address["ipv4"]]
        result = lab.in_network_of(CLIENT, ["env", "-C", str(PROJECT), f"NODE_EXTRA_CA_CERTS={certificates}", *scan], 120)
        typed = f"{AGAIN} (node {OBSERVATORY})"
        if not result.ok:
            yield Figure(SECTION, f"MDN HTTP Observatory: {what}", "no grade", f"≥ {SCORE}", False, typed, result.error.splitlines()[-4:])
            continue
        found = json.loads(result.output)
        value = f"{found['score']} ({found['grade']})"
        yield Figure(SECTION, f"MDN HTTP Observatory: {what} ({path})", value, f"≥ {SCORE}", found["score"] >= SCORE, typed, found["lost"])


def _redirect(lab: Lab) -> Figure:
    name, address = lab.fleet.public_name, lab.fleet.public_address["ipv4"]
    command = f"curl --silent --output /dev/null --resolve {name}:80:{address} --write-out '%{{http_code}} %{{redirect_url}}' http://{name}/x?y=1"
    said = lab.exec(CLIENT, command).output.strip()
    return Figure(SECTION, "port 80", said, f"308 https://{name}/x?y=1", said == f"308 https://{name}/x?y=1", lab.typed(CLIENT, command))


def _no_redirect(lab: Lab) -> Iterable[Figure]:
    """What carries tokens and assertions is refused in plaintext, not led on."""
    name, address = lab.fleet.public_name, lab.fleet.public_address["ipv4"]
    for what, asked in PROGRAMS.items():
        command = f"curl --silent --output /dev/null --resolve {name}:80:{address} --write-out '%{{http_code}}' {asked.format(name=name)}"
        said = lab.exec(CLIENT, command).output.strip()
        yield Figure(SECTION, f"port 80, {what}", said, "403", said == "403", lab.typed(CLIENT, command))


def _addresses(lab: Lab) -> Figure:
    """What stands in the addresses people ask for stands in no journal: searches, and links that open something."""
    name, address, mark = lab.fleet.public_name, lab.fleet.public_address["ipv4"], f"canary{secrets.token_hex(8)}"
    for place in (f"http://{name}/{mark}", f"https://{name}/welcome/{mark}", f"https://{name}/api/data/v1/productions?q={mark}", f"https://{name}/api/{mark}"):
        lab.exec(CLIENT, f"curl --silent --output /dev/null --cacert {AUTHORITIES} --resolve {name}:80:{address} --resolve {name}:443:{address} '{place}'")
    seen = {host.name: lab.exec(host.name, f"journalctl --sync; journalctl --quiet --grep {mark} --output cat", 120).output.splitlines() for host in lab.servers}
    asked = sum(len(lab.exec(host, "journalctl --quiet --unit haproxy --since -2min --output cat").output.splitlines()) for host in lab.members("load_balancers"))
    lines = [f"{host}: {line}" for host, found in seen.items() for line in found]
    return Figure(SECTION, "journals with what stood in a request's address", str(len(lines)), "0", not lines and asked > 0, AGAIN, lines[:5])


def _listeners(lab: Lab) -> Iterable[Figure]:
    """Every TCP listener of every server that others could reach is TLS, but for SSH and the redirect."""
    count, wrong = 0, []
    for host in lab.servers:
        wanted = listening(lab, host.name, host.management)
        result = lab.in_network_of(host.name, [sys.executable, "-B", str(HERE / "listeners.py")], 300, json.dumps(wanted))
        if not result.ok:
            raise Problem(f"the listeners of {host.name}: {result.error.strip()[-400:]}")
        for entry in json.loads(result.output):
            count += 1
            wrong += [f"{host.name} {entry['address']} port {entry['port']}: {what}" for what in _weak(entry)]
    goal = "0, SSH and the redirect on 80 apart"
    command = f"app1# ss -Hltn; {AGAIN}"
    yield Figure(SECTION, "TCP listeners of all servers that speak without TLS, or weakly", f"{len(wrong)} of {count}", goal, not wrong and count > 0, command, wrong)


def listening(lab: Lab, host: str, management: str) -> list[tuple[str, int]]:
    """Address and port of each TCP listener of a host that others could reach, SSH apart."""
    found = set()
    for line in lab.exec(host, ["ss", "-Hltn"]).output.splitlines():
        address, _, port = line.split()[3].rpartition(":")
        address = address.strip("[]").split("%")[0]
        if address in ("*", "0.0.0.0", "::"):
            address = management
        if not (address.startswith("127.") or address == "::1") and port != "22":
            found.add((address, int(port)))
    return sorted(found)


def _weak(entry: dict) -> list[str]:
    if "redirect" in entry:
        return [] if " 308 " in f"{entry['redirect']} " else [f"port 80 answers {entry['redirect']}"]
    found = [] if entry["version"] in ("TLSv1.2", "TLSv1.3") else [f"no TLS ({entry['cipher']})"]
    found += [f"speaks {entry['old']}"] if entry["old"] else []
    found += ["takes a suite without forward secrecy or authenticated encryption"] if entry["weak"] else []
    return found + (["asks for a password without TLS"] if entry["plain"] else [])


def _through(lab: Lab, authorities: str, options: Options) -> Iterable[Figure]:
    order = {"authorities": authorities, "name": lab.fleet.public_name, "address": lab.fleet.public_address["ipv4"]}
    order |= {"login": canary.login(lab), "password": canary.password(lab)}
    options.say("slow clients, streams and uploads through the public address")
    result = lab.in_network_of(CLIENT, [sys.executable, "-B", str(HERE / "through.py")], 400, json.dumps(order))
    if not result.ok:
        raise Problem(f"through the public address: {result.error.strip()[-600:]}")
    found = json.loads(result.output)
    events = found["events"]
    reached = events["status"] == 200 and bool(events["line"]) and events["open"]
    value = f"{events['seconds'] * 1000:.0f} ms, the stream {'still open' if events['open'] else 'closed'}"
    yield Figure(SECTION, "live events: the first one comes while the stream is open", value, "the stream still open", reached, AGAIN, [json.dumps(events)])
    upload = found["upload"]
    offsets = upload["offsets"]
    growing = all(offset >= (number + 1) << 20 for number, offset in enumerate(offsets)) and offsets[-1] < upload["length"]
    value = " → ".join(f"{offset / (1 << 20):.0f}" for offset in offsets) + f" of {upload['length'] >> 20} MiB"
    yield Figure(SECTION, "an upload arrives while it is being sent (offset by HEAD, 1 MiB sent each time)", value, "1 → 2 → 3", growing, AGAIN)
    wrong = [f"{form}: {what}" for form, found_wrong in found["ambiguous"].items() for what in found_wrong]
    what = "requests within requests whose end can be read in two ways: carried out unseen, or with somebody else's answer"
    yield Figure(SECTION, what, f"{len(wrong)} of {len(found['ambiguous'])} forms", "0", not wrong, AGAIN, wrong)
    for what, limit in (
        ("headers", HEAD_SECONDS), ("no request", HEAD_SECONDS), ("body that drips", HEAD_SECONDS),
        ("body that stops", HEAD_SECONDS), ("upload that stops", SILENCE_SECONDS),
    ):  # fmt: skip
        slow = found["slow"][what]
        in_time = slow["seconds"] is not None and slow["seconds"] <= limit + MARGIN_SECONDS
        value = f"cut off after {slow['seconds']:.0f} s" if slow["seconds"] is not None else slow["answer"]
        yield Figure(SECTION, f"a slow client: {what}", value, f"≤ {limit} s (and {MARGIN_SECONDS})", in_time, AGAIN, [slow["answer"]])
