# The names of other parts are not seen when this one is checked alone.
# shellcheck shell=bash disable=SC2034,SC2154
# libreswan at one end; the other one is strongSwan.

# Its own tree, since $tree is strongSwan's.
pluto_tree=
pluto_pid=

pluto_options() {
    local dir
    dir=$(home "$1")
    printf '%s\n' --config "$dir/ipsec.conf" \
        --secretsfile "$dir/ipsec.secrets" --rundir "$dir/run" \
        --nssdir "$dir/nss" --ipsecdir "$dir" --dumpdir "$dir" \
        --logfile "$dir/pluto.log" --no-dnssec --nofork
}

prepare_pluto() {
    local dir
    dir=$pluto_tree$(home "$1")
    rm -rf "$dir"
    mkdir -p "$dir"/{nss,run}
    chroot "$pluto_tree" certutil -N -d "sql:$(home "$1")/nss" \
        --empty-password
}

write_ipsec_conf() {
    local side=$1 peer dir
    dir=$pluto_tree$(home "$1")
    peer=$(other "$side")
    cat >"$dir/ipsec.conf" <<CONF
config setup
    logfile=$(home "$side")/pluto.log
${opt[$side.setup]-}
conn net
    authby=secret
    left=${opt[addr.$side]}
    leftid=@$side.example
    leftsubnet=${opt[ts.$side]}
    right=${opt[addr.$peer]}
    rightid=@$peer.example
    rightsubnet=${opt[ts.$peer]}
    send-vendorid=yes
    auto=add
${opt[$side.pluto]-}
CONF
    printf ': PSK "not a secret: only for captures"\n' >"$dir/ipsec.secrets"
}

# pluto wants /proc; in the mount namespace that "ip netns exec" makes anyway.
# shellcheck disable=SC2016
with_proc='mount -t proc proc "$0/proc" && exec chroot "$0" "$@"'

in_pluto_tree() {
    netns "$1" sh -c "$with_proc" "$pluto_tree" "${@:2}"
}

start_pluto() {
    local side=$1 options
    prepare_pluto "$side"
    write_ipsec_conf "$side"
    mapfile -t options < <(pluto_options "$side")
    netns_start "$side" sh -c "$with_proc" "$pluto_tree" \
        /usr/libexec/ipsec/pluto "${options[@]}" \
        >"$pluto_tree$(home "$side")/stderr" 2>&1
    pluto_pid=${pids[-1]}
    wait_for 10 test -S "$pluto_tree$(home "$side")/run/pluto.ctl" ||
        die "pluto on the $side did not start"
    sleep 1
    in_pluto_tree "$side" ipsec addconn --config "$(home "$side")/ipsec.conf" \
        --ctlsocket "$(home "$side")/run/pluto.ctl" --autoall >&2
}

crash_pluto() {
    kill -9 "$pluto_pid"
    wait "$pluto_pid" 2>/dev/null || true
    forget_pid "$pluto_pid"
}

whack() {
    in_pluto_tree "$1" ipsec whack \
        --ctlsocket "$(home "$1")/run/pluto.ctl" "${@:2}" >&2
}
