# The names of other parts are not seen when this one is checked alone.
# shellcheck shell=bash disable=SC2034,SC2154
# One function for each capture; the name is scenario_ and the capture's name.

# The ones whose ESP is the kernel's; in the others it is charon's own.
wants_kernel_esp="esp-port-500 libreswan-initiator libreswan-responder"

# strongSwan at both ends of one cable, recorded from before the first packet.
begin() {
    use_strongswan
    net_direct
    start_pair
    record
}

end() {
    stop_record
    keep_keys "$@"
}

ike_proposal() {
    opt[conn]+=$'\n'"proposals = $1"
    opt[child]+=$'\n'"esp_proposals = $2"
}

# The demonstration: a bit of everything in the life of an SA. Dead peer
# detection is only sent when nothing else came in, hence the pauses.
scenario_aes-cbc-sha1-modp1024() {
    ike_proposal aes128-sha1-modp1024 aes128-sha1-modp1024
    opt[left.conn]='dpd_delay = 2s'
    begin
    initiate
    ping_through
    sleep 3
    swan left --rekey --child one >&2
    sleep 1
    ping_through
    terminate
    end
}

scenario_aes-gcm256-ecp384() {
    ike_proposal aes256gcm16-prfsha384-ecp384 aes256gcm16-ecp384
    begin
    initiate
    ping_through
    terminate
    end
}

scenario_chacha20poly1305-curve25519() {
    ike_proposal chacha20poly1305-prfsha256-curve25519 chacha20poly1305
    begin
    initiate
    ping_through
    terminate
    end
}

scenario_cert-rsa4096-fragmented() {
    prepare by_rsa_chain
    start_charons
    record
    initiate
    terminate
    end
}

# Both ends send a certificate and its issuer's, too big for one datagram.
by_rsa_chain() {
    rsa_chain
    opt[charon]+=$'\nfragment_size = 500'
    opt[conn]+=$'\nfragmentation = yes
send_cert = always'
    ike_proposal aes256-sha256-modp2048 aes256-sha256
    opt[left.local]=$(by_certificate left)
    opt[right.local]=$(by_certificate right)
    opt[left.remote]='auth = pubkey
id = right.example'
    opt[right.remote]='auth = pubkey
id = left.example'
}

# An intermediate for each end: one that the other end already has and asks
# for by CERTREQ would not be sent.
rsa_chain() {
    local side
    new_root rsa 4096
    for side in left right; do
        new_key "$side-ca" rsa 4096
        issue "$side-ca" root --ca
        issue_peer "$side" "$side-ca" rsa 4096
        give_own "$side" "$side-ca"
        give_root "$side"
    done
}

scenario_no-proposal-chosen() {
    opt[left.conn]='proposals = aes128-sha1-modp1024'
    opt[right.conn]='proposals = aes256-sha512-modp4096'
    begin
    must_fail initiate
    end
}

# The initiator guesses the first of its groups; the responder wants the other.
scenario_invalid-ke-retry() {
    opt[left.conn]='proposals = aes256-sha256-modp2048-ecp256'
    opt[right.conn]='proposals = aes256-sha256-ecp256'
    begin
    initiate
    terminate
    end
}

# The responder asks for cookies as soon as one SA is half open. That one is
# from a second address whose answers go to a card that does not exist.
scenario_cookie() {
    opt[right.charon]='cookie_threshold = 1
cookie_threshold_ip = 10'
    opt[right.remote_addrs]=%any
    opt[left.conns]=$(half_open_connection)
    use_strongswan
    net_direct
    netns left ip addr add 192.0.2.11/24 dev to-right
    netns right ip neigh add 192.0.2.11 lladdr 02:00:00:00:00:01 \
        dev to-left nud permanent
    start_pair
    record
    swan left --initiate --ike half --timeout 1 >&2 || true
    initiate
    terminate
    end
}

half_open_connection() {
    cat <<CONF
    half {
        version = 2
        local_addrs = 192.0.2.11
        remote_addrs = $outer_right
        local {
            auth = psk
        }
        remote {
            auth = psk
        }
    }
CONF
}

scenario_wrong-psk() {
    opt[left.secrets]='ike-right {
id = right.example
secret = "the wrong one"
}'
    begin
    must_fail initiate
    end
}

