"""A bundle that is not exactly as it was signed is refused, before anything else happens."""

import base64
import fcntl
import json
import os
import random
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import build  # noqa: E402
import closure  # noqa: E402
import manifest  # noqa: E402
import sbom  # noqa: E402

WORKSPACE = HERE.parent.parent
MUTATIONS, TAR_MUTATIONS, SEED = 240, 120, 20261122
# What `apt-ftparchive packages` writes of a package; this machine's own have no checksum.
INDEX = "Package: ${Package}\\nVersion: ${Version}\\nArchitecture: ${Architecture}\\nSHA256: " + 64 * "0" + "\\n\\n"
PLUS = f"Package: libstdc++6\nVersion: 14.2.0-19+b1\nArchitecture: amd64\nSHA256: {64 * '1'}\n"


def key_pair(directory: Path, name: str) -> tuple[Path, Path]:
    """A signing key, and the file of allowed signers that has it."""
    key = directory / name
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    signers = directory / f"{name}.signers"
    kind, value = key.with_suffix(".pub").read_text(encoding="utf-8").split()[:2]
    signers.write_text(f"{manifest.IDENTITY} {kind} {value}\n", encoding="utf-8")
    return key, signers


def make_tree(root: Path, dice: random.Random) -> None:
    """Something like a bundle: the real installer, playbooks that would leave a mark, packages of random bytes."""
    for name in ("lib", "debian", "closures", "ansible/playbooks", "nftables/roles"):
        (root / name).mkdir(parents=True)
    shutil.copyfile(HERE / "install.py", root / "install")
    (root / "install").chmod(0o755)
    shutil.copyfile(HERE / "manifest.py", root / "lib" / "manifest.py")
    (root / "VERSION").write_text("1.2.3\n", encoding="utf-8")
    for verb in ("site", "status", "restore", "restore-bare"):
        (root / "ansible" / "playbooks" / f"{verb}.yml").write_text("- hosts: all\n", encoding="utf-8")
    (root / "closures" / "controller.packages").write_text("ansible\n", encoding="utf-8")
    for number in range(12):
        (root / "debian" / f"package{number}_1_amd64.deb").write_bytes(dice.randbytes(dice.randrange(1, 4096)))
        (root / "nftables" / "roles" / f"role{number}.nft").write_text(f"# {number}\n" * 20, encoding="utf-8")


class Mutations:
    """Ways to change a bundle; each says what it did."""

    def __init__(self, root: Path, dice: random.Random) -> None:
        self.root, self.dice = root, dice
        self.files = sorted(path for path in root.rglob("*") if path.is_file())

    def any(self) -> str:
        return self.dice.choice([self.flip, self.swap, self.cut, self.extend, self.remove, self.add, self.link, self.mode, self.rename])()

    def pick(self) -> Path:
        # A bundle's installer cannot vouch for itself: what was done to it, the signature of the whole tar shows (TarTest).
        own = {self.root / "install", self.root / "lib" / "manifest.py"}
        return self.dice.choice([path for path in self.files if path not in own])

    def flip(self) -> str:
        path = self.pick()
        content = bytearray(path.read_bytes())
        position = self.dice.randrange(len(content))
        content[position] ^= 1 << self.dice.randrange(8)
        path.write_bytes(content)
        return f"flip a bit of {path.name} at {position}"

    def swap(self) -> str:
        while True:
            path = self.pick()
            content = bytearray(path.read_bytes())
            one, other = self.dice.randrange(len(content)), self.dice.randrange(len(content))
            if content[one] != content[other]:
                content[one], content[other] = content[other], content[one]
                path.write_bytes(content)
                return f"swap bytes {one} and {other} of {path.name}"
            if len(set(content)) > 1:
                continue
            other_file = self.pick()
            if other_file.read_bytes() != path.read_bytes():
                first, second = path.read_bytes(), other_file.read_bytes()
                path.write_bytes(second)
                other_file.write_bytes(first)
                return f"swap {path.name} and {other_file.name}"

    def cut(self) -> str:
        path = self.pick()
        path.write_bytes(path.read_bytes()[:-1])
        return f"cut the last byte of {path.name}"

    def extend(self) -> str:
        path = self.pick()
        path.write_bytes(path.read_bytes() + self.dice.randbytes(1))
        return f"add a byte to {path.name}"

    def remove(self) -> str:
        path = self.pick()
        path.unlink()
        return f"remove {path.name}"

    def add(self) -> str:
        path = self.dice.choice([self.root, *(place for place in self.root.rglob("*") if place.is_dir())]) / "added.yml"
        path.write_text("- hosts: all\n", encoding="utf-8")
        return f"add {path}"

    def link(self) -> str:
        path = self.pick()
        target = path.with_name("elsewhere")
        path.rename(target)
        path.symlink_to(target.name)
        return f"make {path.name} a link"

    def mode(self) -> str:
        path = self.dice.choice([path for path in self.files if path.name not in (manifest.SUMS, manifest.SIGNATURE)])
        path.chmod(path.stat().st_mode ^ 0o111)
        return f"change who may run {path.name}"

    def rename(self) -> str:
        path = self.pick()
        path.rename(path.with_name(path.name + "x"))
        return f"rename {path.name}"


