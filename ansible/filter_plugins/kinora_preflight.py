"""What speaks against an installation, found before anything is changed.

Pure functions, tested by ansible/tests: the playbook `preflight` hands in the inventory and what hosts said of themselves
(playbooks/files/preflight.sh), and gets sentences that say what is wrong and what to do.
"""

import collections
import datetime
import difflib
import ipaddress
import re

# Zones in which the hosts of a group need an address.
ZONES = {
    "load_balancers": ("edge", "frontend", "management"),
    "applications": ("frontend", "backend", "storage", "management"),
    "backends": ("backend", "management"),
    "databases": ("backend", "management"),
    "workers": ("backend", "storage", "management"),
    "backup_repository": ("backend", "management"),
}
# Port → programs of ours that may hold it already; socket-activated ones are held by systemd.
HOLDERS = {
    22: ("sshd", "systemd"),
    80: ("haproxy",),
    443: ("haproxy",),
    123: ("chronyd", "systemd"),
    2379: ("etcd",),
    2380: ("etcd",),
    5432: ("postgres",),
    5671: ("beam.smp",),
    25672: ("beam.smp",),
    6379: ("redis-server", "redis-check-rdb"),
    26379: ("redis-sentinel", "redis-server", "redis-check-rdb"),
    8008: ("patroni", "python3"),
    8432: ("pgbackrest",),
    8443: ("systemd", "kinora-applicat"),
    9100: ("prometheus-node", "node_exporter"),
    9180: ("systemd", "kinora-applicat"),
    9181: ("systemd", "kinora-backend"),
    9182: ("systemd", "kinora-worker"),
    9183: ("haproxy",),
    9093: ("prometheus-aler", "alertmanager"),
    9094: ("prometheus-aler", "alertmanager"),
    15692: ("beam.smp",),
}
# What an inventory may set of the variables that begin with kinora_.
KNOWN = (
    "kinora_acknowledged_version", "kinora_addresses", "kinora_admin_networks", "kinora_administrator", "kinora_alerts", "kinora_alerts_token", "kinora_audit_target", "kinora_backup_copy", "kinora_backup_copy_s3_secrets", "kinora_backup_path", "kinora_bundle_path",
    "kinora_domain", "kinora_egress", "kinora_identity_providers", "kinora_mail", "kinora_mail_password", "kinora_media_copy", "kinora_media_copy_s3_secrets", "kinora_metadata_authorities", "kinora_public_address", "kinora_public_certificate", "kinora_public_certificate_key",
    "kinora_public_name", "kinora_storage_path", "kinora_storage_s3", "kinora_storage_s3_access_key", "kinora_storage_s3_secret_key", "kinora_time_servers", "kinora_vault", "kinora_zones",
)
# Made by the playbooks themselves.
DERIVED = ("kinora_fleet", "kinora_flows", "kinora_host", "kinora_names", "kinora_tls")
EVERY_HOST = "every_host"
EGRESS_EXAMPLE = {"name": "NAS", "groups": ["applications", "workers"], "protocol": "tcp", "port": 2049, "to": ["10.61.40.5"]}
EGRESS_KEYS = tuple(EGRESS_EXAMPLE)
EGRESS_FORM = "write it as {name: NAS, groups: [applications, workers], protocol: tcp, port: 2049, to: [10.61.40.5]}"
WEBHOOK_KEYS = ("url", "address", "authorities")
CLOCK_SECONDS = 5
NEW_STORAGE = "is it another storage on purpose: docs/operations/storage.md#another-storage"
# One part of a DNS name. Names of hosts stand in certificates, where a common name has 64 characters.
LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
COMMON_NAME_LENGTH = 64


