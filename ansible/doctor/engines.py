"""RabbitMQ, Redis with its Sentinels, HAProxy, the media tools, and what Prometheus sees."""

from doctor.finding import FLEET, grouped, of_fleet, of_host
from kinora_status import age

WAITS_SECONDS = 900
# How releases of RabbitMQ say it.
DRAINED = ("draining", "marked for maintenance", True)
ORDERS = ("kinora.orders.quick", "kinora.orders.long")


def _status(said):
    return None if "error" in said["status"] else said["status"]


@of_host("broker-silent", "broker")
def broker_silent(_host, said):
    if "error" in said["status"]:
        yield (f"RabbitMQ does not answer: {said['status']['error'][-150:]}", "it is starting, or waits for the other nodes", "journalctl -u rabbitmq-server -n 50; docs/operations/broker.md")


@of_fleet("broker-node-missing")
def broker_node_missing(fleet):
    answers = [_status(said) for _, said in fleet.saying("broker") if _status(said)]
    # A node that is cut off says that it is alone.
    running = {node for answer in answers if len(answer["running_nodes"]) * 2 > len(answer["disk_nodes"]) for node in answer["running_nodes"]}
    wanted = [entry["host"] for entry in fleet.made["members"]["backends"].get("backend", [])]
    for name in wanted if answers else []:
        if not any(node.partition("@")[2].partition(".")[0] == name for node in running):
            yield (name, "RabbitMQ's cluster is without its node", "it does not run, or the others cannot reach it on port 25672", f"on {name}: systemctl restart rabbitmq-server; docs/operations/broker.md")


@of_host("broker-partition", "broker")
def broker_partition(_host, said):
    status = _status(said)
    if status and status.get("partitions"):
        yield ("RabbitMQ saw its nodes fall apart and has not come together", "the zone backend was cut between them", "when the network is well: systemctl restart rabbitmq-server on the smaller part; docs/operations/broker.md")


@of_host("broker-alarm", "broker")
def broker_alarm(_host, said):
    status = _status(said)
    for alarm in (status or {}).get("alarms") or []:
        kind = str(alarm.get("resource", alarm) if isinstance(alarm, dict) else alarm)
        yield (f"RabbitMQ takes nothing more: alarm of {kind}", "its disk is nearly full, or queues took its memory; work waits in the database meanwhile and is not lost", "df -h /var/lib/rabbitmq; rabbitmqctl list_queues -p kinora name messages memory")


@of_host("broker-drained", "broker")
def broker_drained(host, said):
    status = _status(said)
    for node, state in ((status or {}).get("maintenance_status") or {}).items():
        if state in DRAINED and node.partition("@")[2].partition(".")[0] == host.name:
            yield ("its RabbitMQ takes no clients: it was drained", "the verb drain was run, or an upgrade broken off, and undrain forgotten", f"run undrain -- -e host={host.name}")


def _queues(fleet):
    """The queues as one of the nodes tells them."""
    for _, said in fleet.saying("queues"):
        return said["list"]
    return []


@of_fleet("queue-no-majority")
def queue_no_majority(fleet):
    for queue in _queues(fleet):
        members, online = queue.get("members") or [], queue.get("online") or []
        if queue["type"] == "quorum" and len(online) * 2 <= len(members):
            yield (FLEET, f"the queue {queue['name']} has {len(online)} of {len(members)} members: nothing moves in it", "too many RabbitMQ nodes are away", "bring the nodes back; none for good? docs/operations/broker.md")


@of_fleet("queue-few-members")
def queue_few_members(fleet):
    wanted = min(3, len(fleet.made["members"]["backends"].get("backend", [])))
    short = [queue["name"] for queue in _queues(fleet) if queue["type"] == "quorum" and len(queue.get("members") or []) < wanted]
    if short:
        yield (FLEET, f"{', '.join(short[:4])} have fewer than {wanted} members: the next node that goes takes them away", "a node was replaced and did not get its share", "run site; or rabbitmq-queues grow NODE all")


