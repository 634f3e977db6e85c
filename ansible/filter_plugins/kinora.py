"""What follows from the inventory: names, peers by zone, who may talk to whom, firewall addresses.

Pure functions, tested by ansible/tests. `fleet` is computed once in a run (playbooks/prepare.yml) and kept as
the variable `kinora_fleet`; everything else is asked of it:

    kinora_fleet.hosts.be1.names.backend            be1.backend.kinora.internal
    kinora_fleet.members.backends.backend           [{host, name, ipv4, ipv6}, …] in the inventory's order
    kinora_fleet.flows.amqps                        {port, zone, protocol, accepts, opens, sources, targets}
    kinora_fleet | kinora_unit_addresses(accepts=['amqps'], opens=['etcd-client'])   for IPAddressAllow=
"""

import hashlib
import ipaddress
from pathlib import Path
from urllib.parse import urlsplit

FAMILIES = ("ipv4", "ipv6")
GROUPS = ("load_balancers", "applications", "backends", "databases", "workers", "backup_repository")
EVERY_HOST = "every_host"
ANYWHERE = "anywhere"
ADMIN_NETWORKS = "admin_networks"

# Group of the inventory → its file in nftables/roles/.
RULE_FILES = {
    "load_balancers": "load_balancer",
    "applications": "application",
    "backends": "backend",
    "databases": "database",
    "workers": "worker",
    "backup_repository": "backup_repository",
}

# Group of the inventory → roles whose packages its hosts need, besides those of every host.
GROUP_ROLES = {
    "load_balancers": ["load_balancer", "canary"],
    "applications": ["application", "operator", "media_copy"],
    "backends": ["etcd", "broker", "redis", "backend", "audit_target", "monitoring", "operator"],
    "databases": ["database", "backup"],
    "workers": ["worker"],
    "backup_repository": ["backup", "backup_copy"],
}
EVERY_HOST_ROLES = ["base", "exporter", "firewall"]


class InventoryError(Exception):
    """The inventory does not make a fleet; the text says what to change."""


def fleet(addresses, groups, flows, domain="kinora.internal", networks=None):
    """The fleet of `addresses` (host → zone → family → address) and `groups` (name → hosts).

    `flows` is ansible/flows.yml's list; `networks` has `admin_networks`, `public_address`, `egress` and
    `time_servers` as the inventory gives them.
    """
    networks = networks or {}
    hosts = {}
    for host, zones in addresses.items():
        hosts[host] = {
            "names": {zone: f"{host}.{zone}.{domain}" for zone in zones},
            "addresses": {zone: {family: str(zone_addresses[family]) for family in FAMILIES if zone_addresses.get(family)} for zone, zone_addresses in zones.items()},
            "groups": [group for group in GROUPS if host in groups.get(group, [])],
        }
    members = {group: _members(hosts, [host for host in groups.get(group, []) if host in hosts]) for group in GROUPS}
    members[EVERY_HOST] = _members(hosts, list(hosts))
    made = {"domain": domain, "hosts": hosts, "members": members, "networks": networks}
    made["flows"] = {flow["name"]: _resolve(flow, made, groups) for flow in flows}
    return made


def _members(hosts, names):
    """Zone → the hosts of a group that have an address there."""
    zones = {}
    for host in names:
        for zone, name in hosts[host]["names"].items():
            zones.setdefault(zone, []).append({"host": host, "name": name, **hosts[host]["addresses"][zone]})
    return zones


def _resolve(flow, made, groups):
    """A flow with the hosts and addresses of both ends."""
    for group in [*flow["to"], *flow["from"]]:
        if group not in (*GROUPS, EVERY_HOST, ANYWHERE, ADMIN_NETWORKS):
            raise InventoryError(f"flow {flow['name']}: there is no group {group}")
    resolved = {key: flow[key] for key in ("name", "protocol", "zone")}
    resolved["port"] = flow.get("port")
    for end, hosts, networks in (("to", "accepts", "targets"), ("from", "opens", "sources")):
        entries = [entry for group in flow[end] for entry in made["members"].get(group, {}).get(flow["zone"], [])]
        resolved[hosts] = list(dict.fromkeys(entry["host"] for entry in entries))
        resolved[networks] = {family: list(dict.fromkeys(entry[family] for entry in entries if family in entry)) for family in FAMILIES}
        if ANYWHERE in flow[end]:
            resolved[networks] = {"ipv4": ["0.0.0.0/0"], "ipv6": ["::/0"]}
        if ADMIN_NETWORKS in flow[end]:
            admin = made["networks"].get("admin_networks") or {}
            for family in FAMILIES:
                resolved[networks][family] += [str(network) for network in admin.get(family, [])]
    return resolved


