# sh -c THIS verify HOST SENTINEL-PORT AUTHORITIES PRIMARY-NAME: the password comes by standard input.
set -eu
host=$1 port=$2 authorities=$3 name=$4
password=$(cat)
# client HOST PORT COMMAND: what the command is answered. The password goes in as a command, because arguments and environment of
# a process can be read by others.
client() { printf 'AUTH kinora_backend %s\n%s\n' "$password" "$3" | redis-cli --tls --cacert "$authorities" -h "$1" -p "$2" 2>&1 | sed '1{/^OK$/d}'; }
try=0
while :; do
    primary=$(client "$host" "$port" "SENTINEL get-master-addr-by-name $name" | tr '\n' ' ')
    set -- $primary
    if [ $# -eq 2 ] && answer=$(client "$1" "$2" 'PUBLISH progress:verify ""') && [ "$answer" -ge 0 ] 2>/dev/null; then
        exit 0
    fi
    try=$((try + 1))
    if [ "$try" -ge 30 ]; then
        echo "Sentinel on $host says: $primary; the primary says: ${answer:-nothing}"
        exit 1
    fi
    sleep 1
done
