"""Takes an application out of HAProxy on this host, or puts it back: python3 -c THIS others|drain|ready APPLICATION SECONDS.

others: changes nothing, fails where no other application answers. drain: new requests go to the others; returns when those under way have ended, or after SECONDS. Where there is no other that answers it
does nothing: the application's socket keeps requests while it restarts. ready: returns when HAProxy sends it requests again.
"""

import json
import socket
import sys
import time

ADMIN = "/run/haproxy/admin.sock"
BACKEND = "applications"
UP, READY = "2", "0"


def ask(command: str) -> str:
    with socket.socket(socket.AF_UNIX) as admin:
        admin.settimeout(5)
        admin.connect(ADMIN)
        admin.sendall(f"{command}\n".encode())
        parts = []
        while part := admin.recv(65536):
            parts.append(part)
    return b"".join(parts).decode()


def servers() -> dict:
    """Name → what HAProxy says of it."""
    lines = ask(f"show servers state {BACKEND}").splitlines()
    head = next(line for line in lines if line.startswith("#")).lstrip("# ").split()
    rows = [dict(zip(head, line.split())) for line in lines if len(line.split()) == len(head) and not line.startswith("#")]
    return {row["srv_name"]: row for row in rows}


def under_way(name: str) -> int:
    """How many requests HAProxy waits for there."""
    lines = ask(f"show stat {BACKEND} 4 -1").splitlines()
    head = lines[0].lstrip("# ").split(",")
    rows = [dict(zip(head, line.split(","))) for line in lines[1:] if line]
    return next((int(row["scur"]) for row in rows if row["svname"] == name), 0)


def wait(look, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while not look():
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


def is_serving(row: dict) -> bool:
    return row["srv_op_state"] == UP and row["srv_admin_state"] == READY


def main() -> int:
    action, name, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
    known = servers()
    if name not in known:
        print(f"HAProxy here knows no application {name}: run site")
        return 1
    alone = not any(is_serving(row) for other, row in known.items() if other != name)
    if action == "others":
        print(f"HAProxy here finds no other application than {name} in service: see the verb status" if alone else json.dumps({"alone": False}))
        return int(alone)
    if action == "drain" and alone:
        print(json.dumps({"alone": True}))
        return 0
    said = ask(f"set server {BACKEND}/{name} state {action}").strip()
    if said:
        print(f"HAProxy: {said}")
        return 1
    if action == "drain":
        ended = wait(lambda: under_way(name) == 0, seconds)
        print(json.dumps({"alone": False, "left": 0 if ended else under_way(name)}))
        return 0
    if not wait(lambda: is_serving(servers()[name]), seconds):
        print(f"HAProxy here finds no application on {name} after {seconds:.0f} s: journalctl -u kinora-application there, journalctl -u haproxy here")
        return 1
    print(json.dumps({"serving": True}))
    return 0


sys.exit(main())