def unit_addresses(made, accepts=(), opens=()):
    """Addresses that a unit speaks with: who opens the flows it accepts, and whom it opens flows to."""
    found = []
    for name, end in [*((name, "sources") for name in accepts), *((name, "targets") for name in opens)]:
        if name not in made["flows"]:
            raise InventoryError(f"there is no flow {name} in ansible/flows.yml")
        for family in FAMILIES:
            found += made["flows"][name][end][family]
    return list(dict.fromkeys(found))


def host_roles(made, host):
    """The roles whose packages `host` needs, in a fixed order."""
    wanted = list(EVERY_HOST_ROLES)
    for group in made["hosts"][host]["groups"]:
        wanted += GROUP_ROLES[group]
    return list(dict.fromkeys(wanted))


def package_sets(made, bundle):
    """Which .debs hosts need: {sets: [{key, files}], hosts: {host: key}}. Hosts with the same roles share a set.

    `bundle` is the directory of the unpacked bundle; a key changes with the content of any of its packages.
    """
    bundle = Path(bundle)
    try:
        index = (bundle / "debian" / "Packages").read_bytes()
    except FileNotFoundError as error:
        raise InventoryError(f"{bundle} is not an unpacked bundle (no debian/Packages); run the bundle's `install`, or set kinora_bundle_path") from error
    sets, hosts = {}, {}
    for host in made["hosts"]:
        files = set()
        for role in host_roles(made, host):
            listed = bundle / "closures" / f"{role}.txt"
            if listed.is_file():
                files.update(listed.read_text(encoding="utf-8").split())
        ordered = sorted(files)
        key = hashlib.sha256(index + "\n".join(ordered).encode()).hexdigest()[:16]
        sets[key], hosts[host] = ordered, key
    return {"sets": [{"key": key, "files": files} for key, files in sets.items()], "hosts": hosts}


def hosts_file(made, outside=()):
    """Lines for /etc/hosts: every zone address of every host, and the `outside` services this host knows by name."""
    lines = []
    for host in made["hosts"].values():
        for zone, name in host["names"].items():
            lines += [f"{address} {name}" for address in host["addresses"][zone].values()]
    lines += dict.fromkeys(f"{entry['address']} {entry['name']}" for entry in outside)
    return "".join(f"{line}\n" for line in lines)


# --- mail ----------------------------------------------------------------------------------------------------

MAIL_PORTS = {"starttls": 587, "implicit": 465}


def mail_port(mail):
    """The relay's port: what the inventory says, else the usual one."""
    return (mail or {}).get("port") or MAIL_PORTS.get((mail or {}).get("tls", "starttls"), 587)


def mail_egress(mail):
    """What `kinora_mail` asks of the firewall, in the form of kinora_egress: nothing without a relay."""
    if not (mail or {}).get("relay") or not mail.get("address"):
        return []
    return [{"name": "mail", "groups": ["backends"], "protocol": "tcp", "port": mail_port(mail), "to": [str(mail["address"])]}]


# --- the log collector ---------------------------------------------------------------------------------------

AUDIT_TARGET_PORT = 6514  # syslog over TLS, RFC 5425


def audit_target_port(target):
    """The collector's port: what the inventory says, else the usual one."""
    return (target or {}).get("port") or AUDIT_TARGET_PORT


def audit_target_egress(target):
    """What `kinora_audit_target` asks of the firewall, in the form of kinora_egress: nothing without a collector."""
    if not (target or {}).get("name") or not target.get("address"):
        return []
    return [{"name": "audit-target", "groups": ["backends"], "protocol": "tcp", "port": audit_target_port(target), "to": [str(target["address"])]}]


# --- alerts ----------------------------------------------------------------------------------------------------


def alert_egress(alerts):
    """What the webhook of `kinora_alerts` asks of the firewall, in the form of kinora_egress: nothing without one."""
    webhook = (alerts or {}).get("webhook") or {}
    if not webhook.get("url") or not webhook.get("address"):
        return []
    return [{"name": "alerts", "groups": ["backends"], "protocol": "tcp", "port": webhook_port(webhook["url"]), "to": [str(webhook["address"])]}]