def inventory_problems(fleet, zones, variables, bundle_version="", changes=(), renamed=()):
    """What is wrong with the inventory itself. `variables` is what it sets, by name."""
    found = []
    found += _variable_problems(variables, renamed)
    found += _version_problems(str(variables.get("kinora_acknowledged_version", "")), bundle_version, changes)
    found += _mail_problems(variables.get("kinora_mail"), variables.get("kinora_mail_password"))
    found += _audit_target_problems(variables.get("kinora_audit_target"))
    found += _alert_problems(variables.get("kinora_alerts"), variables.get("kinora_mail"), variables.get("kinora_alerts_token"))
    found += _provider_problems(variables.get("kinora_identity_providers"))
    found += _storage_problems(variables.get("kinora_storage_s3"), variables.get("kinora_storage_s3_access_key"), variables.get("kinora_storage_s3_secret_key"))
    found += _backup_copy_problems(variables.get("kinora_backup_copy"), variables.get("kinora_backup_copy_s3_secrets"))
    found += _media_copy_problems(variables.get("kinora_media_copy"), variables.get("kinora_media_copy_s3_secrets"), variables.get("kinora_storage_path"))
    found += _name_problems(fleet, str(variables.get("kinora_public_name", "")))
    found += _group_problems(fleet)
    unreadable = _value_problems(fleet, zones)
    # Nothing can be said of addresses that are none.
    found += unreadable or _zone_problems(fleet, zones) + _address_problems(fleet, zones)
    return [{"host": "inventory", "what": what, "do": do} for what, do in found]


def _variable_problems(variables, renamed):
    found = []
    names = {entry["from"]: entry for entry in renamed}
    for name in sorted(variables):
        if name in names:
            found.append((f"{name} was renamed in {names[name]['version']}", f"call it {names[name]['to']}"))
        elif name.startswith("kinora_") and name not in (*KNOWN, *DERIVED):
            near = difflib.get_close_matches(name, KNOWN, 1)
            found.append((f"there is no variable {name}", f"did you mean {near[0]}?" if near else "take it out"))
    administrator = variables.get("kinora_administrator") or {}
    missing = [key for key in ("login", "name", "organisation") if not administrator.get(key)]
    if missing:
        found.append((f"kinora_administrator lacks {', '.join(missing)}", "say who the first administrator is, as in the example inventories"))
    return found


MAIL_KEYS = ("relay", "address", "port", "tls", "from", "user", "authorities")
MEDIA_COPY_KEYS = ("directory", "s3")
AUDIT_TARGET_KEYS = ("name", "address", "port", "authorities")
PROVIDER_KEYS = ("name", "address", "port")
STORAGE_KEYS = ("endpoint", "address", "bucket", "region", "prefix", "allow_http", "authorities")
# What S3 lets a bucket be called; the key's prefix is ours to choose.
BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
OUTSIDE_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")


def _outside_problems(variable, service, keys, required, ask):
    """What any service outside the installation can be said wrongly: the studio's mail relay, its log collector."""
    found = []
    for key in service:
        if key not in keys:
            near = difflib.get_close_matches(key, keys, 1)
            found.append((f"{variable} has no {key}", f"did you mean {near[0]}?" if near else "take it out"))
    missing = [key for key in required if not service.get(key)]
    if missing:
        found.append((f"{variable} lacks {', '.join(missing)}", ask))
    if service.get("address"):
        try:
            ipaddress.ip_address(str(service["address"]))
        except ValueError:
            found.append((f"{variable}.address {service['address']} is no network address", "hosts have no DNS: write its address"))
    if "port" in service and not (isinstance(service["port"], int) and 0 < service["port"] < 65536):
        found.append((f"{variable}.port is {service['port']}", "write a number, or leave it out"))
    if service.get("authorities") and "BEGIN CERTIFICATE" not in str(service["authorities"]):
        found.append((f"{variable}.authorities holds no certificate", "put the text of the PEM file there, not its name"))
    return found


