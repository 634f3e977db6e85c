"""Which Debian packages each Ansible role needs, with everything they need in turn, from Debian 13's archive.

The roles say what they install in `_<role>_packages` of their `vars/main.yml` or `defaults/main.yml`; that is the only
list. apt itself works the closure out, over an empty system, so that a bundle serves the barest host.
"""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import yaml

SUITE = "trixie"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
CONTROLLER = "controller"
CONTROLLER_PACKAGES = ["ansible", "openssh-client", "python3-cryptography"]


def role_packages(roles: Path) -> dict[str, list[str]]:
    """Role → packages it installs."""
    wanted: dict[str, list[str]] = {CONTROLLER: list(CONTROLLER_PACKAGES)}
    for role in sorted(path for path in roles.iterdir() if path.is_dir()):
        names: list[str] = []
        for place in ("defaults", "vars"):
            file = role / place / "main.yml"
            if file.is_file():
                variables = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
                names += variables.get(f"_{role.name}_packages", [])
        if names:
            wanted[role.name] = sorted(set(names))
    return wanted


def mirrors() -> tuple[str, str]:
    """This machine's mirrors of Debian's archive and of its security updates."""
    output = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(SITE) $(RELEASE)"], check=True, capture_output=True, text=True
    ).stdout
    archive = security = None
    for line in output.splitlines():
        site, _, release = line.partition(" ")
        if release.endswith("-security"):
            security = security or site
        elif re.fullmatch(r"(bookworm|trixie)", release):
            archive = archive or site
    archive = archive or "http://deb.debian.org/debian"
    return archive, security or "http://deb.debian.org/debian-security"


@dataclass
class Archive:
    """apt over an empty Debian 13, in a directory of its own."""

    directory: Path
    architecture: str = "amd64"

    def prepare(self, own_packages: Path) -> None:
        """Fetches the indexes; `own_packages` is a flat repository with Kinora's packages."""
        for name in ("lists/partial", "archives/partial", "etc/preferences.d"):
            (self.directory / name).mkdir(parents=True, exist_ok=True)
        (self.directory / "status").touch()
        archive, security = mirrors()
        (self.directory / "sources.list").write_text(
            f"deb [signed-by={KEYRING}] {archive} {SUITE} main\n"
            f"deb [signed-by={KEYRING}] {archive} {SUITE}-updates main\n"
            f"deb [signed-by={KEYRING}] {security} {SUITE}-security main\n"
            f"deb [trusted=yes] file:{own_packages} ./\n",
            encoding="utf-8",
        )
        self._apt("update")

    def _apt(self, *arguments: str) -> str:
        options = [
            f"-oDir::State={self.directory}", f"-oDir::State::status={self.directory}/status", f"-oDir::State::lists={self.directory}/lists",
            f"-oDir::Cache={self.directory}", f"-oDir::Etc={self.directory}/etc", f"-oDir::Etc::sourcelist={self.directory}/sources.list",
            "-oDir::Etc::sourceparts=-", f"-oAPT::Architecture={self.architecture}", f"-oAPT::Architectures={self.architecture}",
            "-oAPT::Install-Recommends=false", "-oAPT::Install-Suggests=false", "-oAPT::Sandbox::User=root", "-oAPT::Get::List-Cleanup=false",
        ]
        done = subprocess.run(["apt-get", *options, *arguments], check=False, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"apt-get {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def closure(self, packages: list[str]) -> list[str]:
        """File names of `packages` and all they need."""
        # What is in apt's cache is not listed, so it looks into an empty one.
        empty = self.directory / "empty"
        (empty / "partial").mkdir(parents=True, exist_ok=True)
        output = self._apt(f"-oDir::Cache::archives={empty}", "install", "--yes", "--print-uris", *packages)
        # 'URI' FILE SIZE HASH
        return sorted(unquote(match.group(1)) for match in re.finditer(r"^'[^']+' (\S+\.deb) \d+", output, re.MULTILINE))

    def download(self, packages: list[str]) -> None:
        """Fetches `packages` and all they need into `archives/`."""
        self._apt("install", "--yes", "--download-only", *packages)
