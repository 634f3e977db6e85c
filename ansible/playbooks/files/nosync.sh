# bash -c THIS nosync MEMBER: ends when no commit waits for this member of the database any more. Its settings, written anew, undo it.
set -euo pipefail
config=/etc/patroni/config.yml
grep -q 'nosync: true' $config || sed -i 's/^tags:$/tags:\n  nosync: true/' $config
systemctl reload patroni.service
waits='import json, sys; sys.exit(any(m["Member"] == sys.argv[1] and "Quorum" in m["Role"] for m in json.load(sys.stdin)))'
for _ in $(seq 60); do
    if patronictl -c $config list --format json | python3 -c "$waits" "$1"; then
        exit 0
    fi
    sleep 0.5
done
echo "commits still wait for $1: patronictl -c $config list"
exit 1
