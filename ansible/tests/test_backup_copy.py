"""Copies of the backups in a bucket: against a real S3 server (Garage), with the real rclone."""

import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
import unittest
from datetime import UTC, datetime
from pathlib import Path
from unittest import mock

import jinja2
from inventories import ANSIBLE
from programs import load_program

PROGRAM = ANSIBLE / "roles/backup_copy/files/backup-copy"
RETURN = ANSIBLE / "roles/backup/files/backup-return"
FULL, INCREMENT, WAL = "backup/kinora/20261101-013000F", "backup/kinora/20261101-013000F_20261102-013000I", "archive/kinora/17-1/0000000100000000"
DAY = 86400
# What the unit gives, too: nothing of the machine's own.
ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}


class Bucket:
    """An S3 service of this test with one bucket: Garage, on ports of its own."""

    def __init__(self, scratch):
        place = scratch / "s3"
        place.mkdir()
        with contextlib.ExitStack() as stack:
            sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2)]
            rpc, api = (each.getsockname()[1] for each in sockets)
        (place / "garage.toml").write_text(
            f'metadata_dir = "{place}/meta"\ndata_dir = "{place}/data"\ndb_engine = "sqlite"\nreplication_factor = 1\n'
            f'rpc_bind_addr = "127.0.0.1:{rpc}"\nrpc_public_addr = "127.0.0.1:{rpc}"\nrpc_secret = "{secrets.token_hex(32)}"\n'
            f'[s3_api]\ns3_region = "us-east-1"\napi_bind_addr = "127.0.0.1:{api}"\n', encoding="utf-8",
        )
        key, self.secret = "GK" + secrets.token_hex(12), secrets.token_hex(32)
        self.process = subprocess.Popen(
            ["garage", "-c", str(place / "garage.toml"), "server", "--single-node", "--default-bucket"],
            env={**ENVIRONMENT, "GARAGE_DEFAULT_ACCESS_KEY": key, "GARAGE_DEFAULT_SECRET_KEY": self.secret, "GARAGE_DEFAULT_BUCKET": "kinora"},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        self.settings = scratch / "rclone.conf"
        self.settings.write_text(rclone_settings(f"http://127.0.0.1:{api}", key, self.secret), encoding="utf-8")
        while self.rclone("lsf", "copy:kinora/").returncode != 0:
            assert self.process.poll() is None, "garage ended"
            time.sleep(0.1)

    def end(self):
        self.process.kill()
        self.process.wait()

    def rclone(self, *words):
        environment = {**ENVIRONMENT, "RCLONE_CONFIG": str(self.settings)}
        return subprocess.run(["rclone", "--retries", "1", "--low-level-retries", "1", *words], env=environment, capture_output=True, text=True, check=False, timeout=60)

    def names(self):
        return set(self.rclone("lsf", "--recursive", "--files-only", "copy:kinora/fleet/").stdout.splitlines())

    def text(self, name):
        return self.rclone("cat", f"copy:kinora/fleet/{name}").stdout


def rclone_settings(endpoint, key, secret):
    """What the role writes."""
    template = (ANSIBLE / "roles/backup_copy/templates/rclone.conf.j2").read_text(encoding="utf-8")
    given = {"endpoint": endpoint, "region": "us-east-1"}
    return jinja2.Template(template).render(ansible_managed="", _backup_copy_s3=given, _backup_copy_secrets={"access_key": key, "secret_key": secret})


class Copy(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.place = Path(scratch.name)
        self.bucket = Bucket(self.place)
        self.addCleanup(self.bucket.end)
        self.kept = self.place / "kept"
        (self.place / "state").mkdir()
        for name in (f"{FULL}/backup.manifest", f"{INCREMENT}/pg_data/base.zst", f"{WAL}/000000010000000000000001-ab.zst", "info/backup.info.100", "info/archive.info.100"):
            self.put(name, name)

    def put(self, name, text):
        path = self.kept / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def run_program(self, *words, kept=None, settings=None):
        environment = {**ENVIRONMENT, "RCLONE_CONFIG": str(settings or self.bucket.settings)}
        command = ["python3", "-B", str(PROGRAM), words[0], str(kept or self.kept), "kinora/fleet", *words[1:]]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)

    def send(self, **more):
        return self.run_program("send", "43", str(self.place / "state"), str(self.place / "kinora.prom"), **more)

    def sent(self):
        done = self.send()
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def state(self):
        return json.loads((self.place / "state/state.json").read_text(encoding="utf-8"))

    def test_all_is_sent_once_and_comes_back_as_a_repository(self):
        self.put(f"{FULL}/half.new", "is being written")
        self.sent()
        local = {str(path.relative_to(self.kept)) for path in self.kept.rglob("*") if path.is_file()}
        self.assertEqual(self.bucket.names(), local - {f"{FULL}/half.new"})
        figures = (self.place / "kinora.prom").read_text(encoding="utf-8")
        self.assertRegex(figures, r"^kinora_backup_away_expected_since_seconds \d{10}\nkinora_backup_away_at_seconds \d{10}\n$")
        # The next ones send what came since, and leave what is there, whatever has become of it here.
        self.put(f"{WAL}/000000010000000000000002-cd.zst", "two")
        self.put(f"{FULL}/backup.manifest", "altered")
        self.sent()
        self.assertIn(f"{WAL}/000000010000000000000002-cd.zst", self.bucket.names())
        self.assertEqual(self.bucket.text(f"{FULL}/backup.manifest"), f"{FULL}/backup.manifest")

        # The host burns, and with it all that was kept.
        new = self.place / "new/kept"
        done = self.run_program("fetch", kept=new)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual({str(path.relative_to(new)) for path in new.rglob("*") if path.is_file()}, self.bucket.names())
        tools = self.place / "bin"
        tools.mkdir()
        for name in ("chown", "systemctl", "runuser"):
            (tools / name).write_text("#!/bin/sh\n", encoding="utf-8")
            (tools / name).chmod(0o755)
        done = subprocess.run(["sh", str(RETURN), str(self.place / "repository"), str(new)], env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual((self.place / "repository/backup/kinora/backup.info").read_text(encoding="utf-8"), "info/backup.info.100")
        self.assertTrue((self.place / "repository" / INCREMENT / "pg_data/base.zst").is_file())

    def test_that_the_kept_ones_are_emptied_empties_nothing_else(self):
        self.sent()
        before = self.bucket.names()
        shutil.rmtree(self.kept)
        self.kept.mkdir()
        # Also where everything is looked at again.
        (self.place / "state/state.json").unlink()
        self.sent()
        self.assertEqual(self.bucket.names(), before)

    def test_what_was_missed_is_sent_by_the_next_whole_look(self):
        self.sent()
        late = self.put(f"{WAL}/000000010000000000000003-ef.zst", "three")
        os.utime(late, (time.time() - DAY, time.time() - DAY))
        self.sent()
        self.assertNotIn(f"{WAL}/000000010000000000000003-ef.zst", self.bucket.names())
        (self.place / "state/state.json").write_text(json.dumps({**self.state(), "whole_at": time.time() - DAY - 1}), encoding="utf-8")
        self.sent()
        self.assertIn(f"{WAL}/000000010000000000000003-ef.zst", self.bucket.names())

    def test_another_bucket_gets_everything(self):
        self.sent()
        self.bucket.rclone("purge", "copy:kinora/fleet/")
        (self.place / "state/state.json").write_text(json.dumps({**self.state(), "place": "another"}), encoding="utf-8")
        self.sent()
        self.assertEqual(len(self.bucket.names()), 5)

    def test_a_service_that_is_away_is_said_and_nothing_counts_as_sent(self):
        self.sent()
        before, figures = self.state(), (self.place / "kinora.prom").read_text(encoding="utf-8")
        self.bucket.end()
        done = self.send()
        self.assertEqual(done.returncode, 1)
        self.assertIn("backup-copy: rclone copy ended with", done.stderr)
        self.assertNotIn(self.bucket.secret, done.stderr)
        self.assertEqual((self.state(), (self.place / "kinora.prom").read_text(encoding="utf-8")), (before, figures))

    def test_a_service_that_was_never_there_is_expected_since_the_first_try(self):
        self.bucket.end()
        self.assertEqual(self.send().returncode, 1)
        self.assertRegex((self.place / "kinora.prom").read_text(encoding="utf-8"), r"^kinora_backup_away_expected_since_seconds \d{10}\n$")
        self.assertNotIn("sent_at", self.state())

    def test_what_is_too_old_goes_and_the_months_first_stay_for_a_year(self):
        program = load_program(PROGRAM)
        now = datetime(2026, 12, 31, tzinfo=UTC).timestamp()
        second = "backup/kinora/20261108-013000F"
        files = [(f"{place}/backup.manifest", now - 50 * DAY) for place in (FULL, INCREMENT, second)]
        files += [(f"{WAL}/a", now - 50 * DAY), (f"{WAL}/b", now - 3 * DAY), ("info/backup.info.100", now - 50 * DAY), ("info/backup.info.1", now - 371 * DAY)]
        old = set(program.too_old(files, 43, now))
        self.assertEqual(old, {f"{INCREMENT}/backup.manifest", f"{second}/backup.manifest", f"{WAL}/a", "info/backup.info.1"})

    def test_old_ones_are_removed_from_the_bucket(self):
        self.sent()
        program, wanted = load_program(PROGRAM), {f"{WAL}/000000010000000000000001-ab.zst", f"{INCREMENT}/pg_data/base.zst"}
        before = self.bucket.names()
        with mock.patch.dict(os.environ, {**ENVIRONMENT, "RCLONE_CONFIG": str(self.bucket.settings)}, clear=True):
            self.assertEqual(program.forget("kinora/fleet", 43, time.time() + 44 * DAY), (5, 2))
        self.assertEqual(before - self.bucket.names(), wanted)


if __name__ == "__main__":
    unittest.main()