def _mail_problems(mail, password):
    """The studio's mail relay, if there is one."""
    if not mail:
        return [("kinora_mail_password is set, kinora_mail is not", "say which relay it is for")] if password else []
    ask = "say the relay's name, its network address, and whom mail comes from"
    found = _outside_problems("kinora_mail", mail, MAIL_KEYS, ("relay", "address", "from"), ask)
    if mail.get("tls", "starttls") not in ("starttls", "implicit"):
        found.append((f"kinora_mail.tls is {mail['tls']}", "write starttls or implicit: mail does not leave unencrypted"))
    if "@" not in str(mail.get("from", "@")):
        found.append((f"kinora_mail.from {mail['from']} is no address", "write it as in Kinora <kinora@studio.example>"))
    if bool(mail.get("user")) != bool(password):
        what = "kinora_mail.user is set, kinora_mail_password is not" if mail.get("user") else "kinora_mail_password is set, kinora_mail.user is not"
        found.append((what, "set both, the password in an Ansible Vault file in group_vars/all/, or neither"))
    return found


def _audit_target_problems(target):
    """The studio's log collector, if there is one."""
    if not target:
        return []
    ask = "say the name in the collector's certificate, and its network address"
    found = _outside_problems("kinora_audit_target", target, AUDIT_TARGET_KEYS, ("name", "address"), ask)
    if not re.fullmatch(r"[A-Za-z0-9.-]*", str(target.get("name", ""))):
        found.append((f"kinora_audit_target.name {target['name']} is no name", "write it as in the certificate: logs.studio.example"))
    return found


def _alert_problems(alerts, mail, token):
    """Who is told of alerts."""
    alerts, mail = alerts or {}, mail or {}
    webhook = alerts.get("webhook") or {}
    ask = "say its address that begins with https://, and its network address"
    found = _outside_problems("kinora_alerts.webhook", webhook, WEBHOOK_KEYS, ("url", "address"), ask) if webhook else []
    for key in alerts:
        if key not in ("to", "webhook"):
            found.append((f"kinora_alerts has no {key}", "there are `to` and `webhook`"))
    if webhook.get("url") and not re.fullmatch(r"https://[A-Za-z0-9.-]+(:\d+)?(/\S*)?", str(webhook["url"])):
        found.append((f"kinora_alerts.webhook.url is {webhook['url']}", "it begins with https:// and the name in its certificate"))
    to = alerts.get("to")
    if to is not None and (not isinstance(to, list) or any("@" not in str(address) for address in to)):
        found.append((f"kinora_alerts.to is {to}", "write a list of addresses, as in [operators@studio.example]"))
    if to and not mail.get("relay"):
        found.append(("kinora_alerts.to is set, kinora_mail is not", "say which relay takes the mail, or use a webhook"))
    if to != [] and mail.get("relay") and mail.get("tls") == "implicit" and mail.get("port", 465) != 465:
        found.append((f"kinora_mail.tls is implicit with port {mail['port']}, which alerts cannot use",
                      "use STARTTLS or port 465, or set kinora_alerts.to to [] and a webhook"))
    if token and not webhook:
        found.append(("kinora_alerts_token is set, kinora_alerts.webhook is not", "say which webhook it is for"))
    return found


def _provider_problems(providers):
    """The identity providers whose metadata are fetched by address."""
    if not isinstance(providers or [], list):
        return [("kinora_identity_providers is no list", "write it as [{name: login.studio.example, address: 10.1.2.6}]")]
    found, seen = [], {}
    for number, provider in enumerate(providers or [], 1):
        where = f"kinora_identity_providers, entry {number}"
        if not isinstance(provider, dict):
            found.append((f"{where} is {provider!r}", "write it as {name: login.studio.example, address: 10.1.2.6}"))
            continue
        found += _outside_problems(where, provider, PROVIDER_KEYS, ("name", "address"), "say the name in the address of its metadata, and its network address")
        name = str(provider.get("name", ""))
        if name and not OUTSIDE_NAME.fullmatch(name):
            found.append((f"{where}: {name} is no name", "write the name alone, without https:// and path: login.studio.example"))
        if seen.setdefault(name, provider.get("address")) != provider.get("address"):
            found.append((f"{where}: {name} has another address above", "give each name one address"))
    return found


