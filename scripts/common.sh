# shellcheck shell=bash
# Shared by the scripts in this folder: messages, and an apt that is private to a
# folder. The scripts source this file.

program=${0##*/}
say() { printf '%s\n' "$program: $*" >&2; }
die() { say "$*"; exit 1; }
has() { [ -n "$(type -P "$1" || true)" ]; }

# Changes to the project's folder, and sets PATH and the build folder for cargo.
# shellcheck disable=SC2154 # $here is the sourcing script's
use_cargo() {
    cd "$here/.." || exit
    # rustup installs cargo here. A shell that was started before the installation
    # does not know it.
    PATH="$PATH:${CARGO_HOME:-${HOME:-}/.cargo}/bin"
    # Always the same folder, whatever cargo's own configuration says.
    CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target}
    case $CARGO_TARGET_DIR in /*) ;; *) CARGO_TARGET_DIR=$PWD/$CARGO_TARGET_DIR ;; esac
    export CARGO_TARGET_DIR
}

# Sets what the tests load, so that no test builds or searches again.
# shellcheck disable=SC2154
use_plugin() {
    SURICATA_IKEV2_PLUGIN=$("$here/build.sh")
    SURICATA=$("$here/suricata.sh")
    export SURICATA SURICATA_IKEV2_PLUGIN
}

# --- a private apt ----------------------------------------------------------
# It works as any user and on any Debian. It does not use the system's packages,
# and trusts what Debian's archive keyring trusts.

release='trixie'
mirror='http://deb.debian.org/debian'
keyring='/usr/share/keyrings/debian-archive-keyring.gpg'

no_network="Is there a network, and does apt reach ${mirror#http://} from here?"

# private_apt ROOT STANZA...: prepares ROOT for `in_apt`. apt reads the
# configuration from -c after the system's configuration. Of the latter, only
# settings such as proxies and certificates remain.
private_apt() {
    local root=$1 arch
    shift
    arch=$(dpkg --print-architecture)
    mkdir -p "$root/state/lists/partial" "$root/cache/archives/partial" "$root/none.d"
    : >"$root/status"
    printf '%s\n\n' "$@" >"$root/debian.sources"
    cat >"$root/apt.conf" <<END
Dir::State "$root/state";
Dir::State::status "$root/status";
Dir::State::extended_states "$root/state/extended_states";
Dir::Cache "$root/cache";
Dir::Cache::archives "archives/";
Dir::Etc::sourcelist "$root/debian.sources";
Dir::Etc::sourceparts "$root/none.d";
Dir::Etc::preferences "$root/no-preferences";
Dir::Etc::preferencesparts "$root/none.d";
// Do not use the hooks and releases of the system.
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear APT::Default-Release;
#clear APT::Architectures;
APT::Architecture "$arch";
APT::Architectures { "$arch"; };
// Apt's own user cannot read root's home.
APT::Sandbox::User "root";
// Only download package lists. A missing list is an error.
Acquire::Languages "none";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
APT::Update::Error-Mode "any";
Acquire::Retries "3";
Acquire::http::Timeout "30";
END
}

# stanza TYPE URI SUITE...: one paragraph of a .sources file.
stanza() {
    local type=$1 uri=$2
    shift 2
    printf 'Types: %s\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n' \
        "$type" "$uri" "$*" "$keyring"
}

# in_apt ROOT apt-get|apt-cache ARGUMENT...
in_apt() {
    local root=$1 command=$2
    shift 2
    LC_ALL=C "$command" -c "$root/apt.conf" "$@" </dev/null
}

# fetch ROOT WHAT ARGUMENT...: runs apt-get quietly. If it fails, prints the first
# error of apt.
fetch() {
    local root=$1 what=$2
    shift 2
    say "$what ..."
    in_apt "$root" apt-get "$@" >"$root/log" 2>&1 && return
    say "failed: $(grep -m 1 '^E:' "$root/log" || tail -n 1 "$root/log")"
    return 1
}

update() { fetch "$1" "reading Debian's package lists" update; }

# Debian 12's keyring has the keys of Debian 13 from 2023.3+deb12u2 on. An older
# keyring can still verify the package of the newer keyring.
need_keys() {
    local root=$1 debs
    [ -e "$keyring" ] || die "$keyring is missing: apt-get install debian-archive-keyring"
    if knows_release "${keyring%/*}"; then return; fi
    private_apt "$root" "$(stanza deb "$mirror" bookworm)"
    update "$root" || die "$no_network"
    cd "$root/cache/archives" || exit
    fetch "$root" 'fetching a newer debian-archive-keyring' download debian-archive-keyring ||
        die "$no_network"
    debs=("$root"/cache/archives/debian-archive-keyring_*.deb)
    dpkg-deb -x "${debs[0]}" "$root/keys"
    keyring="$root/keys$keyring"
    knows_release "${keyring%/*}" ||
        die "the debian-archive-keyring of this system does not know $release: upgrade it"
}

knows_release() {
    [ -e "$1/debian-archive-$release-stable.gpg" ] ||
        [ -e "$1/debian-archive-$release-stable.pgp" ]
}
