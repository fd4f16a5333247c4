# Shows records of eve.json to people. In: the records, of one kind. Out: lines.
# Arguments: $section (messages, alerts or nothing_found), $title, $width in columns,
# $head and $plain (what makes a heading stand out on a terminal, and its end).

# --- text -------------------------------------------------------------------

# Control characters and those that change how others are shown, spelled: a peer must
# not write on the terminal of who looks.
def printable:
  gsub("(?<unseen>[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}])";
    .unseen | explode[0] as $code
    | "\\u{" + ([$code | recurse(if . < 16 then empty else . / 16 | floor end) % 16]
      | reverse | map("0123456789abcdef"[.:. + 1]) | join("")) + "}");

def pad($to): . + " " * ($to - length);

def widest: map(length) | max // 0;

# Words in lines of at most $room columns; a longer word has a line of its own.
def wrap($room):
  reduce split(" ")[] as $word ([];
    if length > 0 and (last | length) + 1 + ($word | length) <= $room
    then .[-1] += " " + $word
    else . + [$word] end);

# "a, a, b, c, d" as "a x2, b, +2 more", for $most 2.
def listed($most; $separator):
  reduce .[] as $item ([];
    (map(.item) | index($item)) as $at
    | if $at then .[$at].count += 1 else . + [{item: $item, count: 1}] end)
  | map(.item + if .count > 1 then " x\(.count)" else "" end)
  | if length > $most + 1 then .[:$most] + ["+\(length - $most) more"] else . end
  | join($separator);

def listed($most): listed($most; ", ");

# Rows of cells below a heading. The last cell is the peers: when a line does not
# fit, they stand on a line of their own. A row may have `below`: [caption, text].
def table($heading):
  . as $rows
  | [range($heading | length - 1) as $column
     | [$heading[$column], $rows[].cells[$column]] | widest + 2] as $widths
  | ($widths | add) as $left
  | ($left + ($rows | map(.cells[-1]) | widest) > $width) as $split
  | def line: . as $cells
      | ([range($widths | length) as $column | $cells[$column] | pad($widths[$column])] | add)
        + $cells[-1];
    def indent: " " * $widths[0];
    def row: if $split
      then (.[:-1] + [""] | line | sub(" +$"; "")), indent + .[-1]
      else line end;
    def below: .[0] as $caption
      | .[1] | wrap($width - $widths[0] - 11) | to_entries[]
      | indent + (if .key == 0 then $caption else "" end | pad(11)) + .value;
    ($head + ($heading | if $split then .[:-1] + [""] else . end | line | sub(" +$"; "")) + $plain),
    ($rows[] | (.cells | row), (.below[]? | below));

# --- any record -------------------------------------------------------------

# The longest run of zero groups of an IPv6 address becomes "::" (RFC 5952).
def short_address:
  if contains(":") then
    (split(":") | map(sub("^0+(?=.)"; "")) | join(":")) as $text
    | first(
        (range(8; 1; -1) as $zeros
         | "(^|:)0(:0){\($zeros - 1)}(:|$)" as $run
         | select($text | test($run))
         | $text | sub($run; "::")),
        $text)
  else . end;

