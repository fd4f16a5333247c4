# The names of other parts are not seen when this one is checked alone.
# shellcheck shell=bash disable=SC2034,SC2154
# Handshakes of all kinds past a Suricata that listens. One function for each
# scenario; its name is live_ and the scenario's.

# Those that libreswan takes part in want its ESP in the kernel.
wants_kernel_esp="libreswan-responder libreswan-initiator libreswan-refuses"
wants_netem="lossy lossy-refused lossy-fragments"
again_in_autofp="psk psk-refused cert eap rekey replay"

# As in the captures, with a log that says which SPIs an SA has, and patience:
# a machine may be slow.
patient_defaults() {
    local side
    defaults
    pluto_tree=
    opt[charon]='retransmit_timeout = 4.0
retransmit_tries = 5'
    for side in left right; do
        opt[$side.charon]="filelog {
live {
path = $(home "$side")/live.log
default = 1
mgr = 2
flush_line = yes
}
}"
    done
}

# begin_watched [SETTINGS]: two ends and Suricata on the cable in between.
begin_watched() {
    use_strongswan
    net_tapped
    prepare_homes
    "${1:-:}"
    start_charons
    watch wire tap
}

end_watched() {
    stop_suricata
    judge "$@"
}

# lives COUNT: that many SAs, one after the other, each with a child.
lives() {
    local i
    for ((i = 0; i < $1; i++)); do
        initiate
        terminate
    done
}

refusals() {
    local i
    for ((i = 0; i < $1; i++)); do
        must_fail initiate
    done
}

# each_suite COMMAND...: with one cipher after the other.
each_suite() {
    local suite
    for suite in "${outcome_suites[@]}"; do
        opt[conn]="proposals = $suite"
        reload left
        reload right
        "$@"
    done
}

live_psk() {
    begin_watched
    each_suite lives 2
    end_watched
}

live_psk-refused() {
    wrong_secret
    begin_watched
    each_suite refusals 1
    end_watched
}

live_no-proposal() {
    opt[left.conn]='proposals = aes128-sha1-modp1024'
    opt[right.conn]='proposals = aes256-sha512-modp4096'
    begin_watched
    refusals 6
    end_watched
}

# IKE_AUTH is in fragments.
live_cert() {
    begin_watched by_rsa_chain
    lives 20
    end_watched
}

# Refused by the responder; by the initiator, after the responder has accepted it.
live_cert-refused() {
    begin_watched left_is_stranger
    refusals 8
    end_watched
}

live_cert-refused-late() {
    begin_watched right_is_stranger
    refusals 8
    end_watched
}

live_eap() {
    begin_watched eap_settings
    lives 20
    end_watched
}

eap_refused() {
    eap_settings
    wrong_password
}

live_eap-refused() {
    begin_watched eap_refused
    refusals 6
    end_watched
}

# Both ends replace the IKE SA and the child.
live_rekey() {
    local i
    ike_proposal aes256-sha256-ecp256 aes256-sha256-ecp256
    begin_watched
    for i in {1..16}; do
        initiate
        swan left --rekey --child one >&2
        swan left --rekey --ike net >&2
        sleep 0.3
        swan right --rekey --ike net >&2
        sleep 0.3
        terminate
    done
    end_watched
}

# Without a child there is no ESP, for which charon would pretend a NAT.
childless_lives() {
    local i
    for ((i = 0; i < $1; i++)); do
        swan left --initiate --ike net >&2
        swan right --rekey --ike net >&2
        sleep 0.3
        terminate
    done
}

# Each seen from outside and from inside of the network with private addresses.
live_nat-initiator() {
    begin_nat_initiator
    watch nat to-right
    childless_lives 6
    end_watched initiator
}

live_nat-initiator-inside() {
    begin_nat_initiator
    watch nat to-left
    childless_lives 6
    end_watched initiator
}

live_nat-responder() {
    begin_nat_responder
    watch gate to-left
    childless_lives 6
    end_watched responder
}

live_nat-responder-inside() {
    begin_nat_responder
    watch gate to-right
    childless_lives 6
    end_watched responder
}

# Nothing tells it from a pretended one before the first keepalive.
live_nat-both() {
    begin_nat_both
    watch gate to-nat
    childless_lives 6
    end_watched forced
}

# lossy_lives COUNT: 8 % are lost on either side of Suricata, and what is delayed
# more is overtaken. A deletion may get lost: the next handshake replaces that SA.
lossy_lives() {
    local i
    impair_all loss 8% delay 12ms 10ms
    for ((i = 0; i < $1; i++)); do
        initiate || true
        swan left --rekey --ike net >&2 || true
        sleep 1
        terminate || true
    done
}

impatient='retransmit_timeout = 0.6
retransmit_base = 1.2
retransmit_tries = 9'

live_lossy() {
    opt[charon]=$impatient
    begin_watched
    lossy_lives 16
    end_watched
}

live_lossy-refused() {
    opt[charon]=$impatient
    wrong_secret
    begin_watched
    impair_all loss 8% delay 12ms 10ms
    refusals 8
    end_watched
}

# IKE_AUTH in fragments that come late, twice or in another order.
live_lossy-fragments() {
    opt[charon]="$impatient
fragment_size = 300"
    opt[conn]='fragmentation = yes
send_cert = always'
    begin_watched both_by_certificate
    lossy_lives 12
    end_watched
}

# libreswan has no ESP of its own.
begin_watched_libreswan() {
    opt[without]=kernel-libipsec
    begin_libreswan net_tapped
    start_pluto right
    start_charon left
    watch wire tap
}

live_libreswan-responder() {
    local i
    begin_watched_libreswan
    for i in {1..12}; do
        initiate
        swan left --rekey --ike net >&2
        sleep 1
        terminate
    done
    end_watched
}

live_libreswan-refuses() {
    wrong_secret
    begin_watched_libreswan
    refusals 8
    end_watched
}

live_libreswan-initiator() {
    local i
    opt[without]=kernel-libipsec
    opt[left.pluto]='    encapsulation=yes'
    begin_libreswan net_tapped
    start_charon right
    start_pluto left
    watch wire tap
    for i in {1..12}; do
        whack left --initiate --name net
        sleep 0.5
        whack left --rekey-ike --name net
        sleep 1
        whack left --terminate --name net
        sleep 0.5
    done
    end_watched
}
