"""Which databases accept writes: asks one, every 50 ms, by writing.

On a host, as a program: reads nothing, writes a line for each acknowledged write, `BEGAN ENDED` in seconds of CLOCK_MONOTONIC,
until its standard input ends. A write that waits, as for a standby that is gone, is not acknowledged, and is waited for:
a server that gave up waiting would say that it has committed.

In the measures: `overlap`, the time in which two of them did.
"""

import contextlib
import os
import select
import sys
import threading
import time

INTERVAL_SECONDS = 0.05
# Two acknowledged writes that were sent no further apart than this are one time in which a server accepts writes.
JOINED_SECONDS = 0.25
LEAST_SECONDS = 0.001
DATABASE, ROLE, TABLE = "kinora_lab", "kinora_lab_writer", "ping"

Interval = tuple[float, float]


def intervals(acknowledged: list[Interval], joined: float = JOINED_SECONDS) -> list[Interval]:
    """Times in which a server accepted writes that it acknowledged, sooner or later.

    What counts is when a write was sent: one sent to the old primary before it froze, which was on the standby then, may be
    answered when it thaws, and no harm is done; one that is sent after that and acknowledged is harm.
    """
    result: list[Interval] = []
    for sent in sorted(began for began, _ in acknowledged):
        if result and sent - result[-1][1] <= joined:
            result[-1] = (result[-1][0], sent)
        else:
            result.append((sent, sent))
    # A single one is a time, too.
    return [(began, ended + LEAST_SECONDS) for began, ended in result]


def overlap(servers: dict[str, list[Interval]]) -> float:
    """Seconds in which more than one server accepted writes."""
    marks: list[tuple[float, int]] = []
    for acknowledged in servers.values():
        for began, ended in intervals(acknowledged):
            marks += [(began, 1), (ended, -1)]
    # At the same instant ends come first: one server that stops as another begins are not two.
    marks.sort()
    total, depth, since = 0.0, 0, 0.0
    for at, step in marks:
        if depth > 1:
            total += at - since
        depth, since = depth + step, at
    return total


def ask(connect, tell, ended: threading.Event) -> None:
    """Writes until `ended`. `connect` gives a connection (PEP 249), which is replaced when it fails."""
    connection = None
    while not ended.wait(INTERVAL_SECONDS):
        try:
            if connection is None:
                connection = connect()
                connection.autocommit = True
            cursor = connection.cursor()
            cursor.execute("SELECT pg_is_in_recovery()")
            if cursor.fetchone()[0]:
                continue
            began = time.monotonic()
            cursor.execute(f"UPDATE {TABLE} SET at = clock_timestamp()")
            tell(began, time.monotonic())
        except Exception:
            # Not there, starting, stopping, read-only: it does not accept writes.
            if connection is not None:
                with contextlib.suppress(Exception):
                    connection.close()
            connection = None


def main() -> None:
    import psycopg2

    ended = threading.Event()
    lines, lock = [], threading.Lock()

    def tell(began: float, end: float) -> None:
        with lock:
            lines.append(f"{began:.6f} {end:.6f}")

    def connect():
        # Through the socket, as the measure's own role and nobody else's.
        return psycopg2.connect(host="/run/postgresql", dbname=DATABASE, user="postgres", options=f"-c role={ROLE}", connect_timeout=2)

    # A daemon: a server that is frozen answers nobody, and must not keep this from its end.
    threading.Thread(target=ask, args=(connect, tell, ended), daemon=True).start()
    while True:
        readable = select.select([sys.stdin], [], [], 0.2)[0]
        with lock:
            text, lines[:] = "".join(f"{line}\n" for line in lines), []
        sys.stdout.write(text)
        sys.stdout.flush()
        if readable and not os.read(sys.stdin.fileno(), 4096):
            break
    ended.set()
    os._exit(0)


if __name__ == "__main__":
    main()
