"""What may leave the installation in a support bundle. Everything is left out but what is recognised: words of log messages, keys of settings, shapes of values.

Pure functions, tested by ansible/tests/test_support.py with planted secrets and personal data. What they let through by design: words of the list, numbers that
a word beside them explains, ids of runs and steps, names of units, hosts of the inventory.
"""

import re

from ansible.module_utils.kinora_words import WORDS

LEFT_OUT = "…"
# A message of which no more than this is recognised tells nothing, and may be all title.
LEAST_RECOGNISED = 0.5
# Quoted is what was given: names, titles, passwords.
QUOTED = re.compile(r"“[^”]*”|\"[^\"]*\"|'[^']*'|«[^»]*»|‘[^’]*’|„[^“”]*[“”]|`[^`]*`|\"[^\"]*$|“[^”]*$|«[^»]*$|„.*$")
NUMBER = re.compile(r"\d{1,5}(?:\.\d{1,3})?")
MEASURED = re.compile(r"\d{1,5}(?:\.\d{1,3})?(?:ms|s|m|h|%|kB|MB|GB|KiB|MiB|GiB)")
PAIR = re.compile(r"([a-z_]{2,24})=(\d{1,5}(?:\.\d{1,3})?(?:ms|s|%|B)?|true|false)")
# A number beside one of these is a count, not somebody's.
BEFORE = {"port", "code", "status", "timeline", "attempt", "attempts", "after", "signal", "of", "term", "index", "took", "level", "segment", "exit", "within", "pid"}
BEHIND = {"seconds", "second", "minutes", "hours", "bytes", "of", "members", "nodes", "times", "attempts", "connections", "messages", "rows", "files", "pages", "percent", "ms", "s"}
EDGES = ".,:;()[]{}<>!?-"
UNIT = re.compile(r"(?:kinora-[a-z-]+|etcd|patroni|haproxy|keepalived|rabbitmq-server|redis-server|redis-sentinel|prometheus|prometheus-alertmanager|prometheus-node-exporter|pgbackrest|chrony|ssh)\.(?:service|socket|timer)")
# UUIDs of version 7, which Kinora gives runs and steps; sessions and tokens are none.
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
WORD = re.compile(r"[a-z]{2,20}")
INTEGER = re.compile(r"\d{1,9}")
DURATION = re.compile(r"\d{1,6}(?:ms|s|m|h|d)")
# Fields of our own records: name → shape. People, productions, organisations, addresses, letters and details have none: they stay.
FIELDS = {
    "KINORA_RUN_ID": ID, "KINORA_STEP_ID": ID, "KINORA_REQUEST_ID": ID, "KINORA_STEP": WORD, "KINORA_ATTEMPT": INTEGER, "KINORA_DURATION_MS": INTEGER, "KINORA_STATUS": INTEGER,
    "KINORA_METHOD": re.compile(r"GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS"), "KINORA_STATE": WORD, "KINORA_BYTES": INTEGER,
}
WORDS_OF_FIELDS = {"KINORA_STEP": {"probe", "settle", "render", "publish"}, "KINORA_STATE": {"waiting", "queued", "running", "done", "failed", "cancelled", "cancelling", "lost", "succeeded"}}
LOG_LEVEL = re.compile(r"(?:off|error|warn|info|debug|trace)")
CHOICE = re.compile(r"(?:true|false|yes|no|on|off|disable|prefer|require|verify-ca|verify-full|starttls|implicit|service|none)")
# Keys of our own settings whose values are numbers, durations or choices; those of packaging/settings, tested against it.
SETTINGS = frozenset("""
threads shutdown_grace log quick_parallel long_parallel
database.tls database.pool_size database.statement_timeout_seconds database.checkout_timeout_seconds redis.tls broker.tls
upload.expire_after upload.sweep_interval session.idle_limit session.absolute_limit password.cost password.parallel password.queue password.link_validity invitation.validity
saml.metadata_from_this_host rate_limit.person_per_second rate_limit.person_burst rate_limit.address_per_second rate_limit.address_burst rate_limit.sign_in_per_minute rate_limit.sign_in_burst
coordinator.quick_ahead coordinator.long_ahead coordinator.max_tries coordinator.retry_delay coordinator.heartbeat_timeout coordinator.start_timeout coordinator.cancel_timeout coordinator.orphan_delay
mail.tls mail.timeout mail.retry_delay mail.longest_delay mail.give_up_after mail.keep_ended media.confinement media.time_limit media.time_limit_factor copy.keep_removed copy.read_again
""".split())
# Lines `key value` or `key = value` of engines' settings.
ENGINE_KEYS = frozenset("""
maxmemory maxclients repl-timeout repl-ping-replica-period tcp-keepalive maxconn nbthread vm_memory_high_watermark.relative disk_free_limit.absolute disk_free_limit.relative heartbeat channel_max
cluster_partition_handling consumer_timeout process-max compress-level repo1-retention-full archive-timeout protocol-timeout db-timeout ttl loop_wait retry_timeout maximum_lag_on_failover synchronous_node_count
primary_start_timeout max_connections advert_int priority virtual_router_id scrape_interval evaluation_interval SystemMaxUse MaxRetentionSec
""".split())
ENGINE_VALUE = re.compile(r"\d{1,8}(?:\.\d{1,3})?(?:ms|s|m|h|d|kb|mb|gb|B|KB|MB|GB|M|G|K|day|month)?|yes|no|on|off|true|false|pause_minority|autoheal|ignore", re.IGNORECASE)
PACKAGE = re.compile(r"(?:kinora[a-z-]*|postgresql-17|patroni|etcd-server|rabbitmq-server|redis-server|redis-sentinel|haproxy|keepalived|pgbackrest|prometheus[a-z-]*|ffmpeg|openssl|libssl3t64|libc6|systemd|nftables|chrony|openssh-server|python3|erlang-base)")
VERSION = re.compile(r"(?:\d{1,2}:)?\d{1,8}(?:[.+~-](?:\d{1,8}|deb\d{1,2}u\d{1,2}|dfsg\d?|b\d{1,2}|dev\d{1,5}|g[0-9a-f]{7,10}|rc\d{1,2}|ds\d?|p\d{1,2})){0,8}")
ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
PARAMETER = re.compile(r"[a-z][a-z_]{2,50}")


