# Lines for Wireshark's ikev2_decryption_table: the SPIs of the IKE SAs on
# the first input, keys and algorithms in the reduced log on the second.
# Algorithms that Wireshark lacks have the plugin's names for them; lines with
# these go to the file `extension`.

BEGIN {
    encr["AES_CBC_128"] = "AES-CBC-128 [RFC3602]"
    encr["AES_CBC_192"] = "AES-CBC-192 [RFC3602]"
    encr["AES_CBC_256"] = "AES-CBC-256 [RFC3602]"
    encr["3DES_CBC"] = "3DES [RFC2451]"
    encr["NULL"] = "NULL [RFC2410]"
    for (bits = 128; bits <= 256; bits += 64) {
        encr["AES_CTR_" bits] = "AES-CTR-" bits " [RFC5930]"
        for (icv = 8; icv <= 16; icv += 4) {
            tail = bits " with " icv " octet ICV [RFC5282]"
            encr["AES_GCM_" icv "_" bits] = "AES-GCM-" tail
            encr["AES_CCM_" icv "_" bits] = "AES-CCM-" tail
        }
    }
    encr["DES_CBC"] = "DES [RFC2405]"
    encr["CHACHA20_POLY1305"] = "CHACHA20-POLY1305 [RFC7634]"
    encr["CAMELLIA_CBC_128"] = "CAMELLIA-CBC-128 [RFC5529]"
    encr["CAMELLIA_CBC_192"] = "CAMELLIA-CBC-192 [RFC5529]"
    encr["CAMELLIA_CBC_256"] = "CAMELLIA-CBC-256 [RFC5529]"
    integ["AES_XCBC_96"] = "AES_XCBC_96 [RFC3566]"
    integ["AES_CMAC_96"] = "AES_CMAC_96 [RFC4494]"
    integ["HMAC_MD5_96"] = "HMAC_MD5_96 [RFC2403]"
    integ["HMAC_SHA1_96"] = "HMAC_SHA1_96 [RFC2404]"
    integ["HMAC_SHA2_256_128"] = "HMAC_SHA2_256_128 [RFC4868]"
    integ["HMAC_SHA2_384_192"] = "HMAC_SHA2_384_192 [RFC4868]"
    integ["HMAC_SHA2_512_256"] = "HMAC_SHA2_512_256 [RFC4868]"
}

function keep(line) {
    if (line == "")
        return
    if (line_extended)
        print line >extension
    else
        print line
}

NR == FNR { pair[++pairs] = $1 "," $2; next }

# The proposal of the IKE SA whose keys come next.
/selected proposal: IKE:/ {
    n = split(substr($0, index($0, "IKE:") + 4), part, "/")
    chosen_encr = chosen_integ = ""
    for (i = 1; i <= n; i++) {
        if (part[i] in encr)
            chosen_encr = encr[part[i]]
        else if (part[i] in integ)
            chosen_integ = integ[part[i]]
    }
    extended = (chosen_encr chosen_integ) ~ /^(DES|CHACHA20|CAMELLIA)|AES_(XCBC|CMAC)/
}

/^\[IKE\] Sk_[aderip]+ secret = / { key[$2] = $NF }

# Its additional key exchange gives the same IKE SA other keys. Wireshark has
# one set for each, so the first set goes into a table of its own.
/ IKE_INTERMEDIATE response / { again = 1 }

# The last one charon derives, so all the others are there.
/^\[IKE\] Sk_pr secret = / {
    if (again) {
        print line >first
        line = ""
    } else {
        this = pair[++sa]
    }
    again = 0
    keep(line)
    line = ""
    line_extended = extended
    if (this != "" && chosen_encr != "")
        line = sprintf("%s,%s,%s,\"%s\",%s,%s,\"%s\"", this, key["Sk_ei"],
            key["Sk_er"], chosen_encr, key["Sk_ai"], key["Sk_ar"],
            chosen_integ == "" ? "NONE [RFC4306]" : chosen_integ)
    delete key
}

END { keep(line) }