# prepare SETTINGS: the ends of one cable, ready to be started.
prepare() {
    use_strongswan
    net_direct
    prepare_homes
    "$1"
}

# The server by certificate, the client by name and password.
eap_settings() {
    new_root ecdsa 256
    issue_peer right root ecdsa 256
    give_own right
    give_root left
    opt[secrets]='eap-user {
id = user
secret = "not a secret: only for captures"
}'
    opt[left.local]='auth = eap
id = left.example
eap_id = user'
    opt[left.remote]='auth = pubkey
id = right.example'
    opt[right.local]=$(by_certificate right)
    opt[right.conn]='send_cert = always'
    opt[right.remote]='auth = eap-mschapv2
id = left.example
eap_id = %any'
}

scenario_eap-mschapv2() {
    prepare eap_settings
    start_charons
    record
    initiate
    terminate
    end
}

wrong_password() {
    opt[left.secrets]='eap-user {
id = user
secret = "the wrong one"
}'
    # Later sections of one name would add to the earlier, not replace it.
    opt[right.secrets]=${opt[secrets]}
    unset 'opt[secrets]'
}

scenario_eap-mschapv2-wrong-password() {
    prepare eap_settings
    wrong_password
    start_charons
    record
    must_fail initiate
    end
}

# Both ends replace the IKE SA, so that each is once the initiator of one
# whose first exchange came from the other; and both replace the child.
scenario_rekey-ike-and-child() {
    ike_proposal aes256-sha256-ecp256 aes256-sha256-ecp256
    begin
    initiate
    swan left --rekey --child one >&2
    sleep 1
    swan left --rekey --ike net >&2
    sleep 1
    swan right --rekey --ike net >&2
    sleep 1
    swan right --rekey --child one >&2
    sleep 1
    ping_through
    terminate
    end
}

# Each end asks for signs of life; the responder deletes in the end.
scenario_liveness-delete() {
    opt[left.conn]='dpd_delay = 1s'
    opt[right.conn]='dpd_delay = 3s'
    begin
    initiate
    sleep 3
    terminate right
    end
}

scenario_ipv6() {
    opt[addr.left]=$outer6_left
    opt[addr.right]=$outer6_right
    opt[ts.left]=$inner6_left/128
    opt[ts.right]=$inner6_right/128
    begin
    initiate
    ping_through
    terminate
    end
}

# The initiator is translated, so it has to keep the router's entry alive.
begin_nat() {
    use_strongswan
    net_nat "$@"
    opt[addr.left]=$private_left
    opt[right.remote_addrs]=%any
    start_pair
}

scenario_nat-masquerade() {
    begin_nat 40000-50000
    record to-nat
    initiate
    ping_through
    swan right --rekey --child one >&2
    sleep 1
    terminate
    end
}

scenario_nat-esp-keepalive() {
    opt[left.charon]='keep_alive = 1s'
    begin_nat
    record to-nat
    initiate
    ping_through
    sleep 3
    ping_through 1
    sleep 2
    terminate
    end
}

# Recorded from the middle: the first packet of the flow is no IKE.
scenario_begins-with-esp() {
    opt[left.conn]='dpd_delay = 2s'
    use_strongswan
    net_direct
    start_pair
    initiate
    record
    ping_through
    sleep 3
    swan left --rekey --child one >&2
    sleep 1
    terminate
    end
}

scenario_begins-with-keepalive() {
    opt[left.charon]='keep_alive = 1s'
    begin_nat
    initiate
    record to-nat
    sleep 3
    ping_through
    swan left --rekey --ike net >&2
    sleep 1
    terminate
    end
}

# Neither port is 500, so charon puts the non-ESP marker from the start.
scenario_port-5500-marker() {
    opt[left.charon]='port = 0
port_nat_t = 0'
    opt[left.conn]='remote_port = 5500'
    opt[right.charon]='port = 5000
port_nat_t = 5500'
    begin
    initiate
    ping_through
    terminate
    end
}

# charon uses the marker whenever neither port is 500 and takes 4500 when one
# of them is, so a port of one's own without marker takes a router's help:
# both ends believe to use port 500. That counts as a NAT, so IKE_AUTH moves.
scenario_port-5000-no-marker() {
    use_strongswan
    net_direct
    forward left output 'dnat to' "$outer_right" 500 5000
    forward right prerouting 'dnat to' "$outer_right" 5000 500
    start_pair
    record
    initiate
    ping_through
    terminate
    end
}

