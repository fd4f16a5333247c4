# Compares EVE records with $peers, lines of an SPI and how that SA began. With $nat
# every SA with a handshake has to have that. A line for each SA: a verdict, what
# it is about, and the reasons.

# How an SA ended as far as its records say.
def ending:
  (map(.sa) | sort_by(.messages) | last) as $last
  | if $last.failure.reason == "no_answer" then "unanswered"
    elif $last.failure then "refused"
    elif $last.state == "established" or $last.state == "closed" then "established"
    else "unanswered" end;

# A responder may answer one request with several SAs, each with an SPI of its own.
def summary:
  (group_by(.resp_spi) | map(ending)) as $endings
  | {
      ids: (map(.sa.id) | unique | length),
      nat: (map(.sa) | sort_by(.messages) | last.nat),
      end: ("established", "refused", "unanswered" | select(IN($endings[])))
    };

# $wanted: what it may have been.
def complaints($wanted; $failures):
  .end as $found
  | [
      (if any($wanted[]; . == $found) then empty
       else "is reported \($found), was \($wanted | join(" or "))" end),
      (if .ids != 1 then "is \(.ids) SAs" else empty end),
      (if $failures != (if $found == "refused" then 1 else 0 end)
       then "has \($failures) failures" else empty end)
    ];

def nat_complaints($kind):
  if $nat == "" or $kind != "handshake" or .nat == $nat then [] else ["has NAT \(.nat)"] end;

def verdict($spi; $peers; $seen; $failures):
  ($peers | rtrimstr("?")) as $how
  | (if $how == "rekeyed" then "rekeyed" else "handshake" end) as $kind
  | [if $how == "rekeyed" then "established" else $how end,
     if $peers != $how then "unanswered" else empty end] as $wanted
  | if $seen == null then
      # A request that was lost on its way.
      if any($wanted[]; . == "unanswered") then "right \($kind) \($spi)"
      else "missed \($kind) \($spi): \($how)" end
    else
      ($seen | complaints($wanted; $failures) + nat_complaints($kind)) as $wrong
      | if $wrong == [] then "right \($kind) \($spi)"
        else "wrong \($kind) \($spi) " + ($wrong | join(", ")) end
    end;

[inputs] as $records
| ($records | map(select(.event_type == "ikev2" and .ikev2.type == "message" and .ikev2.sa) | .ikev2)
   | group_by(.init_spi) | map({key: .[0].init_spi, value: first(summary)}) | from_entries) as $seen
| ($records | map(select(.event_type == "alert" and .alert.signature_id <= 2) | .ikev2.init_spi)
   | group_by(.) | map({key: .[0], value: length}) | from_entries) as $failures
| ($peers | split("\n") | map(select(. != "") | split(" "))) as $truth
| ($truth[] | verdict(.[0]; .[1]; $seen[.[0]]; $failures[.[0]] // 0)),
  ($seen | del(.[$truth[][0]]) | keys[] | "wrong unknown \(.): no peer has it")