def webhook_port(url):
    """The port of an https address."""
    try:
        parts = urlsplit(str(url))
        if parts.scheme == "https" and parts.hostname:
            return parts.port or 443
    except ValueError:
        pass
    raise InventoryError(f"kinora_alerts.webhook.url: {url} is not an address that begins with https://")


# --- services that hosts know by name: identity providers, S3 ----------------------------------------------------

PROVIDER_PORT = 443


def provider_egress(providers):
    """What `kinora_identity_providers` asks of the firewall, in the form of kinora_egress: applications fetch metadata."""
    return [
        {"name": f"identity-provider {provider['name']}", "groups": ["applications"], "protocol": "tcp", "port": provider.get("port") or PROVIDER_PORT, "to": [str(provider["address"])]}
        for provider in providers or []
        if provider.get("name") and provider.get("address")
    ]


def storage_endpoint(storage):
    """Name and port of the S3 service's endpoint: ('s3.studio.example', 443), or None where it is no address."""
    try:
        parts = urlsplit(str((storage or {}).get("endpoint", "")))
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    except ValueError:
        return None
    return (parts.hostname, port) if parts.hostname and port and parts.scheme in ("http", "https") else None


def storage_egress(storage):
    """What `kinora_storage_s3` asks of the firewall, in the form of kinora_egress: nothing without an S3 service."""
    endpoint = storage_endpoint(storage)
    if not endpoint or not storage.get("address"):
        return []
    return [{"name": "storage-s3", "groups": ["applications", "workers"], "protocol": "tcp", "port": endpoint[1], "to": [str(storage["address"])]}]


def media_copy_egress(place):
    """What `kinora_media_copy` asks of the firewall, in the form of kinora_egress: nothing unless copies go to an S3 service with an address."""
    service = (place or {}).get("s3") or {}
    return [{**entry, "name": "media-copy-s3", "groups": ["applications"]} for entry in storage_egress(service)]


def backup_copy_egress(place):
    """What `kinora_backup_copy` asks of the firewall, in the form of kinora_egress: nothing without an S3 service with an address."""
    service = (place or {}).get("s3") or {}
    return [{**entry, "name": "backup-copy-s3", "groups": ["backup_repository"]} for entry in storage_egress(service)]


def outside_names(made, host, providers, storage, media_copy=None, backup_copy=None):
    """[{name, address}] of the services outside that `host` finds by name; an endpoint that is an address has none."""
    groups = set(made["hosts"][host]["groups"])
    found = []
    if "applications" in groups:
        found += [{"name": provider["name"], "address": str(provider["address"])} for provider in providers or [] if provider_egress([provider])]
    services = [
        (storage, storage_egress(storage)),
        ((media_copy or {}).get("s3"), media_copy_egress(media_copy)),
        ((backup_copy or {}).get("s3"), backup_copy_egress(backup_copy)),
    ]
    for service, egress in services:
        if not egress or not groups & set(egress[0]["groups"]):
            continue
        named = {"name": storage_endpoint(service)[0], "address": str(service["address"])}
        # Storage and copies may be buckets of one service.
        if not is_address(named["name"]) and named not in found:
            found.append(named)
    return found


def is_address(text):
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def storage_settings(storage, authorities):
    """`[vault] s3.*` of application and worker, or `[copy] s3.*` of copies, as a tree; `authorities` is the file that holds those of the inventory."""
    if not storage:
        return {}
    given = {key: storage[key] for key in ("endpoint", "bucket", "region", "prefix", "allow_http") if key in storage}
    return {"s3": {**given, **({"tls_authorities": authorities} if storage.get("authorities") else {})}}


# --- the firewall ----------------------------------------------------------------------------------------------