# forward NS HOOK HOW ADDRESS FROM TO
forward() {
    netns "$1" nft -f - <<NFT
table ip nat {
    chain ports {
        type nat hook $2 priority -100
        ip daddr $4 udp dport $5 $3 $4:$6
    }
}
NFT
}

# No child, so no ESP, so no need to pretend a NAT: all stays on port 500.
scenario_childless-port-500() {
    opt[without]=kernel-libipsec
    opt[conn]='childless = force'
    opt[left.conn]='dpd_delay = 1s'
    begin
    swan left --initiate --ike net >&2
    sleep 2
    swan left --rekey --ike net >&2
    sleep 1
    terminate
    end
}

# An IKE_INTERMEDIATE exchange carries the second, post-quantum key exchange.
scenario_mlkem768-x25519() {
    ike_proposal aes256gcm16-prfsha384-x25519-ke1_mlkem768 \
        aes256gcm16-x25519-ke1_mlkem768
    pq_begin
    initiate
    ping_through
    swan left --rekey --child one >&2
    sleep 1
    terminate
    end
}

pq_begin() {
    use_strongswan_pq
    net_direct
    start_pair
    record
}

# All that the packaged build offers by itself, and its vendor ids.
scenario_default-proposals-vendor-id() {
    opt[charon]='send_vendor_id = yes'
    begin
    initiate
    terminate
    end
}

# Far more than a peer would offer by itself, to have many transforms in one
# message: the strongest first, with two additional key exchanges.
scenario_many-proposals() {
    opt[left.conn]="proposals = $(join_proposals)"
    opt[right.conn]='proposals = aes256gcm16-prfsha512-ecp521'
    opt[charon]='send_vendor_id = yes'
    pq_begin
    initiate
    terminate
    end
}

join_proposals() {
    printf '%s, ' \
        aes256gcm16-prfsha512-curve448-ke1_mlkem1024-ke2_ecp521 \
        aes256gcm16-chacha20poly1305-prfsha384-x25519-ke1_mlkem768-ke1_none \
        aes256gcm16-aes192gcm16-aes128gcm16-prfsha512-prfsha384-ecp521-ecp384 \
        aes256ccm16-aes128ccm8-prfaesxcbc-prfaescmac-ecp256bp-ecp512bp \
        aes256-aes192-aes128-sha512-sha384-sha256-modp8192-modp4096-modp3072 \
        aes256ctr-aes128ctr-aesxcbc-aescmac-modp2048s256-modp2048 \
        camellia256-camellia128-sha256-modp6144-ecp224 \
        3des-sha1-md5-modp1536-modp1024
    echo default
}

# Everything bad is offered, but the responder insists on something good.
scenario_weak-offered() {
    opt[left.conn]='proposals = des-md5-modp768, 3des-md5-modp768,
 3des-sha1-modp1024, aes128-sha1-modp1536, aes256-sha256-modp2048'
    opt[left.conn]=${opt[left.conn]//$'\n'/}
    opt[right.conn]='proposals = aes256-sha256-modp2048'
    begin
    initiate
    terminate
    end
}

scenario_weak-chosen-3des-md5-modp768() {
    ike_proposal 3des-md5-modp768 3des-md5
    begin
    initiate
    ping_through
    terminate
    end
}

scenario_weak-chosen-des-md5-modp768() {
    ike_proposal des-md5-modp768 des-md5
    begin
    initiate
    ping_through
    terminate
    end
}

scenario_create-child-pfs() {
    ike_proposal aes128gcm16-prfsha256-ecp256 aes128gcm16-ecp521
    opt[left.children]=$(second_child "$inner_left" "$inner_right")
    opt[right.children]=$(second_child "$inner_right" "$inner_left")
    begin
    initiate
    initiate two
    swan left --rekey --child one >&2
    sleep 1
    swan left --terminate --child two >&2
    terminate
    end
}

# For other addresses, else the responder could not tell it from the first.
second_child() {
    printf 'two {\nlocal_ts = %s/32\nremote_ts = %s/32\n%s\n}\n' \
        "${1/%?/1}" "${2/%?/1}" 'esp_proposals = aes256-sha512-modp3072'
}

# The initiator gets another address and tells so.
scenario_mobike() {
    opt[conn]='mobike = yes'
    opt[left.conn]='local_addrs = %any'
    opt[right.conn]='remote_addrs = %any'
    begin
    initiate
    ping_through
    netns left ip addr del "$outer_left/24" dev to-right
    netns left ip addr add 192.0.2.77/24 dev to-right
    sleep 3
    ping_through
    terminate
    end
}

scenario_cert-ecdsa-p256() {
    local side
    use_strongswan
    net_direct
    prepare_homes
    new_root ecdsa 256
    for side in left right; do
        issue_peer "$side" root ecdsa 256
        give_own "$side"
        give_root "$side"
        opt[$side.local]=$(by_certificate "$side")
        opt[$side.remote]="auth = pubkey
id = $(other "$side").example"
    done
    start_charons
    record
    initiate
    terminate
    end
}

scenario_virtual-ip() {
    opt[left.conn]='vips = 0.0.0.0'
    opt[right.conn]='pools = inner'
    opt[right.pools]='inner {
addrs = 198.51.100.32/28
dns = 198.51.100.53
}'
    opt[left.child]='local_ts = dynamic'
    opt[right.child]='remote_ts = dynamic'
    begin
    initiate
    terminate
    end
}