class BundleTest(unittest.TestCase):
    def setUp(self) -> None:
        self.directory = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.dice = random.Random(SEED)
        self.root = self.directory / "kinora-1.2.3"
        make_tree(self.root, self.dice)
        self.key, self.signers = key_pair(self.directory, "release")
        manifest.write(self.root, self.key)

    def install(self, root: Path, *arguments: str) -> subprocess.CompletedProcess:
        """Runs the bundle's installer where `ansible-playbook` and `apt-get` would leave a mark."""
        programs = self.make_programs()
        command = [sys.executable, root / "install", *arguments, "--signers", self.signers, "--inventory", self.directory / "inventory"]
        return subprocess.run(command, env={"PATH": f"{programs}:/usr/bin:/bin"}, capture_output=True, text=True, check=False)

    def make_programs(self) -> Path:
        programs = self.directory / "programs"
        if not programs.exists():
            programs.mkdir()
            for name in ("ansible-playbook", "apt-get", "sudo"):
                (programs / name).write_text(f"#!/bin/sh\necho \"$*\" >> {self.directory}/touched\n", encoding="utf-8")
                (programs / name).chmod(0o755)
            (self.directory / "inventory").mkdir(exist_ok=True)
            (self.directory / "inventory" / "hosts.yml").touch()
        return programs

    def was_touched(self) -> bool:
        return (self.directory / "touched").exists()

    def test_an_untouched_bundle_is_installed(self) -> None:
        done = self.install(self.root, "site")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(self.was_touched())
        # Running it left nothing in it.
        self.assertEqual(self.install(self.root, "verify").returncode, 0)

    def test_every_mutation_is_refused_before_anything_is_touched(self) -> None:
        """By the bundle's own installer, called as an operator does."""
        def attempt(number: int) -> tuple[str, subprocess.CompletedProcess]:
            copy = self.directory / f"copy{number}"
            shutil.copytree(self.root, copy, symlinks=True)
            what = Mutations(copy, random.Random(SEED + number)).any()
            done = self.install(copy, "site")
            shutil.rmtree(copy)
            return what, done

        self.make_programs()
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for number, (what, done) in enumerate(pool.map(attempt, range(MUTATIONS))):
                with self.subTest(number=number, what=what):
                    self.assertEqual(done.returncode, 1, done.stdout)
                    self.assertIn("install: ", done.stderr)
        self.assertFalse(self.was_touched())

    def test_a_foreign_signature_is_refused(self) -> None:
        foreign, _ = key_pair(self.directory, "foreign")
        (self.root / "debian" / "package1_1_amd64.deb").write_bytes(b"evil")
        manifest.write(self.root, foreign)
        with self.assertRaisesRegex(manifest.BundleError, "not by release@kinora"):
            manifest.verify(self.root, self.signers)

    def test_a_signature_for_another_purpose_is_refused(self) -> None:
        sums = self.root / manifest.SUMS
        (self.root / manifest.SIGNATURE).unlink()
        subprocess.run(["ssh-keygen", "-q", "-Y", "sign", "-n", "git", "-f", self.key, sums], check=True, stderr=subprocess.DEVNULL)
        with self.assertRaises(manifest.BundleError):
            manifest.verify(self.root, self.signers)

    def test_a_signature_in_another_form_is_refused(self) -> None:
        signature = self.root / manifest.SIGNATURE
        text = signature.read_text(encoding="ascii")
        lines = text.splitlines(keepends=True)
        for changed in (text[:-1], text + "\n", text.replace("\n", "\r\n"), "".join([lines[0], lines[1].strip(), *lines[2:]])):
            with self.subTest(changed=changed):
                signature.write_text(changed, encoding="ascii", newline="")
                with self.assertRaises(manifest.BundleError):
                    manifest.verify(self.root, self.signers)
        signature.write_text(text, encoding="ascii")
        self.assertEqual(manifest.verify(self.root, self.signers), 32)

    def test_without_a_verb_nothing_is_done(self) -> None:
        done = self.install(self.root)
        self.assertEqual(done.returncode, 2)
        self.assertIn("required: verb", done.stderr)
        self.assertFalse(self.was_touched())

    def test_two_verbs_at_once_are_refused(self) -> None:
        self.assertEqual(self.install(self.root, "site").returncode, 0)
        (self.directory / "touched").unlink()
        held = os.open(self.directory / "inventory", os.O_RDONLY)
        fcntl.flock(held, fcntl.LOCK_EX)
        try:
            done = self.install(self.root, "site")
            self.assertEqual(done.returncode, 1)
            self.assertIn("another verb is at work", done.stderr)
            self.assertFalse(self.was_touched())
            # Looking is always possible.
            self.assertEqual(self.install(self.root, "status").returncode, 0)
        finally:
            os.close(held)

    def test_somebody_must_keep_copies_of_the_secrets(self) -> None:
        vault = self.directory / "inventory" / "group_vars" / "all" / "vault.yml"
        vault.parent.mkdir(parents=True)
        vault.write_text("$ANSIBLE_VAULT;1.1;AES256\n", encoding="utf-8")
        for said in (None, " \n"):
            if said:
                (self.directory / "inventory" / "copies-kept").write_text(said, encoding="utf-8")
            done = self.install(self.root, "site")
            self.assertEqual(done.returncode, 1)
            self.assertIn("copies-kept. This is asked once.", done.stderr)
            self.assertFalse(self.was_touched())
            # Looking is always possible.
            self.assertEqual(self.install(self.root, "status").returncode, 0)
            (self.directory / "touched").unlink()
        (self.directory / "inventory" / "copies-kept").write_text("Ada, in the safe\n", encoding="utf-8")
        self.assertEqual(self.install(self.root, "site").returncode, 0)

    def test_a_restore_takes_an_instant(self) -> None:
        for arguments, wanted in (
            (("--to", "2026-11-21 14:03:27"), '/restore.yml --extra-vars {"to": "2026-11-21 14:03:27"}\n'),
            (("--bare",), "/restore-bare.yml\n"),
        ):
            self.assertEqual(self.install(self.root, "restore", *arguments).returncode, 0)
            said = (self.directory / "touched").read_text(encoding="utf-8")
            self.assertTrue(said.endswith(wanted), said)
        (self.directory / "touched").unlink()
        for arguments in (("site", "--to", "2026-11-21 14:03:27"), ("site", "--bare"), ("restore-bare",)):
            self.assertEqual(self.install(self.root, *arguments).returncode, 2)
        self.assertFalse(self.was_touched())

    def test_an_unknown_verb_is_answered_with_those_that_are_there(self) -> None:
        done = self.install(self.root, "destroy")
        self.assertEqual(done.returncode, 2)
        self.assertIn("site", done.stderr)
        self.assertFalse(self.was_touched())


