"""What a bundle holds: checksums of every file, and their signature.

SHA256SUMS has one line for each file, `HASH  MODE  PATH`, sorted by path, and nothing else. SHA256SUMS.sig is a
signature by `ssh-keygen -Y sign` (PROTOCOL.sshsig of OpenSSH) in the namespace `kinora-bundle`. A bundle is
accepted only as a whole: no file more, no file less, no byte and no mode changed.
"""

import base64
import hashlib
import os
import re
import stat
import subprocess
from pathlib import Path

SUMS = "SHA256SUMS"
SIGNATURE = "SHA256SUMS.sig"
NAMESPACE = "kinora-bundle"
IDENTITY = "release@kinora"
# A signature's text, and the characters in a line of it.
FORM = re.compile(rb"-----BEGIN SSH SIGNATURE-----\n([A-Za-z0-9+/=\n]+)-----END SSH SIGNATURE-----\n")
LINE = 70


class BundleError(Exception):
    """The bundle cannot be used; the text says why and what to do."""


def digest(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def files_below(root: Path) -> dict[str, os.stat_result]:
    """Every file of the bundle but the manifest itself; anything else than files and directories is refused."""
    found = {}
    for directory, names, leaves in os.walk(root):
        for name in names + leaves:
            path = Path(directory, name)
            state = path.lstat()
            relative = path.relative_to(root).as_posix()
            if stat.S_ISDIR(state.st_mode):
                continue
            if not stat.S_ISREG(state.st_mode):
                raise BundleError(f"{relative}: is a link or a special file; a bundle has none")
            if "\n" in relative:
                raise BundleError(f"{relative!r}: a line break in a file's name")
            if relative not in (SUMS, SIGNATURE):
                found[relative] = state
    return found


def mode_of(state: os.stat_result) -> str:
    """`x` for programs, `-` for the rest: what of a file's mode the bundle keeps."""
    return "x" if state.st_mode & stat.S_IXUSR else "-"


def write(root: Path, key: Path) -> None:
    """Writes the checksums of everything below `root` and signs them with the private SSH key `key`."""
    found = files_below(root)
    lines = [f"{digest(root / name)}  {mode_of(found[name])}  {name}\n" for name in sorted(found)]
    (root / SUMS).write_text("".join(lines), encoding="utf-8")
    sign(root / SUMS, key)


def sign(path: Path, key: Path) -> None:
    """Writes `path`.sig."""
    signature = path.with_name(path.name + ".sig")
    signature.unlink(missing_ok=True)
    subprocess.run(
        ["ssh-keygen", "-q", "-Y", "sign", "-n", NAMESPACE, "-f", key, path],
        check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )


def check_signature(path: Path, signature: Path, signers: Path) -> None:
    """Raises [`BundleError`] unless `signature` of `path` was made by one of `signers` (ALLOWED SIGNERS of ssh-keygen)."""
    if not signers.is_file():
        raise BundleError(f"{signers}: the file of allowed signers is not there; it comes with your contract, not with the bundle")
    for wanted in (path, signature):
        if not wanted.is_file():
            raise BundleError(f"{wanted.name}: missing; unpack the bundle again")
    with path.open("rb") as content:
        done = subprocess.run(
            ["ssh-keygen", "-Y", "verify", "-f", signers, "-I", IDENTITY, "-n", NAMESPACE, "-s", signature],
            stdin=content, capture_output=True, text=True, check=False,
        )
    if done.returncode != 0 or not _is_as_written(signature):
        raise BundleError(
            f"{path.name}: the signature is not by {IDENTITY} of {signers.name}. "
            "Do not install this bundle; fetch it again from where you know it is genuine."
        )


def _is_as_written(signature: Path) -> bool:
    """Whether its text is what ssh-keygen writes: verifying, it takes some that differs, as one without its last line break."""
    parts = FORM.fullmatch(signature.read_bytes())
    if parts is None:
        return False
    encoded = base64.b64encode(base64.b64decode(parts[1]))
    return parts[1] == b"".join(encoded[begin : begin + LINE] + b"\n" for begin in range(0, len(encoded), LINE))


def read_sums(root: Path) -> dict[str, tuple[str, str]]:
    """Path → (hash, mode) of a manifest whose signature was checked."""
    listed = {}
    for number, line in enumerate((root / SUMS).read_text(encoding="utf-8").splitlines(), 1):
        parts = line.split("  ", 2)
        if len(parts) != 3 or len(parts[0]) != 64 or parts[2] in listed:
            raise BundleError(f"{SUMS}, line {number}: not a line of checksum, mode and path")
        listed[parts[2]] = (parts[0], parts[1])
    return listed


def verify(root: Path, signers: Path) -> int:
    """Checks everything below `root`; gives the number of files.

    Raises [`BundleError`] that names the first files that are changed, missing or too many.
    """
    check_signature(root / SUMS, root / SIGNATURE, signers)
    listed = read_sums(root)
    found = files_below(root)
    faults = [f"{name}: missing" for name in sorted(listed.keys() - found.keys())]
    faults += [f"{name}: does not belong to the bundle" for name in sorted(found.keys() - listed.keys())]
    for name in sorted(listed.keys() & found.keys()):
        wanted, mode = listed[name]
        if digest(root / name) != wanted:
            faults.append(f"{name}: changed")
        elif mode_of(found[name]) != mode:
            faults.append(f"{name}: its permissions changed")
    if faults:
        more = f"\n  … and {len(faults) - 10} more" if len(faults) > 10 else ""
        raise BundleError("the bundle is not as it was signed:\n  " + "\n  ".join(faults[:10]) + more)
    return len(listed)