def message(text, hosts=()):
    """A log message with its recognised words alone; nothing where too little of it is recognised."""
    tokens = QUOTED.sub(f" {LEFT_OUT} ", str(text)[:2000].replace("\n", " ")).split()
    kept = [_token(tokens, place, hosts) for place in range(len(tokens))]
    recognised = sum(1 for each in kept if each)
    if not tokens or recognised <= LEAST_RECOGNISED * len(tokens):
        return None
    joined = []
    for each in kept:
        if each or not joined or joined[-1] != LEFT_OUT:
            joined.append(each or LEFT_OUT)
    return " ".join(joined)


def _token(tokens, place, hosts):
    """What stays of one token, or nothing."""
    bare = tokens[place].strip(EDGES)
    end = ":" if tokens[place].endswith(":") else ""
    if bare in WORDS or bare in hosts or UNIT.fullmatch(bare):
        return bare + end
    pair = PAIR.fullmatch(bare)
    if pair and pair[1] in WORDS:
        return bare
    if MEASURED.fullmatch(bare):
        return bare
    return bare if NUMBER.fullmatch(bare) and _is_explained(tokens, place) else None


def _is_explained(tokens, place):
    """Whether a number is a count. Several side by side are a telephone's, a card's or an account's."""
    around = [tokens[other].strip(EDGES) if 0 <= other < len(tokens) else "" for other in (place - 1, place + 1)]
    if any(each[:1].isdigit() or each[:1] == "+" for each in around):
        return False
    return around[0].rstrip("=") in BEFORE or around[1] in BEHIND


def field(name, value):
    """The value of one of our own records' fields, where it may go; else nothing."""
    shape = FIELDS.get(name)
    if shape is None or not isinstance(value, str) or not shape.fullmatch(value):
        return None
    return value if value in WORDS_OF_FIELDS.get(name, (value,)) else None