class TarTest(unittest.TestCase):
    """What comes to the operator: the tar and its signature, looked at by the command that docs/operations/install.md gives."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.directory = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        root = cls.directory / "kinora-1.2.3"
        make_tree(root, random.Random(SEED))
        key, _ = key_pair(cls.directory, "release")
        manifest.write(root, key)
        cls.tar = cls.directory / "kinora-1.2.3.tar"
        build.pack(root, cls.tar)
        manifest.sign(cls.tar, key)
        cls.signature = cls.tar.with_name("kinora-1.2.3.tar.sig")
        page = (WORKSPACE / "docs" / "operations" / "install.md").read_text(encoding="utf-8")
        cls.command = next(line for line in page.splitlines() if line.startswith("ssh-keygen -Y verify "))

    def is_taken(self, tar: bytes, signature: bytes) -> bool:
        """Whether the operator reads what he is told to look for, before anything of the tar is unpacked."""
        with tempfile.TemporaryDirectory(dir=self.directory) as place:
            there = Path(place)
            (there / "kinora-VERSION.tar").write_bytes(tar)
            (there / "kinora-VERSION.tar.sig").write_bytes(signature)
            shutil.copyfile(self.directory / "release.signers", there / "allowed_signers")
            done = subprocess.run(["sh", "-c", self.command], cwd=there, capture_output=True, text=True, check=False)
        said = 'Good "kinora-bundle" signature for release@kinora' in done.stdout
        self.assertEqual(said, done.returncode == 0, done.stdout + done.stderr)
        return said

    def test_as_it_was_signed_it_is_taken(self) -> None:
        self.assertTrue(self.is_taken(self.tar.read_bytes(), self.signature.read_bytes()))

    def test_every_change_is_refused(self) -> None:
        dice, tar, signature = random.Random(SEED), self.tar.read_bytes(), self.signature.read_bytes()
        with tarfile.open(self.tar) as archive:
            members = {member.name.partition("/")[2]: (member.offset_data, member.size) for member in archive if member.isfile()}
        changed = []
        # The installer and what it looks with, in which anything could be said about the rest.
        for name in ("install", "lib/manifest.py"):
            begin, size = members[name]
            changed += [(f"flip a bit of {name}", flipped(tar, begin + dice.randrange(size), dice), signature) for _ in range(TAR_MUTATIONS // 4)]
        changed += [("flip a bit anywhere", flipped(tar, dice.randrange(len(tar)), dice), signature) for _ in range(TAR_MUTATIONS // 4)]
        changed += [("cut", tar[: dice.randrange(len(tar))], signature) for _ in range(5)]
        changed += [("add a byte", tar + bytes([dice.randrange(256)]), signature) for _ in range(5)]
        changed.append(("swap two parts", tar[512:1024] + tar[:512] + tar[1024:], signature))
        # As bytes: a bit of its text may stand for nothing.
        lines = signature.decode().splitlines()
        plain = base64.b64decode("".join(lines[1:-1]))
        for _ in range(TAR_MUTATIONS // 4):
            text = base64.encodebytes(flipped(plain, dice.randrange(len(plain)), dice)).decode()
            changed.append(("flip a bit of the signature", tar, f"{lines[0]}\n{text}{lines[-1]}\n".encode()))
        changed.append(("no signature", tar, b""))
        self.assertGreater(len(changed), TAR_MUTATIONS)
        for number, (what, other, others_signature) in enumerate(changed):
            with self.subTest(number=number, what=what):
                self.assertFalse(self.is_taken(other, others_signature))


def flipped(content: bytes, position: int, dice: random.Random) -> bytes:
    changed = bytearray(content)
    changed[position] ^= 1 << dice.randrange(8)
    return bytes(changed)


class ContentsTest(unittest.TestCase):
    def test_packages_are_read_from_the_roles(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            roles = Path(directory)
            (roles / "broker" / "vars").mkdir(parents=True)
            (roles / "broker" / "vars" / "main.yml").write_text("_broker_packages: [rabbitmq-server]\n", encoding="utf-8")
            (roles / "firewall").mkdir()
            wanted = closure.role_packages(roles)
        self.assertEqual(wanted["broker"], ["rabbitmq-server"])
        self.assertNotIn("firewall", wanted)
        self.assertIn("ansible", wanted["controller"])

    def test_programs_that_speak_with_services_outside_bring_the_public_authorities(self) -> None:
        # S3, mail relays, metadata of identity providers, an installation from outside: OpenSSL has no authorities of its own.
        for crate in ("application", "backend", "worker", "kinoractl"):
            cargo = tomllib.loads((WORKSPACE / "services" / crate / "Cargo.toml").read_text(encoding="utf-8"))
            depends = cargo["package"]["metadata"]["deb"]["depends"]
            self.assertIn("ca-certificates", [name.strip() for name in depends.split(",")], crate)

    def test_the_bill_of_materials_has_each_package_once(self) -> None:
        stanza = "Package: ffmpeg\nVersion: 7:7.1.5-0\nArchitecture: amd64\nDescription: tools\n and more: lines\nSHA256: ab\n"
        document = sbom.document("1", sbom.debian_components(f"{stanza}\n{stanza}"), "2026-01-01T00:00:00+00:00")
        self.assertEqual(document.count("pkg:deb/debian/ffmpeg@7:7.1.5-0?arch=amd64"), 2)  # its purl and its reference
        self.assertIn('"specVersion": "1.6"', document)


class BillOfMaterialsTest(unittest.TestCase):
    """What is written is what CycloneDX says it is, and has the parts that it is for."""

    @classmethod
    def setUpClass(cls) -> None:
        index = subprocess.run(["dpkg-query", "--show", "--showformat", INDEX, "libc6", "tzdata"], check=True, capture_output=True, text=True).stdout
        components = sbom.debian_components(index + PLUS)
        components += sbom.crate_components(WORKSPACE) + sbom.web_components(WORKSPACE / "services" / "web" / "package-lock.json")
        components += sbom.script_components(WORKSPACE, ["ansible", "nftables"])
        cls.text = sbom.document("0.1.0~dev3.g0123abc", components, "2026-01-01T00:00:00+00:00")
        cls.components = json.loads(cls.text)["components"]

    def check(self, text: str) -> subprocess.CompletedProcess:
        cache = subprocess.run([WORKSPACE / "packaging" / "bootstrap", "tools"], check=True, capture_output=True, text=True).stdout.strip()
        python = next(Path(cache).glob("cyclonedx-*/bin/python"), None)
        self.assertIsNotNone(python, "the schema of CycloneDX is not here: run packaging/bootstrap test")
        return subprocess.run([python, "-B", HERE / "check_sbom.py"], input=text, capture_output=True, text=True, check=False)

    def test_it_is_valid(self) -> None:
        done = self.check(self.text)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_the_check_finds_faults(self) -> None:
        for old, new in (('"type": "library"', '"type": "thing"'), ('"alg": "SHA-256"', '"alg": "SHA-2"'), ('"bom-ref": "kinora"', '"surprise": 1')):
            with self.subTest(new=new):
                self.assertIn(old, self.text)
                self.assertNotEqual(self.check(self.text.replace(old, new, 1)).returncode, 0)

    def test_it_has_packages_crates_libraries_and_scripts(self) -> None:
        names = {component["bom-ref"].split("@")[0].split("?")[0] for component in self.components}
        for name in ("pkg:deb/debian/tzdata", "pkg:cargo/actix-web", "pkg:cargo/kinora-application", "pkg:npm/react",
                     "file:ansible/playbooks/site.yml", "file:nftables/kinora.nft"):
            self.assertIn(name, names)

    def test_every_crate_that_is_linked_is_in_it(self) -> None:
        tree = subprocess.run(
            ["cargo", "tree", "--locked", "--offline", "--workspace", "--edges", "normal", "--prefix", "none", "--format", "{p}"],
            check=True, capture_output=True, text=True, cwd=WORKSPACE,
        ).stdout
        linked = {" ".join(line.split()[:2]) for line in tree.splitlines() if line.strip()}
        listed = {f"{entry['name']} v{entry['version']}" for entry in self.components if entry.get("purl", "").startswith("pkg:cargo/")}
        self.assertEqual(linked - listed, set())

    def test_package_urls_are_escaped(self) -> None:
        self.assertIn("pkg:deb/debian/libstdc%2B%2B6@14.2.0-19%2Bb1?arch=amd64&distro=debian-13", self.text)


if __name__ == "__main__":
    unittest.main()