def _storage_problems(storage, access_key, secret_key):
    """The S3 service that finished objects are moved to, if there is one."""
    keys = {"kinora_storage_s3_access_key": access_key, "kinora_storage_s3_secret_key": secret_key}
    if not storage:
        return [(f"{name} is set, kinora_storage_s3 is not", "say which service it is for") for name, value in keys.items() if value]
    found = _s3_problems("kinora_storage_s3", storage)
    return found + [(f"{name} is not set", "put it into an Ansible Vault file in group_vars/all/") for name, value in keys.items() if not value]


def _s3_problems(variable, service):
    """What an S3 service can be said wrongly."""
    ask = "say the service's address for programs (https://…), its network address, and the bucket"
    found = _outside_problems(variable, service, STORAGE_KEYS, ("endpoint", "address", "bucket"), ask)
    endpoint = str(service.get("endpoint", ""))
    if endpoint and not re.fullmatch(r"https?://[A-Za-z0-9.\[\]:-]+/?", endpoint):
        found.append((f"{variable}.endpoint {endpoint} is no address", "write it as in https://s3.studio.example, without bucket and path"))
    elif endpoint.startswith("http://") and service.get("allow_http") is not True:
        found.append((f"{variable}.endpoint is not https", "let the service speak TLS; where it cannot, say allow_http: true"))
    if service.get("bucket") and not BUCKET.fullmatch(str(service["bucket"])):
        found.append((f"{variable}.bucket {service['bucket']} is no bucket's name", "take small letters, digits and hyphens, 3 to 63"))
    return found


def _media_copy_problems(place, has_secrets, storage):
    """The second place for the media, if there is one."""
    if not place:
        return [("kinora_media_copy_s3_secrets is set, kinora_media_copy is not", "say which bucket they are for")] if has_secrets else []
    if not isinstance(place, dict) or len(place) != 1 or next(iter(place)) not in MEDIA_COPY_KEYS:
        return [(f"kinora_media_copy is {place!r}", "write {directory: /srv/kinora-copy} or {s3: {endpoint: https://s3.elsewhere.example, address: 10.9.8.7, bucket: kinora-copy}}")]
    if "directory" in place:
        path, storage = f"{place['directory']}".rstrip("/"), f"{storage or ''}".rstrip("/")
        if not path.startswith("/"):
            return [(f"kinora_media_copy.directory {path!r} is no absolute path", "write it as in /srv/kinora-copy")]
        if storage and (f"{path}/".startswith(f"{storage}/") or f"{storage}/".startswith(f"{path}/")):
            return [(f"kinora_media_copy.directory {path} and kinora_storage_path {storage} are in one another", "give copies a storage that does not burn with the other")]
        return []
    found = _s3_problems("kinora_media_copy.s3", place["s3"] or {})
    if not has_secrets:
        found.append(("kinora_media_copy_s3_secrets is not set", "put {access_key: …, secret_key: …} into an Ansible Vault file in group_vars/all/"))
    return found


def _backup_copy_problems(place, has_secrets):
    """The bucket for the database's backups, if there is one."""
    if not place:
        return [("kinora_backup_copy_s3_secrets is set, kinora_backup_copy is not", "say which bucket they are for")] if has_secrets else []
    if not isinstance(place, dict) or list(place) != ["s3"]:
        return [(f"kinora_backup_copy is {place!r}", "write {s3: {endpoint: https://s3.elsewhere.example, address: 10.9.8.7, bucket: kinora-backup}}")]
    found = _s3_problems("kinora_backup_copy.s3", place["s3"] or {})
    if not has_secrets:
        found.append(("kinora_backup_copy_s3_secrets is not set", "put {access_key: …, secret_key: …} into an Ansible Vault file in group_vars/all/"))
    return found


def _version(text):
    return tuple(int(part) for part in text.split("."))


def _version_problems(acknowledged, bundle_version, changes):
    """Changes that ask something of the operator must have been read."""
    if not bundle_version:
        return []
    try:
        known = _version(acknowledged)
    except ValueError:
        release = re.match("[0-9.]*", bundle_version)[0]
        return [("kinora_acknowledged_version is not a version", f'set kinora_acknowledged_version: "{release}" once you have read what is new')]
    unread = [entry for entry in changes if _version(str(entry["version"])) > known]
    return [
        (f"since {acknowledged} something needs your attention: {entry['text']}", f"then set kinora_acknowledged_version: \"{entry['version']}\"")
        for entry in sorted(unread, key=lambda entry: _version(str(entry["version"])))
    ]


