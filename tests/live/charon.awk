# From charon's log with "mgr" at level 2: for each IKE SA the initiator's SPI and
# how it began. A line begins with the number of a thread, which has one SA in
# its hands.

function number() {
    match(text, /\[[0-9]+\]/)
    return substr(text, RSTART + 1, RLENGTH - 2)
}

{
    thread = substr($0, 1, 2)
    text = substr($0, index($0, " ") + 1)
}

text ~ /^created IKE_SA / || text ~ / successfully checked out$/ { current[thread] = number() }

text ~ /^checkin IKEv2 SA .* with SPIs / {
    one = number()
    match(text, /[0-9a-f]+_i/)
    spi[one] = substr(text, RSTART, RLENGTH - 2)
}

text ~ /^IKE_SA .* established between / { end[number()] = "established" }
text ~ /^IKE_SA .* rekeyed between / { end[number()] = "rekeyed" }

text ~ /^received (AUTHENTICATION_FAILED|NO_PROPOSAL_CHOSEN) notify error/ ||
text ~ /^generating (IKE_AUTH|INFORMATIONAL) .*\[ N\(AUTH_FAILED\) \]/ {
    end[current[thread]] = "refused"
}

# A responder may make several SAs of one request that came several times.
END {
    for (one in spi) {
        how = (one in end) ? end[one] : "unanswered"
        if (!(spi[one] in all) || all[spi[one]] == "unanswered") all[spi[one]] = how
    }
    for (one in all) print one, all[one]
}
