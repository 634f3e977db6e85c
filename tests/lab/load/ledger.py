"""Writes a row every tenth of a second and notes when its commit began and when it was acknowledged: what a restore is held against.

    python3 -B ledger.py < /dev/null        as postgres on the primary's host, until standard input ends

Prints a line for each row: its number, when its commit began, when it was acknowledged (seconds of the host's clock, which PostgreSQL
stamps commits by), and up to where the log went then.
"""

import select
import sys
import time

DATABASE, TABLE = "kinora_lab_ledger", "ledger"
EVERY_SECONDS = 0.1


def main() -> None:
    # Where the databases are, and not where measures are.
    import psycopg2

    connection = psycopg2.connect(host="/run/postgresql", dbname=DATABASE)
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute(f"SELECT coalesce(max(number), 0) FROM {TABLE}")
    number, due = cursor.fetchone()[0], time.monotonic()
    while not select.select([sys.stdin], [], [], max(0.0, due - time.monotonic()))[0]:
        number, due = number + 1, due + EVERY_SECONDS
        began = time.time()
        cursor.execute(f"INSERT INTO {TABLE} VALUES (%s)", [number])
        acknowledged = time.time()
        cursor.execute("SELECT pg_current_wal_lsn() - '0/0'")
        print(f"{number} {began:.6f} {acknowledged:.6f} {cursor.fetchone()[0]}", flush=True)


if __name__ == "__main__":
    main()