def _name_problems(fleet, public_name):
    """Hosts are known by their names in the inventory: in /etc/hosts, in certificates, to etcd, RabbitMQ and PostgreSQL."""
    found = []
    for host in fleet["hosts"]:
        if not LABEL.fullmatch(host):
            found.append((f"{host} cannot be a host's name", "take small letters, digits and hyphens, as in db1"))
    parts = public_name.split(".")
    if len(parts) < 2 or len(public_name) > COMMON_NAME_LENGTH or not all(LABEL.fullmatch(part) for part in parts):
        found.append((f"kinora_public_name {public_name or '(missing)'} is not a name people can open", "write it as in kinora.studio.example, without https://"))
    return found


def _group_problems(fleet):
    found = []
    members = {group: [host for host, entry in fleet["hosts"].items() if group in entry["groups"]] for group in ZONES}
    for group, hosts in members.items():
        if not hosts:
            found.append((f"the group {group} has no host", "put at least one host into it"))
    if len(members["backends"]) not in (0, 1, 3, 5):
        found.append((f"there are {len(members['backends'])} backends", "have 1, 3 or 5: etcd and RabbitMQ decide by majority"))
    if len(members["load_balancers"]) > 2:
        found.append((f"there are {len(members['load_balancers'])} load balancers", "have one or two"))
    if len(members["backup_repository"]) > 1:
        found.append(("backup_repository has several hosts", "name one"))
    for host, entry in fleet["hosts"].items():
        if not entry["groups"]:
            found.append((f"{host} is in no group", "put it into the groups of its roles, or take it out"))
    return found


def _not_networks(where, values):
    """Those of `values` that are neither an address nor a network."""
    found = []
    for value in values:
        try:
            ipaddress.ip_network(str(value))
        except ValueError as error:
            found.append((f"{where}: {error}", "write an address as 10.1.2.3, a network as 10.1.2.0/24; the same for IPv6"))
    return found


def _value_problems(fleet, zones):
    """Addresses, networks and ports that cannot be any: later they would stop an installation half way, or the firewall."""
    networks = fleet["networks"]
    found = _not_networks("kinora_time_servers", networks.get("time_servers") or [])
    for family, values in (networks.get("admin_networks") or {}).items():
        found += _not_networks(f"kinora_admin_networks.{family}", values)
    found += _not_networks("kinora_public_address", (networks.get("public_address") or {}).values())
    for zone, both in (zones or {}).items():
        found += _not_networks(f"kinora_zones.{zone}", both.values())
    for host, entry in fleet["hosts"].items():
        for zone, addresses in entry["addresses"].items():
            found += _not_networks(f"{host}'s kinora_addresses.{zone}", addresses.values())
    for number, entry in enumerate(networks.get("egress") or [], 1):
        found += _egress_problems(f"kinora_egress, entry {number}", entry)
    return found


def _egress_problems(where, entry):
    if not isinstance(entry, dict):
        return [(f"{where} is {entry!r}", EGRESS_FORM)]
    found = [(f"{where} lacks {key}", EGRESS_FORM) for key in EGRESS_KEYS if key not in entry]
    found += [(f"{where} has {key}, which is unknown", EGRESS_FORM) for key in entry if key not in EGRESS_KEYS]
    if found:
        return found
    where = f"{where} ({entry['name']})"
    if entry["protocol"] not in ("tcp", "udp"):
        found.append((f"{where} has the protocol {entry['protocol']!r}", "take tcp or udp"))
    if isinstance(entry["port"], bool) or not isinstance(entry["port"], int) or not 1 <= entry["port"] <= 65535:
        found.append((f"{where} has the port {entry['port']!r}", "take a number from 1 to 65535, without quotes"))
    for key in ("groups", "to"):
        if not isinstance(entry[key], list) or not entry[key]:
            return [*found, (f"{where}: {key} is {entry[key]!r}", f"make {key} a list, as in [{', '.join(map(str, EGRESS_EXAMPLE[key]))}]")]
    for group in entry["groups"]:
        if group not in (*ZONES, EVERY_HOST):
            near = difflib.get_close_matches(str(group), (*ZONES, EVERY_HOST), 1)
            found.append((f"{where}: there is no group {group}", f"did you mean {near[0]}?" if near else f"there are {', '.join(ZONES)} and {EVERY_HOST}"))
    return found + _not_networks(f"{where}, to", entry["to"])