def record(entry, hosts=()):
    """One record of the journal (a dictionary of `journalctl -o json`): {at, unit, priority, message?, fields?}; nothing where its unit is none of ours."""
    unit = entry.get("_SYSTEMD_UNIT") or entry.get("UNIT") or ""
    if not isinstance(unit, str) or not UNIT.fullmatch(unit):
        return None
    at = str(entry.get("__REALTIME_TIMESTAMP", ""))
    priority = str(entry.get("PRIORITY", ""))
    made = {"at": int(at) if re.fullmatch(r"\d{1,17}", at) else 0, "unit": unit, "priority": int(priority) if re.fullmatch(r"[0-7]", priority) else 6}
    text = entry.get("MESSAGE")
    cleaned = message(text, hosts) if isinstance(text, str) else None
    if cleaned:
        made["message"] = cleaned
    fields = {name: kept for name, value in entry.items() if (kept := field(name, value))}
    return {**made, **({"fields": fields} if fields else {})}


def settings(tree, path=""):
    """(what may go of our own settings, as lines; how many values were left out)."""
    lines, left = [], 0
    for key, value in tree.items():
        name = f"{path}{key}"
        if isinstance(value, dict):
            more, fewer = settings(value, f"{name}.")
            lines, left = lines + more, left + fewer
        elif name in SETTINGS and _is_harmless(value):
            lines.append(f"{name} = {str(value).lower() if isinstance(value, bool) else value}")
        else:
            left += 1
    return lines, left


def _is_harmless(value):
    if isinstance(value, (bool, float)) or (isinstance(value, int) and abs(value) < 10**9):
        return True
    return isinstance(value, str) and any(shape.fullmatch(value) for shape in (LOG_LEVEL, CHOICE, DURATION))


def engine_settings(text):
    """(what may go of an engine's settings, as lines; how many lines were left out)."""
    lines, left = [], 0
    for line in text.splitlines():
        stripped = line.strip()
        if not stripped or stripped.startswith(("#", ";")):
            continue
        match = re.fullmatch(r"(?:timeout )?([A-Za-z0-9._-]+)\s*(?:=|:|\s)\s*(\S+)", stripped)
        key = match and (match[1] in ENGINE_KEYS or stripped.startswith("timeout ") and match[1] in ("client", "server", "connect", "queue", "check", "tunnel"))
        if key and ENGINE_VALUE.fullmatch(match[2]):
            lines.append(stripped)
        else:
            left += 1
    return lines, left


def packages(text):
    """Lines `name version` of the packages that Kinora is made of."""
    found = []
    for line in text.splitlines():
        words = line.split()
        if len(words) == 2 and PACKAGE.fullmatch(words[0]) and VERSION.fullmatch(words[1]) and not ADDRESS.match(words[1]):
            found.append(" ".join(words))
    return found


def parameters(rows):
    """PostgreSQL's settings that are numbers or choices: rows of (name, value, type)."""
    return [f"{name} = {value}" for name, value, kind in rows
            if PARAMETER.fullmatch(name) and ((kind in ("integer", "real") and re.fullmatch(r"-?\d{1,15}(\.\d+)?", value)) or (kind in ("bool", "enum") and re.fullmatch(r"[a-z_-]{1,20}", value)))]


def counters(table, chains=("input", "output", "forward", "role_in", "role_out")):
    """Packets and bytes of each rule with a counter, by chain and place; nothing of what it matches. `table` is what `nft --json` says."""
    found, place = [], {}
    for entry in table.get("nftables", []):
        rule = entry.get("rule")
        if not rule or rule.get("chain") not in chains:
            continue
        place[rule["chain"]] = place.get(rule["chain"], 0) + 1
        for part in rule.get("expr", []):
            counter = part.get("counter") if isinstance(part, dict) else None
            if isinstance(counter, dict):
                found.append(f"{rule['chain']} rule {place[rule['chain']]}: {int(counter['packets'])} packets, {int(counter['bytes'])} bytes")
    return found
