# What a host says of its state; `key value` on each line. UNITS are those that must run here, NAME is the host's in the backend zone, STORAGE
# the path of the media where they are used.
running() { systemctl --quiet is-active "$1"; }
# That it speaks TLS with a certificate of this installation for this host.
shows_certificate() {
    timeout 5 openssl s_client -connect "$NAME:$1" -CAfile /etc/kinora/tls/authorities.pem -verify_return_error -verify_hostname "$NAME" $2 \
        < /dev/null > /dev/null 2>&1
}
for unit in $UNITS; do echo "unit $unit $(systemctl is-active "$unit")"; done
systemctl list-units --failed --plain --no-legend | awk '{ print "failed " $1 }'
df --output=pcent,target --local --exclude-type=tmpfs --exclude-type=devtmpfs --exclude-type=efivarfs 2> /dev/null | awk 'NR > 1 { print "disk " int($1) " " $2 }' | sort -k 2 -n -r | head -n 1
# The storage is not local, and may hang for ever: whoever looks is left to itself then.
if [ -n "$STORAGE" ]; then
    told=$(mktemp)
    timeout --signal=KILL 60 df --output=pcent,target "$STORAGE" < /dev/null > "$told" 2>&1 &
    tries=0; while [ ! -s "$told" ] && [ "$tries" -lt 25 ]; do sleep 0.2; tries=$((tries + 1)); done
    awk 'NR == 2 && $1 ~ /^[0-9]+%$/ { print "disk " int($1) " " $2; found = 1 } END { if (!found) print "serves-not storage" }' "$told"
    rm -f "$told"
fi
for file in /etc/kinora/tls/*.pem; do
    end=$(openssl x509 -noout -enddate -in "$file" 2> /dev/null) || continue
    echo "days ${file##*/} $(( ($(date -d "${end#notAfter=}" +%s) - $(date +%s)) / 86400 ))"
done
dpkg-query -W -f='package ${Package} ${Version}\n' 'kinora*' 2> /dev/null
for address in $PUBLIC; do ip -oneline address show to "$address" | grep -q . && echo "public $address"; done
# Who vouches for the certificate that people see: this installation, a public authority, or another one.
shown=/etc/haproxy/tls/public.pem
if [ -e "$shown" ]; then
    if openssl verify -no-CApath -no-CAstore -CAfile /etc/kinora/tls/authorities.pem -untrusted "$shown" "$shown" > /dev/null 2>&1; then echo 'vouched own'
    elif openssl verify -CApath /etc/ssl/certs -untrusted "$shown" "$shown" > /dev/null 2>&1; then echo 'vouched public'
    else echo 'vouched other'; fi
fi
# A unit that runs need not serve: each engine is asked what its clients want of it.
if running etcd; then
    etcdctl --endpoints="https://$NAME:2379" --cacert=/etc/etcd/tls/authorities.pem --cert=/etc/etcd/tls/member.pem --key=/etc/etcd/tls/member.key \
        --command-timeout=5s endpoint health > /dev/null 2>&1 || echo 'serves-not etcd'
fi
if running rabbitmq-server; then
    timeout 30 rabbitmq-diagnostics --quiet check_local_alarms > /dev/null 2>&1 || echo 'serves-not broker'
    shows_certificate 5671 || echo 'serves-not broker-tls'
fi
if running redis-server; then
    shows_certificate 6379 || echo 'serves-not redis'
    shows_certificate 26379 || echo 'serves-not sentinel'
fi
if running haproxy; then
    python3 - << 'END'
import csv, socket
with socket.socket(socket.AF_UNIX) as connection:
    connection.settimeout(5)
    connection.connect("/run/haproxy/admin.sock")
    connection.sendall(b"show stat\n")
    text = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
for row in csv.DictReader(text.removeprefix("# ").splitlines()):
    if row["svname"] not in ("FRONTEND", "BACKEND"):
        print("server", row["svname"], row["status"])
END
fi
if running patroni; then
    case "$(runuser -u postgres -- psql -Atqc 'SELECT pg_is_in_recovery()' 2> /dev/null)" in
        f) echo 'database primary' ;;
        t) echo 'database standby' ;;
        *) echo 'database unreachable' ;;
    esac
    shows_certificate 5432 '-starttls postgres' || echo 'serves-not database-tls'
    timeout 20 patronictl -c /etc/patroni/config.yml list --format json 2> /dev/null \
        | python3 -c 'import json, sys; [print("member", m["Member"], m["State"]) for m in json.load(sys.stdin)]' 2> /dev/null
fi
if running kinora-audit-target; then
    # rsyslog says when it cannot reach the collector, and when it can again.
    journalctl --quiet --unit=kinora-audit-target --boot --grep='action .collector. (suspended|resumed)' --lines=1 --output=cat 2> /dev/null \
        | grep -q suspended && echo 'serves-not audit-target'
fi
if [ -e /etc/systemd/system/kinora-drill.timer ]; then
    python3 - << 'END'
import json, os, subprocess, time
try:
    with open("/var/lib/kinora-drill/result.json", encoding="utf-8") as file:
        told = json.load(file)
    print("drill", "ok" if told["ok"] else "failed", int(time.time()) - told["at"], told.get("problem", told.get("backup", "")))
except (OSError, ValueError, KeyError):
    print("drill never", int(time.time() - os.stat("/etc/systemd/system/kinora-drill.timer").st_mtime))
command = ["runuser", "-u", "postgres", "--", "timeout", "30", "pgbackrest", "--stanza=kinora", "--log-level-console=off", "--output=json", "info"]
try:
    taken = [each for each in json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)[0]["backup"] if not each.get("error")]
    newest = max((each["timestamp"]["stop"] for each in taken), default=None)
    if newest:
        print("backup", int(time.time()) - newest)
    else:
        print("backup never", int(time.time() - os.stat("/etc/systemd/system/kinora-drill.timer").st_mtime))
except (subprocess.CalledProcessError, ValueError, IndexError):
    print("backup unknown 0")
END
fi
if [ -e /etc/systemd/system/kinora-media-copy.timer ]; then
    python3 - << 'END'
import json, os, time
try:
    with open("/var/lib/kinora-media-copy/result.json", encoding="utf-8") as file:
        told = json.load(file)
    print("copy", "ok" if told["ok"] else "failed", int(time.time()) - told["at"], told.get("problem") or "")
except (OSError, ValueError, KeyError):
    print("copy never", int(time.time() - os.stat("/etc/systemd/system/kinora-media-copy.timer").st_mtime))
END
fi
[ -e /run/reboot-required ] && echo 'reboot needed'
echo "uptime $(cut -d. -f1 /proc/uptime)"
echo 'end'
