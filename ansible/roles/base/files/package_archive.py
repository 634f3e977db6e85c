"""Makes the archive of packages for hosts of some roles: their .debs, and the part of the bundle's index that tells of them.

    package_archive.py DIRECTORY ARCHIVE KEY    names of .debs on standard input

An index of everything would have apt choose packages that only hosts of other roles were given: it brings all that come
from one source to one version. The index comes last: where it is, everything is.

An archive that was made before is taken again if each byte of its .debs is as the bundle's index says; it prints `made` or `kept`.
"""

import hashlib
import io
import os
import re
import sys
import tarfile
from pathlib import Path


def index_of(index, names):
    """The paragraphs of an index of apt's that are about these files."""
    paragraphs = (paragraph for paragraph in index.split("\n\n") if paragraph.strip())
    return "".join(f"{paragraph.strip()}\n\n" for paragraph in paragraphs if _file(paragraph) in names)


def _file(paragraph):
    found = re.search(r"^Filename: (?:\./)?(.+)$", paragraph, re.MULTILINE)
    return found[1] if found else None


def is_sound(archive, key, names, index):
    """Whether an archive holds these files as the index says, and the index."""
    digests = dict(re.findall(r"^Filename: (?:\./)?(.+)$(?:\n.+)*?\nSHA256: (\w+)$", index, re.MULTILINE))
    try:
        with tarfile.open(archive) as tar:
            found = {member.name.removeprefix(f"{key}/"): hashlib.file_digest(tar.extractfile(member), "sha256").hexdigest() for member in tar}
    except (OSError, tarfile.TarError):
        return False
    return found == {**{name: digests.get(name) for name in names}, "Packages": hashlib.sha256(index.encode()).hexdigest()}


def make(directory, archive, key, names):
    """Makes it where it is missing or not sound; whether it did."""
    text = index_of((directory / "Packages").read_text(encoding="utf-8"), set(names))
    if archive.exists() and is_sound(archive, key, names, text):
        return False
    index = text.encode()
    archive.parent.mkdir(parents=True, exist_ok=True)
    part = archive.with_name(f"{archive.name}.part")
    with tarfile.open(part, "w") as tar:
        for name in names:
            tar.add(directory / name, f"{key}/{name}")
        told = tarfile.TarInfo(f"{key}/Packages")
        told.size = len(index)
        tar.addfile(told, io.BytesIO(index))
    os.replace(part, archive)
    return True


if __name__ == "__main__":
    print("made" if make(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.stdin.read().split()) else "kept")
