# sh -c THIS users VIRTUAL-HOST: makes the broker's users what standard input says, a line each: name, password, and what
# it may configure, write and read. Others are removed. Passwords are in no process's arguments.
set -euf
virtual_host=$1
tab=$(printf '\t')
rabbitmqctl() { command rabbitmqctl --quiet --no-table-headers "$@"; }

present=$(rabbitmqctl list_users | cut -f1)
rights=$(rabbitmqctl list_permissions --vhost "$virtual_host")
wanted=
while IFS="$tab" read -r name password configure write read; do
    wanted="$wanted $name "
    if ! printf '%s\n' "$present" | grep -qx "$name"; then
        printf '%s' "$password" | rabbitmqctl add_user "$name" >/dev/null
        echo "changed: made $name"
    elif ! printf '%s' "$password" | rabbitmqctl authenticate_user "$name" >/dev/null 2>&1; then
        printf '%s' "$password" | rabbitmqctl change_password "$name" >/dev/null
        echo "changed: password of $name"
    fi
    if ! printf '%s\n' "$rights" | grep -Fqx "$name$tab$configure$tab$write$tab$read"; then
        rabbitmqctl set_permissions --vhost "$virtual_host" "$name" "$configure" "$write" "$read" >/dev/null
        echo "changed: rights of $name"
    fi
done
for name in $present; do
    case $wanted in
        *" $name "*) ;;
        *) rabbitmqctl delete_user "$name" >/dev/null && echo "changed: removed $name" ;;
    esac
done
