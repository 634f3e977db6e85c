#!/usr/bin/python3
"""Builds the bundle: one tar from which Kinora is installed where there is no internet.

    packaging/bundle/build.py --packages DIRECTORY --output DIRECTORY [--key FILE]

--packages has Kinora's own .debs. Without --key a key for development is made beside the output, with its file of allowed
signers. What was downloaded is kept in the output's `cache/` for the next time.
"""

import argparse
import datetime
import shutil
import subprocess
import sys
import tarfile
import time
from pathlib import Path

sys.dont_write_bytecode = True

import closure  # noqa: E402
import manifest  # noqa: E402
import sbom  # noqa: E402

HERE = Path(__file__).resolve().parent
WORKSPACE = HERE.parent.parent
FOLDERS = ["ansible", "nftables", "docs/operations"]
started = time.monotonic()


def say(text: str) -> None:
    print(f"bundle: {time.monotonic() - started:5.1f} s  {text}", flush=True)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Builds the bundle.")
    parser.add_argument("--packages", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--key", type=Path)
    return parser.parse_args()


def signing_key(arguments: argparse.Namespace) -> Path:
    """The release's key, or one for development, which the output says."""
    if arguments.key:
        return arguments.key
    key = arguments.output / "development-key"
    if not key.exists():
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "kinora development", "-f", key], check=True)
    public = key.with_name("development-key.pub").read_text(encoding="utf-8")
    kind, value = public.split()[:2]
    (arguments.output / "allowed_signers").write_text(f"{manifest.IDENTITY} {kind} {value}\n", encoding="utf-8")
    say(f"no --key: signed with {key}, for development only")
    return key


def own_repository(packages: Path, directory: Path) -> None:
    """A flat repository of Kinora's own packages."""
    directory.mkdir(parents=True, exist_ok=True)
    debs = sorted(packages.glob("*.deb"))
    if not debs:
        raise SystemExit(f"bundle: no packages in {packages}; run `make packages`")
    for deb in debs:
        shutil.copy2(deb, directory / deb.name)
    write_index(directory)


def write_index(directory: Path) -> str:
    index = subprocess.run(["apt-ftparchive", "packages", "."], check=True, capture_output=True, text=True, cwd=directory).stdout
    (directory / "Packages").write_text(index, encoding="utf-8")
    return index


def collect_debian(archive: closure.Archive, wanted: dict[str, list[str]], own: Path, root: Path) -> str:
    """Fills `debian/` and `closures/`; gives the index."""
    (root / "debian").mkdir()
    (root / "closures").mkdir()
    needed: set[str] = set()
    for role, packages in wanted.items():
        files = [file_name(name) for name in archive.closure(packages)]
        archive.download(packages)
        needed.update(files)
        (root / "closures" / f"{role}.packages").write_text("".join(f"{name}\n" for name in packages), encoding="utf-8")
        (root / "closures" / f"{role}.txt").write_text("".join(f"{name}\n" for name in sorted(files)), encoding="utf-8")
        say(f"{role}: {len(packages)} packages, {len(files)} with all they need")
    have = {file_name(path.name.replace("%3a", ":")): path for path in (archive.directory / "archives").glob("*.deb")}
    have.update({path.name: path for path in own.glob("*.deb")})
    for name in sorted(needed):
        if name not in have:
            raise SystemExit(f"bundle: {name} was not downloaded")
        shutil.copyfile(have[name], root / "debian" / name)
    return write_index(root / "debian")


def file_name(name: str) -> str:
    """A package's file name without its version's epoch: a colon in a name troubles tools."""
    package, version, rest = name.split("_", 2)
    return f"{package}_{version.rpartition(':')[2]}_{rest}"


def collect_project(root: Path, version: str) -> None:
    for folder in FOLDERS:
        shutil.copytree(WORKSPACE / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__", "*.retry", "vault.yml", ".vault-password"))
    (root / "lib").mkdir()
    shutil.copyfile(HERE / "manifest.py", root / "lib" / "manifest.py")
    shutil.copyfile(HERE / "install.py", root / "install")
    (root / "VERSION").write_text(f"{version}\n", encoding="utf-8")
    for path in root.rglob("*"):
        if path.is_file():
            executable = path.name == "install" or path.stat().st_mode & 0o100
            path.chmod(0o755 if executable and path.suffix != ".deb" else 0o644)


def pack(root: Path, target: Path) -> None:
    def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = "root"
        return entry

    # .debs are compressed already.
    with tarfile.open(target, "w") as tar:
        tar.add(root, arcname=root.name, filter=plain)


def project_version() -> str:
    return subprocess.run([HERE.parent / "version"], check=True, capture_output=True, text=True).stdout.strip()


def forget_development(output: Path, tar: Path) -> None:
    """Each commit's bundle has a name of its own: what was built for development before makes way."""
    for old in output.glob("kinora-*dev*.tar*"):
        if old.name not in (tar.name, f"{tar.name}.sig"):
            old.unlink()


def main() -> int:
    arguments = parse()
    output = arguments.output.resolve()
    output.mkdir(parents=True, exist_ok=True)
    version = project_version()
    root = output / f"kinora-{version}"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    key = signing_key(arguments)

    archive = closure.Archive(output / "cache")
    own = output / "own"
    shutil.rmtree(own, ignore_errors=True)
    own_repository(arguments.packages, own)
    say("reading Debian's indexes")
    archive.prepare(own)
    index = collect_debian(archive, closure.role_packages(WORKSPACE / "ansible" / "roles"), own, root)
    say("playbooks, rules, bill of materials")
    collect_project(root, version)
    stamp = datetime.datetime.now(datetime.UTC).replace(microsecond=0).isoformat()
    components = sbom.debian_components(index) + sbom.crate_components(WORKSPACE)
    components += sbom.web_components(WORKSPACE / "services" / "web" / "package-lock.json")
    components += sbom.script_components(root, [*FOLDERS, "install", "lib"])
    (root / "sbom.cdx.json").write_text(sbom.document(version, components, stamp), encoding="utf-8")
    say("checksums and signature")
    manifest.write(root, key)
    tar = output / f"kinora-{version}.tar"
    pack(root, tar)
    manifest.sign(tar, key)
    shutil.rmtree(root)
    forget_development(output, tar)
    say(f"{tar} ({tar.stat().st_size / 1e6:.0f} MB, {len(components)} components in its bill of materials)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
