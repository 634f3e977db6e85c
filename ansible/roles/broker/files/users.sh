# sh -c THIS users VIRTUAL-HOST: makes the broker's users what standard input says, a line each: name, password, and what
# it may configure, write and read. Others are removed. Passwords are in no process's arguments.
set -euf
virtual_host=$1
tab=$(printf '\t')
# With just these two arguments rabbitmqctl reads the password from its standard input; with any other it would wait for ever.
with_password() { printf '%s\n' "$password" | rabbitmqctl "$1" "$2" >/dev/null; }

present=$(rabbitmqctl --quiet --no-table-headers list_users | cut -f1)
rights=$(rabbitmqctl --quiet --no-table-headers list_permissions --vhost "$virtual_host")
wanted=
while read -r name password configure write read; do
    [ -n "$name" ] || continue
    wanted="$wanted $name "
    if ! printf '%s\n' "$present" | grep -qx "$name"; then
        with_password add_user "$name"
        echo "changed: made $name"
    elif ! with_password authenticate_user "$name" 2>/dev/null; then
        with_password change_password "$name"
        echo "changed: password of $name"
    fi
    if ! printf '%s\n' "$rights" | grep -Fqx "$name$tab$configure$tab$write$tab$read"; then
        rabbitmqctl --quiet set_permissions --vhost "$virtual_host" "$name" "$configure" "$write" "$read" >/dev/null </dev/null
        echo "changed: rights of $name"
    fi
done
for name in $present; do
    case $wanted in
        *" $name "*) ;;
        *) rabbitmqctl --quiet delete_user "$name" >/dev/null && echo "changed: removed $name" ;;
    esac
done
