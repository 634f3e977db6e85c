# sh -c THIS verify HOST SENTINEL-PORT AUTHORITIES PRIMARY-NAME: the password comes by standard input.
set -eu
host=$1 port=$2 authorities=$3 name=$4
# redis-cli takes a password from the environment or as an argument; of these two only root can read the environment.
REDISCLI_AUTH=$(cat)
export REDISCLI_AUTH
client() { redis-cli --tls --cacert "$authorities" --user kinora_backend --no-auth-warning "$@" 2>&1; }
try=0
while :; do
    primary=$(client -h "$host" -p "$port" SENTINEL get-master-addr-by-name "$name" | tr '\n' ' ')
    set -- $primary
    if [ $# -eq 2 ] && answer=$(client -h "$1" -p "$2" PUBLISH progress:verify '') && [ "$answer" -ge 0 ] 2>/dev/null; then
        exit 0
    fi
    try=$((try + 1))
    if [ "$try" -ge 30 ]; then
        echo "Sentinel on $host says: $primary; the primary says: ${answer:-nothing}"
        exit 1
    fi
    sleep 1
done
