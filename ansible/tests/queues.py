"""Which queues there are, what they are bound to and who uses them: read from services/bus and its callers, and compared with the
rights that the Ansible role broker gives. What cannot be read ends in an error, not in a page that lacks it.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

import yaml

# Whose programs have a broker user of their own.
ROLES = ("backend", "worker")
METHOD = re.compile(r"^    pub (?:async )?fn (\w+)\(.*?^    }$", re.M | re.S)
DECLARED = re.compile(r"self\s*\.declare_queue\(\s*&channel,\s*&(?:self\.)?(\w+),\s*[\w:]+(?:\(\))?,\s*&self\.(\w+),\s*([^)]+?(?:\(\))?),?\s*\)")


@dataclass
class Queue:
    """A queue; one without a name is a worker's own."""

    name: str
    exchange: str
    key: str
    sent_by: list[str] = field(default_factory=list)
    taken_by: list[str] = field(default_factory=list)


def read(services: Path, rights: Path) -> list[Queue]:
    """All queues, orders first."""
    topology = (services / "bus" / "src" / "topology.rs").read_text(encoding="utf-8")
    library = (services / "bus" / "src" / "lib.rs").read_text(encoding="utf-8")
    classes = re.findall(r'Self::\w+ => "(\w+)"', (services / "core" / "src" / "queue.rs").read_text(encoding="utf-8"))
    prefix = yaml.safe_load(rights.read_text(encoding="utf-8"))["_broker_virtual_host"]
    constants = dict(re.findall(r'const (\w+): &str = "(\w+)";', topology))
    names = {name: f"{prefix}.{constants.get(word, word.strip(chr(34)))}" for name, word in re.findall(r'(\w+): name\(("?\w+"?)\)', topology)}

    found = []
    for place, exchange, key in DECLARED.findall(topology):
        if place == "queue":
            found += [Queue(f"{names[exchange]}.{each}", names[exchange], each) for each in classes]
        else:
            found.append(Queue(names[place], names[exchange], constants.get(key, key.strip('"'))))
    found.append(Queue("", names["control_exchange"], ""))
    if len(found) < 4 + len(classes):
        raise SystemExit(f"ansible/tests/queues.py cannot read what services/bus/src/topology.rs declares; it found {[queue.name for queue in found]}")

    methods = {match[1]: match[0] for match in METHOD.finditer(library)}
    for role in ROLES:
        calls = _calls(services / role / "src", methods)
        for queue in found:
            if any(_sends(methods[name], queue, names, constants) for name in calls):
                queue.sent_by.append(role)
            if any(_takes(methods[name], queue, names) for name in calls):
                queue.taken_by.append(role)
    found.sort(key=lambda queue: (not queue.name.startswith(names["orders_exchange"]), not queue.sent_by))
    _compare(found, rights)
    return found


def _calls(source: Path, methods: dict[str, str]) -> set[str]:
    """Which methods of the bus a program calls, also through others of them."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted(source.rglob("*.rs")))
    calls = {name for name in methods if re.search(rf"\bbus\s*\.{name}\(", text)}
    return calls | {inner for name in calls for inner in re.findall(r"self\.(\w+)\(", methods[name]) if inner in methods}


def _sends(body: str, queue: Queue, names: dict[str, str], constants: dict[str, str]) -> bool:
    if ".publish(" not in body or not any(names[field] == queue.exchange for field in re.findall(r"topology\s*\.(\w+_exchange)", body)):
        return False
    keys = [constants[name] for name in re.findall(r"topology::(\w+)", body)]
    return queue.key in keys if keys else True


def _takes(body: str, queue: Queue, names: dict[str, str]) -> bool:
    if "Consumer::new" not in body:
        return False
    if "order_queue(" in body:
        return queue.name.startswith(f"{names['orders_exchange']}.")
    fields = [names[field] for field in re.findall(r"topology\s*\.(\w+)", body)]
    return queue.exchange in fields if "Source::Fanout" in body and not queue.name else queue.name in fields


def _compare(found: list[Queue], rights: Path) -> None:
    """Whoever sends or takes may do so."""
    users = {user["name"]: user for user in yaml.safe_load(rights.read_text(encoding="utf-8"))["_broker_users"]}
    for queue in found:
        for role in queue.sent_by:
            if not re.search(users[f"kinora_{role}"]["write"], queue.exchange):
                raise SystemExit(f"{role} sends to {queue.exchange}, and has no right to: {rights}")
        for role in queue.taken_by:
            if not re.search(users[f"kinora_{role}"]["read"], queue.name or "amq.gen-1"):
                raise SystemExit(f"{role} takes from {queue.name}, and has no right to: {rights}")
