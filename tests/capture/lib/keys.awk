# Reduces charon's log (ike and chd at level 4) to what a reader of the
# capture needs: which messages went by, what was chosen, and the secrets,
# each on one line as plain hex instead of a dump.

# The dumps worth keeping; the others are derived from the same octets.
function wanted(what) {
    return what ~ /^(Sk_[a-z]+ secret|SKEYSEED|nonces|MSK|seed)$/ ||
        what ~ /^(key exchange secret|additional key exchange secret)$/ ||
        what ~ /^(encryption|integrity) (initiator|responder) key$/
}

function flush_dump() {
    if (label != "")
        printf "%s = %s\n", label, (hex == "" ? "(empty)" : hex)
    label = hex = ""
}

# The log's lines start with the thread's number, which says nothing here.
{ sub(/^[0-9]+/, "") }

# 16 octets a line, then the same as text from column 56 on.
/^\[[A-Z]+\] +[0-9]+: ([0-9A-F][0-9A-F] )+/ {
    if (label != "") {
        line = $0
        sub(/^\[[A-Z]+\] +[0-9]+: /, "", line)
        line = substr(line, 1, 48)
        gsub(/ /, "", line)
        hex = hex tolower(line)
    }
    next
}

{ flush_dump() }

/ => [0-9]+ bytes @ / {
    text = $0
    sub(/ => [0-9]+ bytes @ .*/, "", text)
    what = text
    sub(/^\[[A-Z]+\] +/, "", what)
    if (wanted(what))
        label = text
    next
}

/^\[ENC\] (generating|parsed) [A-Z_]+ (request|response) / { print; next }
/^\[NET\] (sending|received) packet/ { print; next }
/^\[CFG\] selected proposal/ { print; next }
/^\[CHD\] +(using|SPI|adding) / { print; next }
/^\[IKE\]/ &&
    /received|authenti|establish|initiating|rekey|delet|retransmit|EAP|NAT|peer|unable|no / &&
    !/queueing|activating|task|secret|_hash|certificate payload/ { print }

END { flush_dump() }