@of_fleet("queue-dead-letters")
def queue_dead_letters(fleet):
    for queue in _queues(fleet):
        if queue["name"].endswith(".dead") and queue["messages"]:
            yield (FLEET, f"{queue['messages']} messages could not be delivered and lie in {queue['name']}", "they were refused again and again; the work they spoke of was begun anew from the database", "docs/operations/alerts.md#kinoradeadletters")


@of_fleet("queue-no-consumers")
def queue_no_consumers(fleet):
    for queue in _queues(fleet):
        if queue["name"] in ORDERS and not queue["consumers"]:
            yield (FLEET, f"no worker takes orders from {queue['name']}", "no worker runs, none reaches RabbitMQ, or all are drained", "systemctl status kinora-worker on the workers; worker_queues in the inventory")


@of_host("redis-silent", "redis")
def redis_silent(_host, said):
    if said["role"] is None:
        yield (f"Redis does not answer: {said.get('problem', 'it refuses the password')}", "it is starting, or its certificate or passwords are not those of /etc/kinora", "journalctl -u redis-server -n 50; run site")


@of_host("sentinel-silent", "redis")
def sentinel_silent(_host, said):
    if said.get("sentinel_problem"):
        yield (f"Sentinel does not answer: {said['sentinel_problem']}", "it hangs or is starting, or its certificate has ended", "journalctl -u redis-sentinel -n 50; systemctl restart redis-sentinel")


@of_fleet("redis-no-primary")
def redis_no_primary(fleet):
    answers = [said for _, said in fleet.saying("redis") if said["role"]]
    if answers and not any(said["role"]["is"] == "master" for said in answers):
        yield (FLEET, "no Redis is the primary: live progress and caches are away", "Sentinels have no majority to choose one", "systemctl restart redis-sentinel on the backends, one after another; docs/operations/redis.md")


@of_fleet("redis-primary-differs")
def redis_primary_differs(fleet):
    named = {said["primary"] for _, said in fleet.saying("redis") if said["primary"]}
    masters = [host.name for host, said in fleet.saying("redis") if said["role"] and said["role"]["is"] == "master"]
    if len(named) > 1:
        yield (FLEET, f"Sentinels name different primaries: {', '.join(sorted(named))}", "they do not hear each other", "ports 26379 between the backends; then systemctl restart redis-sentinel on the one that is wrong")
    elif len(masters) > 1:
        yield (FLEET, f"{' and '.join(masters)} both are Redis primaries", "one was cut off and has not heard that it was replaced", f"on the one that Sentinel does not name ({', '.join(named)} is named): systemctl restart redis-server")


@of_host("redis-not-following", "redis")
def redis_not_following(_host, said):
    if said["role"] and said["role"]["is"] == "slave" and said["role"]["link"] not in ("connected", "sync", "connecting"):
        yield (f"its Redis does not follow the primary ({said['role']['link']})", "the primary is away, or cannot be reached on port 6379", "journalctl -u redis-server -n 50")


@of_fleet("sentinels-few")
def sentinels_few(fleet):
    wanted = len(fleet.made["members"]["backends"].get("backend", []))
    for host, said in fleet.saying("redis"):
        if not said.get("sentinel_problem") and said["sentinels"] < wanted:
            yield (host.name, f"its Sentinel knows {said['sentinels']} of {wanted}: it cannot get a majority", "it has not heard the others since it started, or they were replaced", "systemctl restart redis-sentinel; docs/operations/redis.md")


def _servers(fleet, *states):
    """Application → (balancer, what it says of it), of those that a balancer has in one of these states."""
    return grouped((server["name"], (host.name, server)) for host, said in fleet.saying("haproxy") for server in said["servers"] if server["status"].split()[0] in states)