def _zone_problems(fleet, zones):
    found = []
    networks = [(zone, family, ipaddress.ip_network(str(network))) for zone, both in (zones or {}).items() for family, network in both.items()]
    for index, (zone, _, network) in enumerate(networks):
        for other, _, second in networks[:index]:
            if network.version == second.version and network.overlaps(second):
                found.append((f"the zones {other} and {zone} overlap ({second}, {network})", "give each zone networks of its own"))
    public = fleet["networks"].get("public_address") or {}
    for family, address in public.items():
        if "edge" in zones and zones["edge"].get(family) and ipaddress.ip_address(str(address)) not in ipaddress.ip_network(str(zones["edge"][family])):
            found.append((f"kinora_public_address {address} is not in the edge zone", f"take one in {zones['edge'][family]}"))
    return found


def _is_administrators(fleet, address):
    """Whether an address is in the networks that may sign in."""
    networks = (ipaddress.ip_network(str(network)) for both in (fleet["networks"].get("admin_networks") or {}).values() for network in both)
    return any(address.version == network.version and address in network for network in networks)


def _address_problems(fleet, zones):
    found, seen = [], {}
    public = {str(address) for address in (fleet["networks"].get("public_address") or {}).values()}
    balancers = [host for host, entry in fleet["hosts"].items() if "load_balancers" in entry["groups"]]
    for host, entry in fleet["hosts"].items():
        needed = dict.fromkeys(zone for group in entry["groups"] for zone in ZONES[group])
        for zone in needed:
            if zone not in entry["addresses"]:
                found.append((f"{host} has no address in the zone {zone}", f"its groups ({', '.join(entry['groups'])}) need one"))
        for zone, addresses in entry["addresses"].items():
            if "ipv4" not in addresses:
                found.append((f"{host} has no IPv4 address in the zone {zone}", "give it one: IPv6 alone is not enough, several services listen on one address only"))
            for family, text in addresses.items():
                address = ipaddress.ip_address(text)
                network = (zones.get(zone) or {}).get(family)
                if zone not in zones:
                    found.append((f"{host} has an address in {zone}, which is no zone", "name it in kinora_zones"))
                elif network and address not in ipaddress.ip_network(str(network)):
                    found.append((f"{host}'s {zone} address {address} is not in {network}", "correct the address or kinora_zones"))
                if text in seen:
                    found.append((f"{host} and {seen[text]} both have {text}", "give each address once"))
                if text in public and len(balancers) > 1:
                    found.append((f"{text} is {host}'s and the public address", "give the public address to no host: it moves"))
                if _is_administrators(fleet, address):
                    found.append((f"{host}'s address {text} is in kinora_admin_networks", "leave hosts out of it: whoever takes one over could sign in to the others"))
                seen[text] = host
    return found


def parse(output):
    """Lines `key value` of playbooks/files/preflight.sh → key → values."""
    facts = {}
    for line in output.splitlines():
        key, _, value = line.strip().partition(" ")
        if key:
            facts.setdefault(key, []).append(value)
    return facts


