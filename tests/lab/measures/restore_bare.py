"""Row 10: every host is put aside for a bare machine; what is left is the repository, the storage, the bundle, and the inventory with its vault file.

`restore --bare` makes Kinora of it again. A database of 1 GB; the clock runs from the call of the verb until the canary has landed.
"""

import time
from collections.abc import Iterator

from lab import install
from lab.problem import Problem

from . import canary
from .at_work import PSQL, wait, wait_until_redundant
from .figures import Figure, Options
from .hosts import Lab
from .install import run

SECTION = "restore"
GOAL_MINUTES = 15
BYTES, SAMPLED_BYTES = 1 << 30, 32 << 20
ROW_BYTES = 8192
DATABASE = "kinora_lab_bulk"
# Random, so that it is as large in the backup as on the disk.
FILL = """
SELECT 'CREATE DATABASE {database}' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{database}') \\gexec
\\connect {database}
CREATE EXTENSION IF NOT EXISTS pgcrypto;
CREATE TABLE IF NOT EXISTS bulk (number bigint PRIMARY KEY, content bytea);
ALTER TABLE bulk ALTER COLUMN content SET STORAGE EXTERNAL;
INSERT INTO bulk SELECT n, (SELECT string_agg(gen_random_bytes(1024), ''::bytea) FROM generate_series(1, {pieces}) WHERE n > 0)
    FROM generate_series(1, {rows}) n ON CONFLICT DO NOTHING;
"""


def measure(lab: Lab, options: Options) -> Iterator[Figure]:
    command = f"make lab-test LAB={options.layout} ONLY=restore_bare"
    bundle, wanted = install.on_controller(lab.control), SAMPLED_BYTES if options.sampled else BYTES
    canary.password(lab)
    rows = fill(lab, wanted)
    options.say(f"{rows} rows, {wanted >> 20} MB; a full backup")
    repository = lab.members("backup_repository")[0]
    for order in (["systemctl", "start", "kinora-backup@full.service"], ["runuser", "-u", "postgres", "--", "pgbackrest", "--stanza=kinora", "check"]):
        if not (done := lab.exec(repository, order, timeout=900)).ok:
            raise Problem(f"{' '.join(order)}: {(done.error or done.output).strip()[-400:]}")
    for host in lab.servers:
        lab.power(host.name, "new")
        options.say(f"{host.name} is bare")
    # A new controller knows no keys of hosts.
    lab.exec("control", "rm -f /root/.ssh/known_hosts")
    began = time.monotonic()
    run(lab, bundle, options.say, "restore --bare")
    restored = time.monotonic()
    flight = canary.fly(lab)
    minutes = (time.monotonic() - began) / 60
    found = wait(lambda: lab.exec(wait_until_redundant(lab), [*PSQL, DATABASE, "--command", "SELECT count(*), sum(length(content)) FROM bulk"]).output.strip(), 30, "no answer")
    reached = flight.ok and (minutes <= GOAL_MINUTES or options.sampled)
    goal = "the canary flies" if options.sampled else f"≤ {GOAL_MINUTES} min"
    value = f"{minutes:.1f} min, of that the canary {(time.monotonic() - restored):.0f} s" if flight.ok else "the canary failed"
    yield Figure(SECTION, f"bare hosts to the first canary, database of {wanted >> 20} MB", value, goal, reached, command, flight.stages)
    whole = found == f"{rows}|{rows * ROW_BYTES}"
    yield Figure(SECTION, "rows of that database afterwards", found.replace("|", " rows, ") + " bytes", f"{rows} rows", whole, command)
    lab.exec(wait_until_redundant(lab), [*PSQL, "postgres", "--command", f"DROP DATABASE {DATABASE} WITH (FORCE)"])


def fill(lab: Lab, wanted: int) -> int:
    """Fills a database beside Kinora's own; its rows."""
    rows = wanted // ROW_BYTES
    text = FILL.format(database=DATABASE, pieces=ROW_BYTES // 1024, rows=rows)
    made = lab.exec(wait_until_redundant(lab), [*PSQL, "postgres", "--file=-"], timeout=900, stdin=text)
    if not made.ok:
        raise Problem(f"the database could not be filled: {made.error.strip()[-400:]}")
    return rows
