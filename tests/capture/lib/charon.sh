# The names of other parts are not seen when this one is checked alone.
# shellcheck shell=bash disable=SC2034,SC2154
# strongSwan at either end: two charons in one tree, told apart by their
# configuration directory and control socket.

# Settings of the running scenario; "left.X" and "right.X" add to "X".
declare -A opt=()

both() { printf '%s\n%s\n' "${opt[$2]-}" "${opt[$1.$2]-}"; }

# The directory of SIDE as charon sees it, below its chroot.
home() { printf '%s/%s' "$homes" "$1"; }

# The packaged plugins less those that talk to hardware, a desktop, a
# directory server or the host's firewall.
plugins="random nonce openssl aes rc2 sha1 sha2 md5 mgf1 gmp curve25519
 chapoly xcbc cmac hmac kdf ctr ccm gcm drbg gcrypt x509 revocation
 constraints pubkey pkcs1 pkcs7 pkcs8 pem fips-prf kernel-libipsec
 kernel-netlink socket-default vici eap-identity eap-md5 eap-mschapv2
 eap-tls eap-ttls updown counters"

# opt[without] names the ones that a scenario must not have.
plugin_list() {
    local one
    for one in $plugins; do
        [[ " ${opt[without]-} " == *" $one "* ]] || printf '%s ' "$one"
    done
}

other() { [[ $1 == left ]] && echo right || echo left; }

write_strongswan_conf() {
    local side=$1
    cat >"$tree$(home "$side")/strongswan.conf" <<CONF
charon {
    load = $(plugin_list)
    plugins {
        vici {
            socket = unix://$(home "$side")/vici
        }
        openssl {
            load_legacy = yes
        }
$(both "$side" plugin)
    }
    filelog {
        keys {
            path = $(home "$side")/charon.log
            flush_line = yes
            default = 1
            ike = 4
            enc = 1
            chd = 4
            cfg = 2
        }
    }
    retransmit_timeout = 2.0
    retransmit_tries = 2
    keep_alive = 0
$(both "$side" charon)
}
charon-systemd {
    journal {
        default = -1
    }
}
CONF
}

# Who is who; a scenario overrides any of these by opt[...].
write_swanctl_conf() {
    local side=$1 peer
    peer=$(other "$side")
    cat >"$tree$(home "$side")/swanctl.conf" <<CONF
connections {
    net {
        version = 2
        local_addrs = ${opt[addr.$side]}
        remote_addrs = ${opt[$side.remote_addrs]-${opt[addr.$peer]}}
        mobike = no
$(both "$side" conn)
        local {
$(both "$side" local)
        }
        remote {
$(both "$side" remote)
        }
        children {
            one {
                local_ts = ${opt[ts.$side]}
                remote_ts = ${opt[ts.$peer]}
$(both "$side" child)
            }
$(both "$side" children)
        }
    }
$(both "$side" conns)
}
pools {
$(both "$side" pools)
}
secrets {
$(both "$side" secrets)
}
CONF
}

# Fresh settings: an IKE SA by pre-shared key between the two addresses.
defaults() {
    opt=(
        [addr.left]=$outer_left [addr.right]=$outer_right
        [ts.left]=$inner_left/32 [ts.right]=$inner_right/32
        [left.local]='auth = psk
id = left.example' [left.remote]='auth = psk
id = right.example'
        [right.local]='auth = psk
id = right.example' [right.remote]='auth = psk
id = left.example'
        [secrets]='ike {
secret = "not a secret: only for captures"
}'
    )
}

prepare_home() {
    rm -rf "$tree$(home "$1")"
    mkdir -p "$tree$(home "$1")"/{x509,x509ca,x509ocsp,x509aa,x509ac,x509crl,pubkey,private,rsa,ecdsa,pkcs8,pkcs12}
}

start_charon() {
    local side=$1
    write_strongswan_conf "$side"
    write_swanctl_conf "$side"
    mount_dev
    netns_start "$side" chroot "$tree" /usr/bin/env -i \
        PATH=/usr/sbin:/usr/bin \
        STRONGSWAN_CONF="$(home "$side")/strongswan.conf" \
        charon-systemd >"$tree$(home "$side")/stderr" 2>&1
    charon_pid[$side]=${pids[-1]}
    wait_for 10 test -S "$tree$(home "$side")/vici" ||
        die "charon on the $side did not start: $tree$(home "$side")"
    swan "$side" --load-all >&2
}

# The processes by side, for the scenarios that stop one of them.
declare -A charon_pid=()

# crash SIDE: charon ends without a word to its peer. Its log goes on later.
crash() {
    kill -9 "${charon_pid[$1]}"
    wait "${charon_pid[$1]}" 2>/dev/null || true
    forget_pid "${charon_pid[$1]}"
    rm -f "$tree$(home "$1")/vici"
}

# reload SIDE: what the scenario changed in opt, without a restart.
reload() {
    write_swanctl_conf "$1"
    swan "$1" --load-all >&2
}

# charon wants random numbers and a TUN device.
mount_dev() {
    [[ -c $tree/dev/net/tun ]] && return
    mkdir -p "$tree/dev/net"
    mknod "$tree/dev/net/tun" c 10 200
}

# swan SIDE ARG...: its swanctl. An expected refusal is not our failure.
swan() {
    local side=$1
    shift
    netns "$side" chroot "$tree" /usr/bin/env -i PATH=/usr/sbin:/usr/bin \
        STRONGSWAN_CONF="$(home "$side")/strongswan.conf" \
        SWANCTL_DIR="$(home "$side")" \
        swanctl "$@" --uri "unix://$(home "$side")/vici"
}

start_pair() {
    prepare_homes
    start_charons
}

prepare_homes() {
    prepare_home left
    prepare_home right
}

start_charons() {
    start_charon right
    start_charon left
}

initiate() { swan left --initiate --child "${1:-one}" >&2; }

# must_fail COMMAND...: a refusal is what the scenario is about.
must_fail() {
    if "$@"; then
        die "$name: expected to fail: $*"
    fi
}

terminate() { swan "${1:-left}" --terminate --ike net >&2; }

# Some pings from inside to inside; each has to come back.
ping_through() {
    netns left chroot "$tree" ping -n -q -c "${1:-2}" -i 0.3 -W 2 \
        -I "${opt[ts.left]%/*}" "${opt[ts.right]%/*}" >&2
}
