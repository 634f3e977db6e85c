# sh -c THIS wait MINUTES: ends when this host's PostgreSQL is the primary, or follows it.
set -eu
deadline=$(($(date +%s) + 60 * $1))
question="SELECT CASE WHEN pg_is_in_recovery() THEN EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming') ELSE true END"
while [ "$(runuser -u postgres -- psql -XAtqc "$question" 2>&1 | tail -n 1)" != t ]; do
    if [ "$(systemctl show --property=NRestarts --value patroni.service)" -ge 10 ]; then
        echo 'Patroni starts again and again: journalctl -u patroni'
        exit 1
    fi
    if [ "$(date +%s)" -ge "$deadline" ]; then
        patronictl -c /etc/patroni/config.yml list || true
        echo "PostgreSQL is neither primary nor follows one after $1 minutes: journalctl -u patroni"
        exit 1
    fi
    sleep 1
done
