#!/usr/bin/python3 -B
"""Makes a bundle of the release that does not exist yet: this tree, one minor version later, with one more migration.

    tests/lab/next_release.py --packages DIRECTORY --output DIRECTORY [--programs DIRECTORY] [--engines]

For the measure `upgrade` (make lab-test ONLY=upgrade), which needs two releases. --packages has this release's .debs (make packages):
what they hold besides programs is taken over. The programs are built from a copy of the tracked files, in which the version, the
list of releases and the migrations differ, so that they are what a next release's would be: they refuse the schema of this one. Building
takes some minutes; --programs uses those that were built before, in any profile. --engines gives PostgreSQL's, RabbitMQ's and the other
engines' packages a higher version, with the same content, so that the upgrade has to stop and change each.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

WORKSPACE = Path(__file__).resolve().parents[2]
PROGRAMS = {
    "kinora-application": ["kinora-application", "kinora-saml-verifier"],
    "kinora-backend": ["kinora-backend"],
    "kinora-worker": ["kinora-worker"],
    "kinoractl": ["kinoractl"],
}
MIGRATION = "29990101000000"
# What a release may well bring: columns on a table that everybody writes, and a table that refers to it.
UP = """\
ALTER TABLE productions ADD COLUMN lab_note text NOT NULL DEFAULT '';
ALTER TABLE productions ADD COLUMN lab_colour text;
CREATE TABLE lab_notes (
    id            uuid PRIMARY KEY,
    production_id uuid NOT NULL REFERENCES productions (id) ON DELETE CASCADE,
    note          text NOT NULL
);
CREATE INDEX lab_notes_production ON lab_notes (production_id);
"""
DOWN = "DROP TABLE lab_notes;\nALTER TABLE productions DROP COLUMN lab_note, DROP COLUMN lab_colour;\n"
ENGINES = ("etcd-server", "rabbitmq-server", "redis-server", "redis-sentinel", "redis-tools", "patroni", "haproxy", "keepalived")


def say(text: str) -> None:
    print(f"next-release: {text}", flush=True)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Makes a bundle of the next release.")
    parser.add_argument("--packages", type=Path, required=True, help="this release's .debs")
    parser.add_argument("--output", type=Path, required=True, help="where the bundle goes; its cache/ is used, if there is one")
    parser.add_argument("--programs", type=Path, help="programs that were built from `--source-only`")
    parser.add_argument("--source-only", type=Path, metavar="DIRECTORY", help="only write the changed source there")
    parser.add_argument("--engines", action="store_true")
    return parser.parse_args()


def next_version(text: str) -> str:
    major, minor, _ = text.split(".")
    return f"{major}.{int(minor) + 1}.0"


def write_source(target: Path) -> str:
    """A copy of the tracked files as they are now, as the next release; returns its version."""
    names = subprocess.run(["git", "-C", WORKSPACE, "ls-files", "-z"], check=True, capture_output=True, text=True).stdout.split("\0")
    for name in filter(None, names):
        source, to = WORKSPACE / name, target / name
        if source.is_file():
            to.parent.mkdir(parents=True, exist_ok=True)
            # With its times: what was built from the same source need not be built again.
            if not to.exists() or to.read_bytes() != source.read_bytes():
                shutil.copy2(source, to)
    manifest = target / "Cargo.toml"
    now = re.search(r'^version = "([0-9.]+)"$', manifest.read_text(encoding="utf-8"), re.MULTILINE)[1]
    then = next_version(now)
    change(manifest, f'version = "{now}"', f'version = "{then}"')
    lock = target / "Cargo.lock"
    lock.write_text(re.sub(rf'(name = "kinora[a-z-]*"\nversion = )"{re.escape(now)}"', rf'\1"{then}"', lock.read_text(encoding="utf-8")), encoding="utf-8")
    numbers = ", ".join(then.split("."))
    change(target / "services/store/src/releases.rs", "])];", f"]), Version([{numbers}])];")
    migration = target / "services/store/migrations" / f"2999-01-01-000000_{MIGRATION}"
    migration.mkdir(parents=True, exist_ok=True)
    for name, text in (("up.sql", UP), ("down.sql", DOWN)):
        (migration / name).write_text(text, encoding="utf-8")
    return then


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    if text.count(old) != 1:
        raise SystemExit(f"next-release: {path} has {text.count(old)} times {old!r}, not once")
    path.write_text(text.replace(old, new), encoding="utf-8")


def build(source: Path) -> Path:
    """Builds the programs as `make packages` does, beside what was built of this release, whose libraries are used."""
    directory = Path(os.environ.get("CARGO_TARGET_DIR") or WORKSPACE / "target")
    say(f"building in {directory}; this takes some minutes")
    packages = [f"--package={name}" for name in (*PROGRAMS, "kinora-saml-verifier")]
    environment = {**os.environ, "CARGO_TARGET_DIR": str(directory)}
    subprocess.run(["cargo", "build", "--locked", "--profile", "release", "--bins", *packages], check=True, cwd=source, env=environment)
    return directory / "release"


def repack(deb: Path, target: Path, version: str, programs: Path | None, stamp: str | None = None) -> None:
    """The same package with another version, and other programs where there are some; packages of the same source that it needs
    in just its version become that version, too."""
    with tempfile.TemporaryDirectory(prefix="kinora-repack-") as scratch:
        root = Path(scratch) / "root"
        subprocess.run(["dpkg-deb", "--raw-extract", deb, root], check=True)
        control = root / "DEBIAN/control"
        text = control.read_text(encoding="utf-8")
        name, old = re.search(r"^Package: (.+)$", text, re.MULTILINE)[1], re.search(r"^Version: (.+)$", text, re.MULTILINE)[1]
        new = version or f"{old}{stamp}"
        control.write_text(text.replace(f"Version: {old}\n", f"Version: {new}\n").replace(f"(= {old})", f"(= {new})"), encoding="utf-8")
        for program in PROGRAMS.get(name, []) if programs else []:
            place = next(path for path in root.rglob(program) if path.is_file() and path.parent.name in ("bin", "kinora"))
            shutil.copyfile(programs / program, place)
            subprocess.run(["strip", "--strip-debug", place], check=True)
        # What the package says of its files is of the old ones.
        (root / "DEBIAN/md5sums").unlink(missing_ok=True)
        file = f"{name}_{new.rpartition(':')[2]}_{re.search(r'^Architecture: (.+)$', text, re.MULTILINE)[1]}.deb"
        subprocess.run(["dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "--build", root, target / file], check=True, stdout=subprocess.DEVNULL)


def main() -> int:
    arguments = parse()
    if arguments.source_only:
        say(f"the source of {write_source(arguments.source_only)} is in {arguments.source_only}")
        return 0
    output = arguments.output.resolve()
    source = output / "source"
    if source.exists():
        # The version would be changed twice.
        for name in ("Cargo.toml", "Cargo.lock", "services/store/src/releases.rs"):
            (source / name).unlink(missing_ok=True)
    version = write_source(source)
    programs = arguments.programs or build(source)
    packages = output / "packages"
    shutil.rmtree(packages, ignore_errors=True)
    packages.mkdir(parents=True)
    for name in PROGRAMS:
        (deb,) = arguments.packages.glob(f"{name}_*.deb")
        say(f"{name} {version}")
        repack(deb, packages, f"{version}-1", programs)
    if arguments.engines:
        for name in ENGINES:
            debs = sorted((output / "cache/archives").glob(f"{name}_*.deb"))
            if not debs:
                raise SystemExit(f"next-release: no {name} in {output}/cache; build this release's bundle there first")
            say(f"{name} with a higher version")
            repack(debs[-1], packages, "", None, "+lab1")
    command = [source / "packaging/bundle/build.py", "--packages", packages, "--output", output]
    subprocess.run(["/usr/bin/python3", "-B", *command], check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
