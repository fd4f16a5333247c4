# The names of other parts are not seen when this one is checked alone.
# shellcheck shell=bash disable=SC2034,SC2154
# Captures of what happens to an SA in time: loss, restarts, refusals, floods,
# translated addresses. As in scenarios.sh, one function for each.

# The ones that need netem, to lose and delay packets.
wants_netem="lossy-link lossy-fragments delay crossing-exchanges"
# libreswan has no ESP of its own.
wants_kernel_esp+=" libreswan-restart libreswan-wrong-psk"

# strongSwan at both ends, recorded in the middle of a cable that is not good.
begin_tapped() {
    use_strongswan
    net_tapped
    start_pair
    record tap wire
}

# Liveness checks only, no ESP: most of it would be lost as well.
one_lossy_life() {
    initiate || true
    sleep 4
    terminate || true
    sleep 1
}

# 16 % on each half of the way make 30 % of it.
scenario_lossy-link() {
    ike_proposal aes256-sha256-ecp256 aes256-sha256
    opt[charon]='retransmit_timeout = 0.6
retransmit_base = 1.2
retransmit_tries = 9'
    opt[left.conn]='dpd_delay = 1s'
    opt[right.conn]='dpd_delay = 3s'
    begin_tapped
    impair_all loss 16%
    for _ in {1..6}; do
        one_lossy_life
    done
    end
}

# The delay differs from packet to packet, so fragments overtake each other.
scenario_lossy-fragments() {
    opt[charon]='fragment_size = 300
retransmit_timeout = 0.6
retransmit_base = 1.2
retransmit_tries = 9'
    opt[conn]='fragmentation = yes
send_cert = always'
    ike_proposal aes256-sha256-ecp256 aes256-sha256
    use_strongswan
    net_tapped
    prepare_homes
    both_by_certificate
    start_charons
    record tap wire
    impair_all loss 16% delay 12ms 10ms
    one_lossy_life
    one_lossy_life
    end
}

# Both ends by ECDSA certificates of one root, which both know.
both_by_certificate() {
    local side
    new_root ecdsa 256
    for side in left right; do
        issue_peer "$side" root ecdsa 256
        give_own "$side"
        give_root "$side"
        opt[$side.local]=$(by_certificate "$side")
        opt[$side.remote]="auth = pubkey
id = $(other "$side").example"
    done
}

# 300 ms from each end to the other, half of it on each side of the tap.
scenario_delay() {
    ike_proposal aes256-sha256-ecp256 aes256-sha256
    begin_tapped
    impair_all delay 150ms
    initiate
    ping_through
    swan left --rekey --ike net >&2
    sleep 2
    terminate
    end
}

# Each message is on its way for long enough that the other end starts the
# same exchange before it comes.
scenario_crossing-exchanges() {
    ike_proposal aes256-sha256-ecp256 aes256-sha256-ecp256
    opt[conn]='dpd_delay = 3s'
    begin_tapped
    impair_all delay 150ms
    initiate
    at_both_ends --rekey --child one
    sleep 7
    at_both_ends --rekey --ike net
    sleep 7
    at_both_ends --terminate --ike net
    end
}

# at_both_ends ARG...: the same request to both charons at the same time.
at_both_ends() {
    local first
    swan left "$@" >&2 &
    first=$!
    swan right "$@" >&2 || true
    wait "$first" || true
}

# First the initiator loses its memory, then the responder.
scenario_peer-restart() {
    ike_proposal aes256-sha256-ecp256 aes256-sha256
    opt[left.charon]='retransmit_timeout = 1.0
retransmit_base = 1.4'
    opt[left.conn]='dpd_delay = 2s'
    opt[left.child]='dpd_action = restart'
    begin
    initiate
    ping_through
    crash left
    start_charon left
    initiate
    ping_through
    crash right
    start_charon right
    sleep 9
    ping_through
    terminate
    end
}