def host_problems(fleet, host, output, before, after, needs):
    """What is wrong with a host. `before` and `after` are the controller's time (seconds) around the questions."""
    facts = parse(output)
    if "end" not in facts:
        return [_problem(host, "it could not be asked", f"try `ssh` to it by hand, and `sudo true` there; it said: {output.strip()[-200:] or 'nothing'}")]
    found = _system_problems(facts, needs)
    clock = int(facts["clock"][0])
    off = before - clock if clock < before else clock - after
    if off > CLOCK_SECONDS:
        found.append((f"its clock is {datetime.timedelta(seconds=round(off))} off the controller's", "set one of the two right; certificates and the cluster depend on it"))
    present = set(facts.get("address", []))
    for zone, addresses in fleet["hosts"][host]["addresses"].items():
        for address in addresses.values():
            if str(ipaddress.ip_address(address)) not in present:
                found.append((f"it does not have its {zone} address {address}", "configure the interface, or correct the inventory"))
    found += _port_problems(fleet, host, facts)
    found += _controller_problems(fleet, facts)
    return [_problem(host, what, do) for what, do in found]


def _problem(host, what, do):
    return {"host": host, "what": what, "do": do}


def _system_problems(facts, needs):
    found = []
    if facts.get("system") != ["debian 13"]:
        found.append((f"it runs {facts.get('system', ['something unknown'])[0]}", "install Debian 13"))
    if facts.get("machine") != ["x86_64"]:
        found.append((f"it is a {facts.get('machine', ['unknown'])[0]}", "the bundle is for x86_64"))
    if facts.get("root") != ["yes"]:
        found.append(("the user that signs in does not become root", "give it `sudo` without a password, or sign in as root"))
    if facts.get("python") != ["yes"]:
        found.append(("it has no /usr/bin/python3", "install Debian's package python3 (it is on the installer's first disk)"))
    free, memory = int(facts["disk_mb"][0]), int(facts["memory_mb"][0])
    if free < needs["disk_gb"] * 1000:
        found.append((f"/var has {free / 1000:.1f} GB free", f"make it {needs['disk_gb']} GB or more"))
    if memory < needs["memory_gb"] * 900:
        found.append((f"it has {memory / 1000:.1f} GB of memory", f"give it {needs['memory_gb']} GB or more"))
    if facts.get("storage") == ["absent"]:
        found.append((f"there is no directory {needs['storage_path']}", "mount the storage there, on every application and worker host"))
    if facts.get("storage") == ["hangs"]:
        found.append((f"the storage at {needs['storage_path']} does not answer", "is the NAS up, and the zone storage? findmnt says what is mounted there"))
    if facts.get("copy") == ["absent"]:
        found.append((f"there is no directory {needs['copy_path']}", "mount the second place for the media there, on every application host"))
    backup = int(facts["backup_mb"][0]) if "backup_mb" in facts else None
    if backup is not None and backup < needs["disk_gb"] * 1000:
        found.append((f"{needs['backup_path']} has {backup / 1000:.1f} GB free", "mount there what holds the backups of 35 days"))
    for name in facts.get("firewall", []):
        found.append((f"{name} manages the firewall already", f"systemctl disable --now {name}: two that manage it undo each other"))
    return found


def _port_problems(fleet, host, facts):
    found = []
    for flow in fleet["flows"].values():
        if host not in flow["accepts"] or not flow["port"]:
            continue
        for line in facts.get("listener", []):
            protocol, port, program = line.split(" ", 2)
            if (protocol, int(port)) == (flow["protocol"], flow["port"]) and program not in HOLDERS.get(flow["port"], ()):
                found.append((f"port {port}/{protocol}, for {flow['name']}, is held by {program}", f"stop {program} and keep it from starting"))
    return list(dict.fromkeys(found))


def _controller_problems(fleet, facts):
    """The firewall will let in only the administrators' networks."""
    found = []
    for text in facts.get("from", []):
        address = ipaddress.ip_address(text.partition("%")[0])
        if not address.is_loopback and not _is_administrators(fleet, address):
            found.append((f"you come to it from {address}, which is not in kinora_admin_networks", "add it there: its firewall would let you in no more"))
    return found


def backup_notes(outputs, path):
    """What preflight says of the place of the backups although an installation can do with it: sentences. `outputs` is host → what it said."""
    return [
        f"{host} keeps the backups ({path}) on the disk of its own system: mount there what does not burn with it. docs/operations/backup.md"
        for host, output in outputs.items()
        if parse(output).get("backup") == ["beside"]
    ]


