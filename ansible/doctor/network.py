"""Names, addresses, ways between hosts, and the firewall."""

from doctor.finding import FLEET, of_fleet, of_host

# Units that listen, by flow: where one is not active, that is the finding, and not its port.
LISTENERS = {
    "https": "haproxy.service", "http-redirect": "haproxy.service", "application": "kinora-application.socket", "postgresql": "patroni.service", "patroni": "patroni.service",
    "etcd-client": "etcd.service", "etcd-peer": "etcd.service", "amqps": "rabbitmq-server.service", "erlang-distribution": "rabbitmq-server.service", "broker-metrics": "rabbitmq-server.service",
    "redis": "redis-server.service", "redis-sentinel": "redis-sentinel.service", "pgbackrest-repository": "pgbackrest.service", "pgbackrest-database": "pgbackrest.service", "ssh": "ssh.service",
    "node-exporter": "prometheus-node-exporter.service", "balancer-metrics": "haproxy.service", "alertmanager": "prometheus-alertmanager.service",
    "alertmanager-peer": "prometheus-alertmanager.service",
}
# Members of etcd are an odd number, and two that share a host have nothing to say to each other: these listen on some hosts only.
NOT_EVERYWHERE = ("etcd-client", "etcd-peer", "pgbackrest-repository", "pgbackrest-database", "alertmanager-peer")


@of_host("names-missing", "names")
def names_missing(_host, said):
    if said["missing"]:
        yield (f"/etc/hosts lacks {', '.join(said['missing'][:4])}{' and more' if len(said['missing']) > 4 else ''}", "its block “kinora” was changed by hand, or a host was added since", "run site: it writes the block anew")


@of_host("names-other", "names")
def names_other(_host, said):
    if said["other"]:
        yield (f"/etc/hosts gives another address than the inventory: {', '.join(said['other'][:3])}", "a line was added by hand, or cloud-init wrote one", "remove the line from /etc/hosts, outside of the block “kinora”")


@of_host("address-missing", "network")
def address_missing(_host, said):
    for zone, addresses in said["zones"].items():
        lacking = [address for address, link in addresses.items() if link is None]
        if lacking:
            yield (f"it does not have its address {' and '.join(lacking)} in the zone {zone}", "the interface is down, or its settings were changed",
                   "ip address; then the file in /etc/systemd/network or /etc/network/interfaces")


@of_host("link-down", "network")
def link_down(_host, said):
    down = {link["name"]: zone for zone, addresses in said["zones"].items() for link in addresses.values() if link and not link["up"]}
    for name, zone in down.items():
        yield (f"{name} has no link: the zone {zone} cannot be reached", "a cable is out, or the switch's port is off", f"look at the cable and the switch; ip link show {name}")


@of_fleet("mtu-differs")
def mtu_differs(fleet):
    seen = {}
    for host, said in fleet.saying("network"):
        for zone, addresses in said["zones"].items():
            for link in addresses.values():
                if link:
                    seen.setdefault(zone, {}).setdefault(link["mtu"], []).append((host.name, link["name"]))
    for zone, sizes in seen.items():
        usual = max(sizes, key=lambda mtu: (len(sizes[mtu]), -mtu))
        for mtu, places in sizes.items():
            for name, link in dict.fromkeys(places) if mtu != usual else []:
                yield (name, f"{link} in the zone {zone} sends packets of {mtu} bytes, the others of {usual}", "the MTU was set on one host only: short answers pass, long ones are lost", f"ip link set {link} mtu {usual}, and where the interface is set up")


def _listens(fleet, host, port):
    return any(port in said["listens"] for each, said in fleet.saying("network") if each.name == host)


@of_fleet("port-silent")
def port_silent(fleet):
    for flow in fleet.made["flows"].values():
        unit = LISTENERS.get(flow["name"])
        if flow["protocol"] != "tcp" or not unit or flow["name"] in NOT_EVERYWHERE:
            continue
        for host, said in fleet.saying("network"):
            if host.name in flow["accepts"] and host.is_active(unit) and flow["port"] not in said["listens"]:
                yield (host.name, f"nothing listens on its port {flow['port']} ({flow['name']}), though {unit} runs", "it is still starting, or its settings name another address", f"ss -lntp; journalctl -u {unit} -n 50")


@of_fleet("port-unreachable")
def port_unreachable(fleet):
    for host, said in fleet.saying("network"):
        for probe in said["probes"]:
            if probe["answer"] != "ok" and _listens(fleet, probe["host"], probe["port"]):
                yield (host.name, f"it cannot reach {probe['host']} on port {probe['port']} ({probe['flow']}): {probe['answer']}", "a router, a switch or a firewall between them, or the rules of one of the two",
                       f"on {probe['host']}: nft list table inet kinora; on the way: which rule of the studio's network stops {probe['address']}?")


@of_fleet("public-address-none")
def public_address_none(fleet):
    balancers = fleet.saying("network", "load_balancers")
    if balancers and not any(said["public"] for _, said in balancers):
        yield (FLEET, "no load balancer has the public address: nobody reaches Kinora", "keepalived does not run, or sees HAProxy as not serving", "on the load balancers: journalctl -u keepalived -n 50; cat /run/haproxy/serving (0 is well)")


@of_fleet("public-address-twice")
def public_address_twice(fleet):
    holders = [host.name for host, said in fleet.saying("network", "load_balancers") if said["public"]]
    if len(holders) > 1:
        yield (FLEET, f"{' and '.join(holders)} both have the public address", "they do not hear each other's VRRP in the zone frontend", f"on {holders[-1]}: systemctl stop keepalived; then see why VRRP (protocol 112) does not pass between them")


@of_host("firewall-off", "firewall")
def firewall_off(_host, said):
    if not said["loaded"]:
        yield ("its firewall is not loaded: everything comes in and goes out", "the table was removed by hand or by another firewall", "systemctl restart kinora-firewall; journalctl -u kinora-firewall -n 20")


@of_host("firewall-open", "firewall")
def firewall_open(_host, said):
    if said["loaded"] and not said["drops"]:
        yield ("its firewall lets through what no rule speaks of", "a chain's policy was set to accept by hand", "systemctl restart kinora-firewall")


@of_host("firewall-changed", "firewall")
def firewall_changed(_host, said):
    if said["loaded"] and said["drops"] and said["as_file"] is False and not said["pending"]:
        yield ("the rules in force are not those of /etc/kinora/nftables/current.nft", "rules were added or removed by hand", "/usr/local/sbin/kinora-firewall restore")


@of_host("firewall-outdated", "firewall")
def firewall_outdated(_host, said):
    if not said["file_as_inventory"] and not said["pending"]:
        yield ("its firewall's rules are not those that follow from this inventory", "the inventory was changed and site not run since, or new rules were taken back because nobody confirmed them", "run site")


@of_host("firewall-pending", "firewall")
def firewall_pending(_host, said):
    if said["pending"]:
        yield ("new rules of its firewall wait to be confirmed, and will be taken back", "a verb was broken off just then, or runs right now", "wait for that verb; else, if you can still sign in: /usr/local/sbin/kinora-firewall confirm")


@of_host("firewall-other", "firewall")
def firewall_other(_host, said):
    for unit in said["others"]:
        yield (f"{unit} manages the firewall as well", "it was installed or enabled since", f"systemctl disable --now {unit}; systemctl restart kinora-firewall: two that manage it undo each other")