@of_fleet("balancer-server-down")
def balancer_server_down(fleet):
    """One for each application, whoever of the balancers says so."""
    for name, by in _servers(fleet, "DOWN", "NOLB").items():
        server = by[0][1]
        yield (name, f"HAProxy on {', '.join(balancer for balancer, _ in by)} sends it nothing: {server['status']}{', ' + server['why'] if server['why'] else ''}", "its application does not answer that it is ready: it is away from its database, or its certificate is refused",
               f"on {name}: journalctl -u kinora-application -n 50")


@of_fleet("balancer-drained")
def balancer_drained(fleet):
    for name, by in _servers(fleet, "DRAIN", "MAINT").items():
        yield (name, f"it is kept out of service on {', '.join(balancer for balancer, _ in by)}", "the verb drain was run, or an upgrade broken off, and undrain forgotten", f"run undrain -- -e host={name}")


@of_host("ffmpeg-missing", "media")
def ffmpeg_missing(_host, said):
    if not said["ffmpeg"]:
        yield ("FFmpeg does not run: no file can be processed here", "its package or a library it needs was removed", "ffmpeg -version; apt-get install --fix-broken, then run site")


@of_host("zscale-missing", "media")
def zscale_missing(_host, said):
    if said["ffmpeg"] and not said["zscale"]:
        yield ("its FFmpeg has no zscale: pictures with a wide range of light are shown flat and grey", "another FFmpeg than Debian's was installed", "apt-cache policy ffmpeg; put Debian's back")


@of_host("worker-drained", "media")
def worker_drained(host, said):
    if said["drained"]:
        yield ("its worker takes no orders: it was drained", "the verb drain was run and undrain forgotten", f"run undrain -- -e host={host.name}; or systemctl restart kinora-worker")


@of_host("scratch-missing", "media")
def scratch_missing(_host, said):
    if not said["scratch"]:
        yield ("/var/lib/kinora/scratch is missing: the worker has nowhere to work", "it was removed by hand", "systemctl restart kinora-worker makes it anew")


def _watch(fleet):
    for _, said in fleet.saying("monitoring"):
        return said
    return None


@of_fleet("target-down")
def target_down(fleet):
    watch = _watch(fleet) or {"down": []}
    for target in watch["down"]:
        yield (target.get("host", FLEET), f"Prometheus cannot read its figures ({target['job']})", "what gives them does not run, or its certificate is refused", "see https://localhost:9090/targets on a backend: docs/operations/monitoring.md")


@of_fleet("alert-firing")
def alert_firing(fleet):
    watch = _watch(fleet) or {"alerts": []}
    seen = set()
    for alert in watch["alerts"]:
        key = (alert["alertname"], alert.get("host", FLEET))
        if key not in seen:
            seen.add(key)
            yield (key[1], f"the alert {key[0]} fires", "its page says what brings it about", f"docs/operations/alerts.md#{key[0].lower()}")


@of_fleet("work-waits")
def work_waits(fleet):
    watch = _watch(fleet) or {"oldest": []}
    for step in watch["oldest"]:
        if step["value"] > WAITS_SECONDS:
            yield (FLEET, f"work of the kind {step.get('kind', 'unknown')} has been {step.get('state', 'waiting')} for {age(step['value'])}", "too few workers for what is to do, or none that takes this kind", "kinoractl run list; docs/operations/alerts.md#kinoraworkwaits")


@of_fleet("leader-missing")
def leader_missing(fleet):
    watch = _watch(fleet)
    leading = [entry["value"] for entry in watch["leaders"]] if watch else [1]
    if leading and leading[0] == 0:
        yield (FLEET, "no backend leads: no work is begun, no mail is sent", "no kinora-backend reaches the database", "journalctl -u kinora-backend -n 50, on the backends")


@of_fleet("alerts-lost")
def alerts_lost(fleet):
    watch = _watch(fleet) or {"alerts_lost": []}
    if watch["alerts_lost"]:
        yield (FLEET, "alerts could not be told to anybody in the last quarter of an hour", "the mail relay or the webhook refuses them or cannot be reached", "journalctl -u prometheus-alertmanager -n 50; kinora_alerts in the inventory: docs/operations/monitoring.md")
