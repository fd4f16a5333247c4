# The names of other parts are not seen when this one is checked alone.
# shellcheck shell=bash disable=SC2034,SC2154
# Throw-away certificates, made anew for each run with strongSwan's own tool.

in_tree() { chroot "$tree" /usr/bin/env -i PATH=/usr/sbin:/usr/bin "$@"; }

pki_dir=$homes/pki

# new_key NAME TYPE SIZE
new_key() {
    in_tree pki --gen --type "$2" --size "$3" --outform pem \
        >"$tree$pki_dir/$1.key"
}

new_root() {
    rm -rf "${tree:?}$pki_dir"
    mkdir -p "$tree$pki_dir"
    self_sign root "$1" "$2"
}

# self_sign NAME TYPE SIZE: a root, of which there may be several.
self_sign() {
    new_key "$1" "$2" "$3"
    in_tree pki --self --ca --in "$pki_dir/$1.key" --lifetime 3650 \
        --dn "O=Capture, CN=${1^}" --outform pem >"$tree$pki_dir/$1.pem"
}

# issue NAME BY OPTION...: a certificate for NAME's key signed by BY.
issue() {
    local who=$1 by=$2
    shift 2
    in_tree pki --issue --in "$pki_dir/$who.key" --type priv --lifetime 3649 \
        --cacert "$pki_dir/$by.pem" --cakey "$pki_dir/$by.key" \
        --dn "O=Capture, CN=$who" --outform pem "$@" >"$tree$pki_dir/$who.pem"
}

# issue_peer SIDE BY TYPE SIZE
issue_peer() {
    new_key "$1.example" "$3" "$4"
    issue "$1.example" "$2" --san "$1.example" --flag serverAuth
}

# give_own SIDE [INTERMEDIATE]: its key and certificate, and what it sends
# with them; the other end only knows the root.
give_own() {
    local to from=$tree$pki_dir
    to=$tree$(home "$1")
    cp "$from/$1.example.key" "$to/private/"
    cp "$from/$1.example.pem" "$to/x509/"
    [[ -z ${2-} ]] || cp "$from/$2.pem" "$to/x509ca/"
}

give_root() { cp "$tree$pki_dir/root.pem" "$tree$(home "$1")/x509ca/"; }

# by_certificate SIDE: lines for swanctl.conf.
by_certificate() {
    printf 'auth = pubkey\ncerts = %s.example.pem\nid = %s.example' "$1" "$1"
}