# The responder ends without a word and comes back with nothing in memory.
scenario_libreswan-restart() {
    opt[without]=kernel-libipsec
    opt[left.charon]='retransmit_timeout = 1.0
retransmit_base = 1.4'
    opt[left.conn]='dpd_delay = 2s'
    opt[left.child]='dpd_action = restart'
    begin_libreswan
    start_pluto right
    start_charon left
    record
    initiate
    crash_pluto
    start_pluto right
    sleep 12
    terminate
    end
}

scenario_libreswan-wrong-psk() {
    opt[without]=kernel-libipsec
    wrong_secret
    begin_libreswan
    start_pluto right
    start_charon left
    record
    must_fail initiate
    end
}

# 50, because 100 would make the capture too big.
scenario_wrong-psk-repeated() {
    ike_proposal aes128gcm16-prfsha256-x25519 aes128gcm16
    wrong_secret
    begin
    for _ in {1..100}; do
        must_fail initiate
    done
    end
    shorten_keys
}

# The rest of the text would say the same; all keys are in the table.
shorten_keys() {
    awk '/generating IKE_SA_INIT request/ && ++begun > 3 { exit } { print }' \
        "$here/keys/$name.txt" >"$work/keys"
    mv "$work/keys" "$here/keys/$name.txt"
}

wrong_secret() {
    opt[left.secrets]='ike-right {
id = right.example
secret = "the wrong one"
}'
}

# A cipher and what goes with it, for the captures of how handshakes end.
declare -A outcome_suites=(
    [aes-cbc-sha1]=aes128-sha1-modp2048
    [aes-cbc-sha256]=aes256-sha256-ecp256
    [aes-cbc-sha512]=aes256-sha512-ecp521
    [aes-cbc-xcbc]=aes128-aesxcbc-ecp256
    [aes-gcm-8]=aes128gcm8-prfsha256-ecp256
    [aes-gcm-12]=aes128gcm12-prfsha256-ecp256
    [aes-gcm-16]=aes256gcm16-prfsha384-ecp384
    [aes-ccm-8]=aes128ccm8-prfsha256-ecp256
    [aes-ccm-12]=aes128ccm12-prfsha256-ecp256
    [aes-ccm-16]=aes256ccm16-prfsha256-ecp256
    [chacha20poly1305]=chacha20poly1305-prfsha256-x25519
    [aes-ctr-sha256]=aes128ctr-sha256-ecp256
    [3des-sha1]=3des-sha1-modp2048
    [camellia-cbc-sha256]=camellia256-sha256-ecp256
)

# The other ways to prove who one is, with these only.
outcome_more="aes-cbc-sha1 aes-cbc-sha256 aes-gcm-16 aes-ccm-16 chacha20poly1305"

for suite in "${!outcome_suites[@]}"; do
    eval "scenario_outcome-$suite-right() { outcome_psk_right $suite; }"
    eval "scenario_outcome-$suite-wrong() { outcome_psk_wrong $suite; }"
done
for suite in $outcome_more; do
    for way in cert eap; do
        eval "scenario_outcome-$way-$suite-right() {
            outcome_${way}_right $suite
        }"
        eval "scenario_outcome-$way-$suite-wrong() {
            outcome_${way}_wrong $suite
        }"
    done
done

outcome_psk_right() {
    opt[conn]="proposals = ${outcome_suites[$1]}"
    begin
    initiate
    terminate
    end
}

outcome_psk_wrong() {
    opt[conn]="proposals = ${outcome_suites[$1]}"
    wrong_secret
    begin
    must_fail initiate
    end
}

outcome_cert_right() {
    opt[conn]="proposals = ${outcome_suites[$1]}"
    prepare both_by_certificate
    start_charons
    record
    initiate
    terminate
    end
}

# SIDE's certificate is by a root that the other end does not know.
stranger() {
    both_by_certificate
    self_sign stranger ecdsa 256
    issue_peer "$1" stranger ecdsa 256
    give_own "$1"
    opt[conn]+=$'\nsend_cert = always'
}

left_is_stranger() { stranger left; }
right_is_stranger() { stranger right; }

refused_certificate() {
    prepare "$1_is_stranger"
    start_charons
    record
    must_fail initiate
    end
}

outcome_cert_wrong() {
    opt[conn]="proposals = ${outcome_suites[$1]}"
    refused_certificate left
}

