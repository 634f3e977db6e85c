"""Makes the lab's public address reachable from this machine without giving the machine an address in the lab.

A socket stays in the network namespace it was made in: the port is opened here, and then the process moves to the
client's network, from where it connects.
"""

import contextlib
import os
import socket
import subprocess
import sys
import threading

from .control import Lab

SERVE = "--serve-forward"


def serve(lab: Lab, port: int) -> int:
    """Forwards until interrupted."""
    plan = lab.fleet()
    listener = socket.create_server(("127.0.0.1", port))
    port = listener.getsockname()[1]
    os.set_inheritable(listener.fileno(), True)
    name = plan.public_name
    print(f"https://{name} is at 127.0.0.1:{port} until Ctrl-C. For example:", flush=True)
    print(f"  curl --connect-to {name}:443:127.0.0.1:{port} --insecure https://{name}/")
    print(f"  chromium --host-resolver-rules='MAP {name}:443 127.0.0.1:{port}' https://{name}/", flush=True)
    here = os.path.abspath(sys.argv[0])
    address = plan.public_address["ipv4"]
    command = [sys.executable, here, SERVE, str(listener.fileno()), address, "443"]
    try:
        return subprocess.call(lab.in_network_of("client", command), close_fds=False)
    except KeyboardInterrupt:
        return 0


def main(arguments: list[str]) -> int:
    """The part that runs in the client's network."""
    listener = socket.socket(fileno=int(arguments[0]))
    target = (arguments[1], int(arguments[2]))
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            accepted, _ = listener.accept()
            threading.Thread(target=_connect, args=(accepted, target), daemon=True).start()
    return 0


def _connect(accepted: socket.socket, target: tuple[str, int]) -> None:
    with accepted:
        try:
            onward = socket.create_connection(target, timeout=10)
        except OSError as error:
            print(f"lab: {target[0]}:{target[1]} does not answer: {error}", file=sys.stderr, flush=True)
            return
        with onward:
            onward.settimeout(None)
            back = threading.Thread(target=_pump, args=(onward, accepted), daemon=True)
            back.start()
            _pump(accepted, onward)
            back.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
