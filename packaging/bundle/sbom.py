"""The bill of materials of a bundle in CycloneDX 1.6 (ECMA-424): Debian packages, crates, web libraries, scripts."""

import json
import subprocess
import uuid
from pathlib import Path
from urllib.parse import quote

from manifest import digest


def debian_components(index: str) -> list[dict]:
    """From a Packages index (deb822)."""
    components = []
    for stanza in index.strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in stanza.splitlines() if ": " in line and not line.startswith(" "))
        name, version, architecture = fields["Package"], fields["Version"], fields["Architecture"]
        purl = f"pkg:deb/debian/{quote(name)}@{quote(version, safe=':~')}?arch={architecture}&distro=debian-13"
        components.append({
            "type": "library", "name": name, "version": version, "purl": purl, "bom-ref": purl,
            "hashes": [{"alg": "SHA-256", "content": fields["SHA256"]}],
        })
    return components


def crate_components(workspace: Path) -> list[dict]:
    """The crates that Kinora's programs are built from, as Cargo.lock fixes them."""
    output = subprocess.run(
        ["cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", "x86_64-unknown-linux-gnu"],
        check=True, capture_output=True, text=True, cwd=workspace,
    ).stdout
    components = []
    for package in json.loads(output)["packages"]:
        purl = f"pkg:cargo/{package['name']}@{quote(package['version'])}"
        component = {"type": "library", "name": package["name"], "version": package["version"], "purl": purl, "bom-ref": purl}
        if package.get("license"):
            component["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
        components.append(component)
    return components


def web_components(lock: Path) -> list[dict]:
    """The libraries that stand in the web client, not those that build it."""
    components = []
    for path, entry in json.loads(lock.read_text(encoding="utf-8"))["packages"].items():
        if not path or entry.get("dev") or entry.get("optional") or "version" not in entry:
            continue
        name = path.rpartition("node_modules/")[2]
        purl = f"pkg:npm/{name.replace('@', '%40')}@{entry['version']}"
        components.append({"type": "library", "name": name, "version": entry["version"], "purl": purl, "bom-ref": purl})
    return components


def script_components(root: Path, folders: list[str]) -> list[dict]:
    """Playbooks, rules and scripts as files with their hashes."""
    components = []
    for folder in folders:
        for path in sorted((root / folder).rglob("*")) if (root / folder).is_dir() else [root / folder]:
            if path.is_file():
                name = path.relative_to(root).as_posix()
                components.append({
                    "type": "file", "name": name, "bom-ref": f"file:{name}",
                    "hashes": [{"alg": "SHA-256", "content": digest(path)}],
                })
    return components


def document(version: str, components: list[dict], stamp: str) -> str:
    """The whole document; the same components give the same serial number."""
    unique = list({component["bom-ref"]: component for component in components}.values())
    content = json.dumps(unique, sort_keys=True)
    return json.dumps({
        "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, content)}",
        "metadata": {"timestamp": stamp, "component": {"type": "application", "name": "kinora", "version": version, "bom-ref": "kinora"}},
        "components": unique,
    }, indent=1)