def fleet_problems(outputs, has_vault=True):
    """What is wrong between hosts: copies of one machine, an installation that this inventory does not know."""
    seen, found = {}, []
    installed = [host for host, output in outputs.items() if "installed" in parse(output)]
    if installed and not has_vault:
        what = f"{', '.join(installed)} belong to an installation whose secrets are not in this inventory"
        found.append(_problem("inventory", what, "put its group_vars/all/vault.yml back from your copy: new secrets would end that installation"))
    for host, output in outputs.items():
        for identity in parse(output).get("machine_id", []):
            if identity in seen:
                found.append(_problem(host, f"it has the machine id of {seen[identity]}", "it is a copy: rm /etc/machine-id; systemd-machine-id-setup; reboot"))
            seen[identity] = host
    return found


def _storage_users(outputs):
    """Host → what it said, of those that have the storage."""
    said = {host: parse(output) for host, output in outputs.items()}
    return {host: facts for host, facts in said.items() if "vault" in facts}


def _is_used(outputs):
    """Whether any host has worked with the storage already."""
    return any("storage_used" in parse(output) for output in outputs.values())


def storage_problems(outputs, path, is_new=False, is_restored=False):
    """Where the storage is not the one it was, or not the one of the other hosts: what is uploaded there would lie on a disk of its own.

    Its directory `vault` is made once, and marked with an id (roles/base/files/storage.sh). `is_new`: the operator says that the storage is another one.
    `is_restored`: the hosts are bare, and the storage was there before them.
    """
    users, found, marks = _storage_users(outputs), [], {}
    is_used = not is_new and (is_restored or _is_used(outputs))
    for host, facts in users.items():
        known, mark = facts.get("storage_known", [""])[0], facts.get("storage_id", [""])[0]
        if is_used and facts["vault"] == ["absent"]:
            found.append(_problem(host, f"{path}/vault is missing, which this installation has: the storage is not mounted", f"mount it (findmnt {path}); {NEW_STORAGE}"))
        elif is_used and known and mark != known:
            found.append(_problem(host, f"{path}/vault is not the storage that this host had", f"mount that one (findmnt {path}); {NEW_STORAGE}"))
        else:
            marks[host] = mark or f"no id, {facts['vault'][0]}"
    usual = collections.Counter(marks.values()).most_common(1)
    others = [host for host, mark in marks.items() if mark == usual[0][0]]
    return found + [
        _problem(host, f"its storage at {path} is not the one of {', '.join(others)}", "mount the same on all (findmnt), and move there what was written meanwhile")
        for host, mark in marks.items()
        if host not in others
    ]


def storage_plan(fleet, outputs, is_new=False, is_restored=False):
    """Who makes and marks the storage's directory (`first`: applications come before workers in every verb), and whether it may be made at all: only where nothing uses it yet."""
    users = sorted(_storage_users(outputs), key=lambda host: "applications" not in fleet["hosts"][host]["groups"])
    return {"first": next(iter(users), ""), "may_be_made": is_new or not (is_restored or _is_used(outputs)), "is_new": is_new}


def report(problems):
    """The problems as an operator reads them, host by host."""
    count = "1 thing" if len(problems) == 1 else f"{len(problems)} things"
    lines = [f"{count} to put right; nothing was changed.", ""]
    for host in dict.fromkeys(problem["host"] for problem in problems):
        lines.append(host)
        lines += [f"  - {problem['what']}\n    → {problem['do']}" for problem in problems if problem["host"] == host]
    return "\n".join(lines)


class FilterModule:
    """Gives the functions to Ansible's templates."""

    def filters(self):
        return {
            "kinora_inventory_problems": inventory_problems,
            "kinora_host_problems": host_problems,
            "kinora_fleet_problems": fleet_problems,
            "kinora_storage_problems": storage_problems,
            "kinora_storage_plan": storage_plan,
            "kinora_backup_notes": backup_notes,
            "kinora_problem_report": report,
        }