scenario_wrong-cert() { refused_certificate left; }

# The responder has accepted the initiator when that refuses it.
scenario_wrong-cert-responder() { refused_certificate right; }

outcome_eap_right() {
    opt[conn]="proposals = ${outcome_suites[$1]}"
    scenario_eap-mschapv2
}

outcome_eap_wrong() {
    opt[conn]="proposals = ${outcome_suites[$1]}"
    scenario_eap-mschapv2-wrong-password
}

# Unlike MSCHAPv2, this method ends with the responder's EAP-Failure alone.
eap_md5() {
    ike_proposal aes256-sha256-ecp256 aes256-sha256
    prepare eap_settings
    opt[right.remote]=${opt[right.remote]/eap-mschapv2/eap-md5}
}

scenario_eap-md5() {
    eap_md5
    start_charons
    record
    initiate
    terminate
    end
}

scenario_eap-md5-wrong-password() {
    eap_md5
    wrong_password
    start_charons
    record
    must_fail initiate
    end
}

# Three times the same pair. The initiator offers all the same each time, the
# responder ever less: the best, then its worst group (for which it has to
# ask), then 3DES.
scenario_downgrade() {
    opt[left.conn]='proposals = aes256-sha384-ecp384-modp2048-modp1024, 3des-sha1-ecp384'
    opt[right.conn]='proposals = aes256-sha384-ecp384'
    begin
    initiate
    terminate
    opt[right.conn]='proposals = aes256-sha384-modp1024'
    reload right
    initiate
    terminate
    opt[right.conn]='proposals = 3des-sha1-ecp384'
    reload right
    initiate
    terminate
    end
}

# Without a child there is no ESP and so no reason to pretend a NAT: the
# NAT_DETECTION payloads are true.
true_nat() {
    opt[without]=kernel-libipsec
    opt[conn]='childless = force'
    opt[charon]+=$'\nkeep_alive = 2s'
    opt[right.remote_addrs]=%any
    opt[left.conn]='dpd_delay = 3s'
    use_strongswan
}

# A life without a child, with a pause for liveness checks and keepalives.
childless_life() {
    swan left --initiate --ike net >&2
    sleep 5
    swan right --rekey --ike net >&2
    sleep 1
    terminate
    end
}

begin_nat_initiator() {
    true_nat
    opt[addr.left]=$private_left
    net_nat
    start_pair
}

scenario_nat-initiator() {
    begin_nat_initiator
    record to-nat
    childless_life
}

# Recorded before the router takes the initiator's address away.
scenario_nat-initiator-inside() {
    begin_nat_initiator
    record to-nat left
    childless_life
}

begin_nat_responder() {
    true_nat
    opt[addr.right]=$private_right
    opt[left.remote_addrs]=$gate
    net_nat_right
    start_pair
}

# Recorded where the responder still has the address it is known by.
scenario_nat-responder() {
    begin_nat_responder
    record to-left gate
    childless_life
}

scenario_nat-responder-inside() {
    begin_nat_responder
    record to-gate right
    childless_life
}

begin_nat_both() {
    true_nat
    opt[addr.left]=$private_left
    opt[addr.right]=$private_right
    opt[left.remote_addrs]=$gate
    net_nat_both
    start_pair
}

# Recorded between the two routers, where no address is an end's own.
scenario_nat-both() {
    begin_nat_both
    record to-nat gate
    childless_life
}

# More requests by a script than the responder wants half open, from many
# addresses and often from one of them, and three peers that mean it.
scenario_half-open-flood() {
    opt[right.charon]='cookie_threshold = 20
cookie_threshold_ip = 3
block_threshold = 12'
    opt[right.remote_addrs]=%any
    ike_proposal aes128gcm16-prfsha256-x25519 aes128gcm16
    use_strongswan
    net_direct
    need_python
    netns left ip route add local 203.0.113.0/24 dev lo
    netns right ip route add 203.0.113.0/24 via "$outer_left"
    start_pair
    record
    for part in 1 2 3; do
        flood "$part"
        initiate
        terminate
    done
    end
}
