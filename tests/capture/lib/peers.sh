# The names of other parts are not seen when this one is checked alone.
# shellcheck shell=bash disable=SC2034,SC2154
# The peers come from Debian packages in trees of their own, so that the
# machine's own packages and configuration stay as they are.

mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}

strongswan_packages=(charon-systemd strongswan-swanctl strongswan-pki openssl
    openssl-provider-legacy
    libcharon-extra-plugins libcharon-extauth-plugins
    libstrongswan-extra-plugins libstrongswan-standard-plugins
    iputils-ping)

need_tools() {
    local missing=() tool
    for tool in debootstrap tcpdump tshark ethtool ip nft; do
        command -v "$tool" >/dev/null || missing+=("$tool")
    done
    ((${#missing[@]} == 0)) && return
    say "installing the packages of: ${missing[*]}"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
        --no-install-recommends debootstrap tcpdump tshark ethtool \
        iproute2 nftables >&2
}

# tree NAME SUITE PACKAGE...: sets $tree to a ready installation.
# The stamp is written last, so a broken-off installation starts afresh.
make_tree() {
    local name=$1 suite=$2
    shift 2
    tree=$cache/$name
    [[ -e $tree/.complete ]] && return
    say "installing $name from Debian $suite into $tree"
    rm -rf --one-file-system "$tree"
    mkdir -p "$cache"
    # An older debootstrap does not know newer suites; all use sid's script.
    debootstrap --variant=minbase "$suite" "$tree" "$mirror" \
        /usr/share/debootstrap/scripts/sid >&2
    deny_services "$tree"
    DEBIAN_FRONTEND=noninteractive LC_ALL=C chroot "$tree" apt-get install \
        -y -qq --no-install-recommends "$@" >&2
    touch "$tree/.complete"
}

# Package scripts must not start a daemon in the machine's own network.
deny_services() {
    printf '#!/bin/sh\nexit 101\n' >"$1/usr/sbin/policy-rc.d"
    chmod +x "$1/usr/sbin/policy-rc.d"
}

# The stable release's strongSwan, used by nearly all scenarios.
use_strongswan() { make_tree strongswan trixie "${strongswan_packages[@]}"; }

# Debian 13's build has no ML-KEM; the testing release's is used for that.
use_strongswan_pq() {
    make_tree strongswan-pq forky "${strongswan_packages[@]}"
}

use_libreswan() { make_tree libreswan trixie libreswan iputils-ping; }