def firewall_addresses(made, host):
    """nftables sets with this host's, its peers' and the permitted outside addresses."""
    own = made["hosts"][host]["addresses"]
    zones = sorted({zone for entry in made["hosts"].values() for zone in entry["addresses"]})
    public = made["networks"].get("public_address") or {}
    sets = []
    for family, suffix, kind in (("ipv4", "v4", "ipv4_addr"), ("ipv6", "v6", "ipv6_addr")):
        for zone in zones:
            values = [own[zone][family]] if family in own.get(zone, {}) else []
            if zone == "edge" and "load_balancers" in made["hosts"][host]["groups"] and public.get(family):
                values.append(str(public[family]))
            sets.append(_set(f"own_{zone}_{suffix}", kind, values))
        for group in GROUPS:
            for zone in zones:
                # A load balancer reaches the address that moves between them.
                is_shared = (group, zone) == ("load_balancers", "edge") and group in made["hosts"][host]["groups"] and public.get(family)
                shared = [str(public[family])] if is_shared else []
                sets.append(_set(f"{group}_{zone}_{suffix}", kind, _of(made, group, zone, family) + shared))
        for zone in zones:
            sets.append(_set(f"{EVERY_HOST}_{zone}_{suffix}", kind, _of(made, EVERY_HOST, zone, family)))
        admin = (made["networks"].get("admin_networks") or {}).get(family, [])
        sets.append(_set(f"admin_{suffix}", kind, admin))
        servers = [value for value in made["networks"].get("time_servers") or [] if _family(value) == family]
        sets.append(_set(f"time_servers_{suffix}", kind, servers if "backends" in made["hosts"][host]["groups"] else []))
        for protocol in ("tcp", "udp"):
            sets.append(_set(f"egress_{protocol}_{suffix}", f"{kind} . inet_service", _egress(made, host, protocol, family)))
    return "table inet kinora {\n" + "".join(sets) + "}\n"


def _of(made, group, zone, family):
    return [entry[family] for entry in made["members"][group].get(zone, []) if family in entry]


def _family(value):
    return f"ipv{ipaddress.ip_network(str(value), strict=False).version}"


def _egress(made, host, protocol, family):
    """`address . port` of what the inventory's kinora_egress permits this host."""
    permitted = []
    for entry in made["networks"].get("egress") or []:
        if entry["protocol"] == protocol and set(entry["groups"]) & {EVERY_HOST, *made["hosts"][host]["groups"]}:
            permitted += [f"{target} . {entry['port']}" for target in entry["to"] if _family(target) == family]
    return permitted


def _set(name, kind, elements):
    text = f"    set {name} {{\n        type {kind}\n        flags interval\n        auto-merge\n"
    if " . " in kind:
        # Ranges of concatenated values cannot be merged.
        text = f"    set {name} {{\n        type {kind}\n        flags interval\n"
    if elements:
        text += "        elements = { " + ", ".join(dict.fromkeys(str(element) for element in elements)) + " }\n"
    return text + "    }\n"


def read_rules(directory):
    """Name → text of the files in nftables/."""
    files = {path.stem: path.read_text(encoding="utf-8") for path in sorted(Path(directory, "roles").glob("*.nft"))}
    return {**files, "kinora": Path(directory, "kinora.nft").read_text(encoding="utf-8")}


def firewall_rules(made, host, files):
    """The one file the host loads: `files` is the directory nftables/, or name → text of its files.

    kinora.nft is in two parts: the table is emptied first and its chains come last, so that they find what they name.
    """
    if not isinstance(files, dict):
        files = read_rules(str(files))
    head, mark, tail = files["kinora"].partition("# --- addresses and roles ---\n")
    if not mark:
        raise InventoryError("nftables/kinora.nft lacks the line that says where addresses and roles come")
    roles = "".join(f"\n# --- {RULE_FILES[group]} ---\n{files[RULE_FILES[group]]}" for group in made["hosts"][host]["groups"])
    return f"{head}{firewall_addresses(made, host)}{roles}\n{tail}"


class FilterModule:
    """Gives the functions to Ansible's templates."""

    def filters(self):
        return {
            "kinora_fleet": fleet,
            "kinora_unit_addresses": unit_addresses,
            "kinora_host_roles": host_roles,
            "kinora_package_sets": package_sets,
            "kinora_hosts_file": hosts_file,
            "kinora_alert_egress": alert_egress,
            "kinora_audit_target_egress": audit_target_egress,
            "kinora_audit_target_port": audit_target_port,
            "kinora_mail_egress": mail_egress,
            "kinora_mail_port": mail_port,
            "kinora_outside_names": outside_names,
            "kinora_provider_egress": provider_egress,
            "kinora_backup_copy_egress": backup_copy_egress,
            "kinora_media_copy_egress": media_copy_egress,
            "kinora_storage_egress": storage_egress,
            "kinora_storage_settings": storage_settings,
            "kinora_firewall_rules": firewall_rules,
        }