scenario_ts-unacceptable() {
    opt[right.child]='local_ts = 198.51.100.99/32'
    begin
    must_fail initiate
    terminate
    end
}

# A shared key beside the key exchange (RFC 8784): USE_PPK in the clear.
scenario_ppk() {
    opt[conn]='ppk_id = ppk.example
ppk_required = yes'
    opt[secrets]+=$'\n''ppk {
id = ppk.example
secret = "not a secret either: only for captures"
}'
    begin
    initiate
    terminate
    end
}

# One SA after the other between the same two ports.
scenario_two-sas-same-ports() {
    begin
    initiate
    terminate
    initiate
    terminate
    end
}

# Nobody answers: the request alone, again and again.
scenario_no-answer() {
    opt[left.charon]='retransmit_timeout = 0.5
retransmit_base = 1.5'
    opt[addr.right]=192.0.2.30
    use_strongswan
    net_direct
    netns left ip neigh add 192.0.2.30 lladdr 02:00:00:00:00:02 \
        dev to-right nud permanent
    start_pair
    record
    must_fail initiate
    end
}

# What is not IKEv2 but comes on its ports.
scenario_ikev1-main-mode() {
    opt[conn]='version = 1
proposals = aes128-sha1-modp1024'
    begin
    initiate
    ping_through
    terminate
    end
}

# begin_libreswan [CABLE]
begin_libreswan() {
    use_libreswan
    pluto_tree=$tree
    use_strongswan
    "${1:-net_direct}"
    route_inner
    prepare_homes
}

# charon makes its own routes, pluto leaves that to a script.
route_inner() {
    netns left ip route add "$inner_right/32" via "$outer_right"
    netns right ip route add "$inner_left/32" via "$outer_left"
}

# Nothing translates, so all of IKE stays on port 500 and ESP is bare.
scenario_esp-port-500() {
    opt[without]=kernel-libipsec
    opt[left.conn]='dpd_delay = 2s'
    begin
    initiate
    ping_through
    sleep 3
    swan left --rekey --child one >&2
    sleep 1
    terminate
    end
}

# libreswan has ESP done by the kernel, so the other end does so too. Forced
# encapsulation takes it to port 4500. It rekeys with the group of the IKE SA.
scenario_libreswan-initiator() {
    opt[without]=kernel-libipsec
    opt[right.child]='esp_proposals = aes256gcm16-ecp256'
    opt[left.pluto]='    encapsulation=yes'
    begin_libreswan
    start_charon right
    start_pluto left
    record
    whack left --initiate --name net
    sleep 1
    ping_through
    whack left --rekey-child --name net
    sleep 1
    whack left --rekey-ike --name net
    sleep 1
    whack left --terminate --name net
    sleep 1
    end right
}

scenario_libreswan-responder() {
    opt[without]=kernel-libipsec
    opt[left.charon]='send_vendor_id = yes'
    begin_libreswan
    start_pluto right
    start_charon left
    record
    initiate
    sleep 1
    ping_through
    terminate
    end
}
