#!/bin/sh
# udhcpc calls this with the lease in its environment.
PATH=/bin

leave() {
    ip -4 addr flush dev "$interface"
}

take() {
    [ -n "$mtu" ] && ip link set mtu "$mtu" dev "$interface"
    ip addr replace "$ip/${mask:-24}" dev "$interface"
    set_routes
    set_names
}

# The first interface's gateway wins: a later one gets a higher metric. Classless routes replace the plain gateway (RFC 3442).
set_routes() {
    metric=$((100 + $(cat "/sys/class/net/$interface/ifindex")))
    if [ -n "$staticroutes" ]; then
        set -- $staticroutes
        while [ $# -ge 2 ]; do
            case $2 in
                0.0.0.0) ip route replace "$1" dev "$interface" metric $metric ;;
                *) ip route replace "$1" via "$2" dev "$interface" onlink metric $metric ;;
            esac
            shift 2
        done
    elif [ -n "$router" ]; then
        ip route replace default via "${router%% *}" dev "$interface" onlink metric $metric
    fi
}

set_names() {
    [ -n "$dns" ] || return
    {
        [ -n "$domain" ] && echo "search $domain"
        for server in $dns; do echo "nameserver $server"; done
    } >/etc/resolv.conf
}

case $1 in
    deconfig) leave; ip link set "$interface" up ;;
    bound | renew) take ;;
esac
