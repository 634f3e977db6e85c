"""Faults that are injected one by one into a fleet, for the verb `doctor` to name. Each is a small item: what to do on which host, and what undoes it.

Both are for `sh -c` at the host's console, with $NAME as the host's name in the inventory. Left out is what a lab cannot have: a wrong clock, lack of memory, another kernel.
"""

from dataclasses import dataclass

TLS = "/etc/kinora/tls"
PUBLIC = f"name=$(openssl x509 -noout -ext subjectAltName -in {TLS}/public.pem | grep -o 'DNS:[^,]*' | head -n 1 | cut -d: -f2); "
MAKE = f"openssl req -x509 -key {TLS}/public.key -subj /CN=fault -out {TLS}/public.pem "
DRILL = "/var/lib/kinora-drill/result.json"
REDIS_PASSWORD = "/etc/kinora/credentials/backend/redis-password"
BALANCER = """python3 -c 'import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect("/run/haproxy/admin.sock"); s.sendall(b"show stat\\n"); \
t = b"".join(iter(lambda: s.recv(65536), b"")).decode(); n = [r.split(",")[1] for r in t.splitlines() if r.startswith("applications,")]; n = [x for x in n if x not in ("FRONTEND", "BACKEND")][0]; \
s = socket.socket(socket.AF_UNIX); s.connect("/run/haproxy/admin.sock"); s.sendall(("set server applications/%s state %s\\n" % (n, sys.argv[1])).encode()); s.recv(9)' """


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong."""

    # What doctor must name, and what may stand beside it because it follows.
    check: str
    # Group of the inventory; on its first host.
    group: str
    inject: str
    heal: str
    also: tuple[str, ...] = ()
    # How many hosts of the group there must be.
    least: int = 1


def _kept(path: str, change: str) -> tuple[str, str]:
    """Changes a file, and puts it back with its times and modes."""
    kept = f"/root/kept-{path.strip('/').replace('/', '-')}"
    return f"cp -p {path} {kept} && {change}", f"cp -p {kept} {path} && rm {kept}"


def _away(path: str, after: str = "true") -> tuple[str, str]:
    kept = f"/root/away-{path.strip('/').replace('/', '-')}"
    return f"mv {path} {kept} && {after}", f"mv {kept} {path} && {after}"


def _stopped(unit: str) -> tuple[str, str]:
    return f"systemctl stop {unit}", f"systemctl start {unit}"


def _tmpfs(options: str, fill: str) -> tuple[str, str]:
    place = "/mnt/fault"
    return f"mkdir -p {place} && mount -t tmpfs -o {options} fault {place} && {{ cd {place}; {fill}; }}; true", f"umount {place} && rmdir {place}"


def _drill(change: str) -> tuple[str, str]:
    code = f'import json, time; p = "{DRILL}"; r = {{"at": int(time.time()), "seconds": 1, "backup": "x"}}; {change}; json.dump(r, open(p, "w"))'
    return f"mkdir -p $(dirname {DRILL}); [ ! -e {DRILL} ] || cp -p {DRILL} /root/kept-drill; python3 -c '{code}'", f"if [ -e /root/kept-drill ]; then mv /root/kept-drill {DRILL}; else rm {DRILL}; fi"


EXPORTER = "prometheus-node-exporter.service"
RULE = "nft insert rule inet kinora input tcp dport 4711 accept"
RESTORE = "/usr/local/sbin/kinora-firewall restore"
FAULTS = (
    Fault("unit-stopped", "workers", *_stopped("kinora-worker.service"), ("queue-no-consumers",)),
    Fault("unit-stopped", "backends", *_stopped("prometheus-alertmanager.service")),
    Fault("unit-stopped", "backends", *_stopped("redis-sentinel.service")),
    Fault("unit-stopped", "applications", "systemctl stop kinora-application.service", "systemctl start kinora-application.socket kinora-application.service"),
    Fault("unit-stopped", "load_balancers", *_stopped("kinora-canary.timer")),
    Fault("unit-masked", "every_host", f"systemctl mask --runtime --now {EXPORTER}", f"systemctl unmask --runtime {EXPORTER}; systemctl start {EXPORTER}"),
    Fault("unit-disabled", "every_host", "systemctl disable kinora-figures.timer", "systemctl enable kinora-figures.timer"),
    Fault("unit-failed", "every_host", "systemd-run --quiet --unit=kinora-fault --property=Type=oneshot /bin/false; true", "systemctl reset-failed kinora-fault.service"),
    Fault("unit-restarting", "workers", "for n in 1 2 3 4; do systemctl kill --kill-whom=main -s KILL kinora-worker; until systemctl -q is-active kinora-worker && [ $(systemctl show -P NRestarts kinora-worker) -ge $n ]; do sleep 0.2; done; done",
          "systemctl restart kinora-worker", ("queue-no-consumers",)),
    Fault("unit-file-changed", "every_host", "touch /etc/systemd/system/ssh.service.d/20-kinora-ssh.conf", "systemctl daemon-reload"),
    Fault("unit-missing", "every_host", *_away("/etc/systemd/system/kinora-figures.timer", "systemctl daemon-reload; systemctl restart kinora-figures.timer 2> /dev/null || true"), ("unit-disabled",)),
    Fault("unit-old-program", "workers", "cp -p /usr/bin/kinora-worker /root/kinora-worker && mv /root/kinora-worker /usr/bin/kinora-worker", "systemctl restart kinora-worker"),
    Fault("sandbox-missing", "every_host", *_away(f"/etc/systemd/system/{EXPORTER}.d/10-kinora-sandbox.conf", "systemctl daemon-reload")),
    Fault("secret-missing", "workers", *_away("/etc/kinora/credentials/worker/tls-key")),
    Fault("secret-missing", "applications", *_kept("/etc/kinora/credentials/application/redis-password", ": > /etc/kinora/credentials/application/redis-password")),
    Fault("secret-readable", "workers", "chmod 0644 /etc/kinora/credentials/worker/tls-key", "chmod 0600 /etc/kinora/credentials/worker/tls-key"),
    Fault("secret-readable", "every_host", f"chmod 0640 {TLS}/host.key", f"chmod 0600 {TLS}/host.key"),
    Fault("master-key-differs", "workers", *_kept("/etc/kinora/credentials/worker/vault-master-key", "echo fault > /etc/kinora/credentials/worker/vault-master-key")),
    Fault("session-key-differs", "applications", *_kept("/etc/kinora/credentials/application/session-key", "echo fault > /etc/kinora/credentials/application/session-key"), least=2),
    Fault("authorities-differ", "workers", *_kept(f"{TLS}/authorities.pem", f"echo >> {TLS}/authorities.pem"), least=2),
    Fault("settings-refused", "workers", *_kept("/etc/kinora/worker.toml", "sed -i '1i nonsense = 1' /etc/kinora/worker.toml"), ("settings-unread",)),
    Fault("settings-refused", "load_balancers", *_kept("/etc/haproxy/haproxy.cfg", "echo nonsense >> /etc/haproxy/haproxy.cfg")),
    Fault("settings-unread", "workers", *_kept("/etc/kinora/worker.toml", "touch -d '+1 minute' /etc/kinora/worker.toml")),
    Fault("certificate-unreadable", "load_balancers", *_kept(f"{TLS}/public.pem", f"echo fault > {TLS}/public.pem")),
    Fault("certificate-key", "load_balancers", *_kept(f"{TLS}/public.key", f"openssl genpkey -quiet -algorithm ED25519 > {TLS}/public.key")),
    Fault("certificate-ends", "load_balancers", *_kept(f"{TLS}/public.pem", PUBLIC + MAKE + '-days 5 -addext "subjectAltName=DNS:$name"')),
    Fault("certificate-ended", "load_balancers", *_kept(f"{TLS}/public.pem", PUBLIC + MAKE + '-not_before 20200101000000Z -not_after 20210101000000Z -addext "subjectAltName=DNS:$name"')),
    Fault("certificate-name", "load_balancers", *_kept(f"{TLS}/public.pem", MAKE + "-days 300 -addext subjectAltName=DNS:other.example")),
    Fault("certificate-copy-stale", "backends", *_kept("/etc/redis/tls/host.pem", f"cat {TLS}/authorities.pem >> /etc/redis/tls/host.pem")),
    Fault("disk-full", "every_host", *_tmpfs("size=1m", "dd if=/dev/zero of=full bs=64k 2> /dev/null")),
    Fault("inodes-full", "every_host", *_tmpfs("nr_inodes=20", "touch $(seq 30) 2> /dev/null")),
    Fault("disk-read-only", "every_host", *_tmpfs("ro,size=1m", "true")),
    Fault("journal-not-kept", "every_host", *_away("/var/log/journal")),
    Fault("names-missing", "every_host", *_kept("/etc/hosts", "grep -v -F .edge. /root/kept-etc-hosts > /etc/hosts")),
    Fault("names-other", "every_host", *_kept("/etc/hosts", 'echo "10.9.9.9 $NAME.management.kinora.internal" >> /etc/hosts')),
    Fault("firewall-off", "every_host", "nft delete table inet kinora", RESTORE),
    Fault("firewall-open", "every_host", "nft 'add chain inet kinora forward { type filter hook forward priority filter; policy accept; }'", RESTORE),
    Fault("firewall-changed", "every_host", RULE, RESTORE),
    Fault("firewall-outdated", "every_host", *_kept("/etc/kinora/nftables/current.nft", "echo '# fault' >> /etc/kinora/nftables/current.nft")),
    Fault("firewall-pending", "every_host", "systemd-run --quiet --collect --unit=kinora-firewall-restore.service --on-active=600s", "systemctl stop kinora-firewall-restore.timer"),
    Fault("firewall-other", "every_host", "printf '[Service]\\nType=oneshot\\nRemainAfterExit=yes\\nExecStart=/bin/true\\n' > /run/systemd/system/ufw.service && systemctl daemon-reload && systemctl start ufw",
          "systemctl stop ufw && rm /run/systemd/system/ufw.service && systemctl daemon-reload"),
    Fault("routing-on", "every_host", "sysctl -qw net.ipv4.ip_forward=1", "sysctl -qw net.ipv4.ip_forward=0"),
    Fault("ssh-passwords", "every_host", "echo 'PasswordAuthentication yes' > /etc/ssh/sshd_config.d/00-fault.conf", "rm /etc/ssh/sshd_config.d/00-fault.conf"),
    Fault("reboot-needed", "every_host", "touch /run/reboot-required", "rm /run/reboot-required"),
    Fault("time-zone", "workers", "ln -sfn /usr/share/zoneinfo/Pacific/Auckland /etc/localtime", "ln -sfn /usr/share/zoneinfo/Etc/UTC /etc/localtime", least=2),
    Fault("storage-missing", "workers", "mv /srv/kinora/vault /srv/kinora/fault", "mv /srv/kinora/fault /srv/kinora/vault"),
    Fault("storage-unwritable", "workers", "chmod 0700 /srv/kinora/vault", "chmod 2770 /srv/kinora/vault"),
    Fault("ffmpeg-missing", "workers", *_away("/usr/bin/ffmpeg")),
    Fault("zscale-missing", "workers", "printf '#!/bin/sh\\necho none\\n' > /root/ffmpeg && chmod 0755 /root/ffmpeg && mount --bind /root/ffmpeg /usr/bin/ffmpeg", "umount /usr/bin/ffmpeg"),
    Fault("scratch-missing", "workers", *_away("/var/lib/kinora/scratch")),
    Fault("worker-drained", "workers", "systemctl kill --kill-whom=main --signal=SIGUSR1 kinora-worker.service; sleep 2", "systemctl restart kinora-worker.service", ("queue-no-consumers",)),
    Fault("balancer-drained", "load_balancers", BALANCER + "drain", BALANCER + "ready"),
    Fault("drill-failed", "backup_repository", *_drill('r["ok"] = False; r["problem"] = "a page is damaged"')),
    Fault("drill-missing", "backup_repository", *_drill('r["ok"] = True; r["at"] -= 27 * 3600')),
    Fault("backup-unreachable", "backup_repository", "chmod 0000 /etc/pgbackrest/pgbackrest.conf", "chmod 0640 /etc/pgbackrest/pgbackrest.conf", ("archive-failing",)),
    Fault("database-paused", "databases", "patronictl -c /etc/patroni/config.yml pause --wait", "patronictl -c /etc/patroni/config.yml resume --wait"),
    # A setting that is only taken back waits for a restart, too; one that was said to be as it is does not.
    Fault("database-restart-pending", "databases", "cd /; runuser -u postgres -- psql -Xqc \"ALTER SYSTEM SET huge_pages = 'off'\" -c 'SELECT pg_reload_conf()'; sleep 1",
          "cd /; runuser -u postgres -- psql -Xqc \"ALTER SYSTEM SET huge_pages = 'try'\" -c 'SELECT pg_reload_conf()'; sleep 1; "
          "runuser -u postgres -- psql -Xqc 'ALTER SYSTEM RESET huge_pages' -c 'SELECT pg_reload_conf()'; sleep 1"),
    Fault("broker-alarm", "backends", "rabbitmqctl --quiet set_disk_free_limit 900TB; sleep 1", "rabbitmqctl --quiet set_disk_free_limit $(sed -n 's/^disk_free_limit.absolute = //p' /etc/rabbitmq/rabbitmq.conf); sleep 1"),
    Fault("broker-drained", "backends", "rabbitmq-upgrade --quiet drain", "rabbitmq-upgrade --quiet revive", ("port-silent", "queue-no-consumers", "not-asked", "leader-missing", "certificate-not-shown")),
    Fault("redis-silent", "backends", *_kept(REDIS_PASSWORD, f"echo fault > {REDIS_PASSWORD}")),
)