def endpoint($address; $port):
  ($address // "?" | short_address) as $text
  | if $port == null then $text
    elif $text | contains(":") then "[\($text)]:\($port)"
    else "\($text):\($port)" end;

def peers: endpoint(.src_ip; .src_port) + " -> " + endpoint(.dest_ip; .dest_port);

def one_day: map(.timestamp[:10]) | unique | length < 2;

# The time of day; with the date when the records are of several days.
def clock($one_day): .timestamp | if $one_day then .[11:23] else .[5:10] + " " + .[11:23] end;

def when($one_day): first.timestamp
  | .[:10] as $day
  | if $one_day then "on \($day)" else "from \($day) on" end + ", times in "
  + (.[26:] | if . == "+0000" then "UTC" else "UTC" + .[:3] + ":" + .[3:] end);

# --- a message --------------------------------------------------------------

def algorithm($kind):
  (.name // "\($kind)-\(.id)" | sub("^(ENCR|AUTH)_"; ""))
  + if .key_length then "_\(.key_length)" else "" end;

def kinds: ["encr", "integ", "prf", "dh", "addke1", "addke2", "addke3", "addke4", "addke5",
            "addke6", "addke7", "esn", "kwa", "gcauth"];

# One proposal: the alternatives of each kind of algorithm.
def proposal:
  . as $proposal
  | "\(.protocol): "
    + ([kinds[] as $kind | $proposal[$kind] // empty | map(algorithm($kind)) | listed(3)]
       | join(" / "))
    + if .unknown then " / \(.unknown | length) unknown" else "" end;

# Several are numbered as in the message.
def proposals($caption):
  .proposals // []
  | (length > 1) as $several
  | [.[:4][] | if $several then "#\(.number) " else "" end + proposal]
    + if length > 4 then ["+\(length - 4) more proposals"] else [] end
  | to_entries[]
  | [if .key == 0 then $caption else "" end, .value];

def named: .name // "type \(.type)";

def short_hex: .hex | if length > 16 then .[:16] + ".." else . end;

def is_response: .flags // [] | index("response");

def weakness: .what as $what | (if .id then algorithm($what) else $what end) + ": " + .reason;

def contents:
  proposals(if is_response then "chosen" else "offered" end),
  (.key_exchange // empty | ["key", "\(.name // "group \(.group)"), \(.length) bytes"]),
  (.notify // empty | ["notify", (map(named) | listed(8))]),
  (.vendor_ids // empty | ["vendor", (map(.name // short_hex) | listed(3))]),
  (.weak // empty | ["weak", (map(weakness) | listed(4; "; "))]),
  (if .fragment then ["fragment", "\(.fragment | "\(.number) of \(.total)"), \(.encrypted_length) bytes"]
   elif .encrypted_length then ["encrypted", "\(.encrypted_length) bytes"]
   else empty end),
  (.errors // empty | ["malformed", (map("\(.event) (\(.field))") | listed(4))]);

def exchange:
  if .exchange_type == null then "no IKE header"
  else (.exchange_type_name // "exchange \(.exchange_type)")
    + if is_response then " response" else " request" end end;

def messages:
  one_day as $one_day
  | "\($title) \(when($one_day))",
    (map({cells: [clock($one_day), (.ikev2 | exchange), peers], below: [.ikev2 | contents]})
     | table(["TIME", "MESSAGE", "FROM -> TO"]));

# --- the other sections -----------------------------------------------------

def alerts:
  one_day as $one_day
  | "\($title) \(when($one_day))",
    (map({cells: [clock($one_day), "\(.alert.signature_id)", .alert.signature, peers]})
     | table(["TIME", "SID", "MESSAGE", "FROM -> TO"]));

def plural($one): "\(.) \($one)" + if . == 1 then "" else "s" end;

def counted: map(select(.value > 0) | "\(.value) \(.key)") | join(", ");

def protocol_name: {ike: "ike (IKEv1)", failed_udp: "of UDP not recognised",
                    failed_tcp: "of TCP not recognised"}[.] // .;

# What was there instead, of a record of the engine's counters.
def nothing_found:
  .stats
  | "Suricata saw \(.decoder.pkts | plural("packet")) in \(.flow.total | plural("flow")).",
    (.decoder | {tcp, udp, sctp, esp, icmpv4, icmpv6, arp} | to_entries | counted
     | select(. != "") | "Packets: \(.)."),
    (.app_layer.flow | with_entries(.key |= protocol_name) | to_entries | counted
     | select(. != "") | "Flows by application protocol: \(.).");

def printable_all: walk(if type == "string" then printable else . end);

if $section == "messages" then [inputs | printable_all] | messages
elif $section == "alerts" then [inputs | printable_all] | alerts
else last(inputs) | nothing_found end
