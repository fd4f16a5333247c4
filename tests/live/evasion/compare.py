"""What a peer answered against what Suricata reported.

usage: compare.py FOLDER

Reads cases.json and wire.pcap, which send.py wrote, and Suricata's eve.json, with
records of flows. Writes verdicts.txt, with a line for each message that was answered
and for each answer; of each case in which one is not reported the capture
missed/CASE.pcap; and causes.txt, which says what was odd about them, the simplest
first. Prints figures.
"""

import collections
import json
import os
import struct
import sys

PEER = "192.0.2.20"
INVALID_MAJOR_VERSION = 5
IKE_SA_INIT = 34
# A header, and of the first payload less than what is in every SA.
TOO_LITTLE = 28 + 4 + 4
APP_PROTO = "app_proto", "app_proto_ts", "app_proto_tc", "app_proto_orig"

# What a message is known by, and what its record has to say besides.
Identity = collections.namedtuple("Identity", "spi id exchange response")
Details = collections.namedtuple("Details", "nat_t length")
Miss = collections.namedtuple("Miss", "case message before later what flow alerts")


def lines(path):
    with open(path, encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def other_end(record):
    return record["dest_ip"] if record["src_ip"] == PEER else record["src_ip"]


class Reported:
    """Messages by the address of a case; flows and alerts in them by its ports, too."""

    def __init__(self, path):
        self.messages = collections.defaultdict(list)
        self.alerts = collections.defaultdict(set)
        self.flows = {}
        for record in lines(path):
            if "src_ip" in record:
                self.take(other_end(record), record)

    def take(self, address, record):
        kind = record["event_type"]
        ports = record.get("src_port"), record.get("dest_port")
        ports = ports[::-1] if record["src_ip"] == PEER else ports
        if kind == "alert":
            self.alerts[address, ports].add(record["alert"]["signature_id"])
        elif kind == "flow":
            self.flows[address, ports] = "/".join(record.get(name, "-") for name in APP_PROTO)
        elif kind == "ikev2" and "init_spi" in record["ikev2"]:
            ike = record["ikev2"]
            response = "response" in ike["flags"]
            which = Identity(ike["init_spi"], ike["message_id"], ike["exchange_type"], response)
            self.messages[address, which].append(Details(ike["nat_t"], ike["length"]))

    def exact(self, address, which, details):
        """One record is for one message: two that are alike need two."""
        found = self.messages.get((address, which), [])
        if details not in found:
            return False
        found.remove(details)
        return True

    def other(self, address, which):
        """A record of the message that says something else."""
        found = self.messages.get((address, which))
        return bool(found) and found.pop() is not None


def is_too_little(message):
    """Hardly more than a header, to a port of others: who takes that hides what follows."""
    octets = len(message["data"]) // 2 - (4 if message["marker"] else 0)
    return octets < TOO_LITTLE and message["ports"][1] not in (500, 4500)


def wanted(message):
    """The messages that must have a record: the request and each answer."""
    answers = message["answers"]
    asked = [] if is_too_little(message) else [("request", message)]
    if message["major"] != 2 and all(one["notify"] == [INVALID_MAJOR_VERSION] for one in answers):
        # What a peer says to anything that is no message of IKEv2, be it noise. It has the
        # exchange type of that, which need not be one.
        asked = []
        answers = [one for one in answers if one["exchange"] >= IKE_SA_INIT]
    # One answer is for all fragments.
    for what, one in asked + [("answer", one) for one in answers if not message["part"]]:
        which = Identity(message["spi"], one["id"], one["exchange"], one["response"])
        yield what, which, Details(one["marker"], one["length"])


def earlier(case, at):
    """What came before in the same flow: other kinds, and whether messages did."""
    flow = [m for m in case["messages"][: at + 1] if m["ports"] == case["messages"][at]["ports"]]
    return [one for m in flow for one in m["before"]], any(not m["noise"] for m in flow[:-1])


def describe(message, others):
    ports = "->".join(map(str, message["ports"])) + (" marker" if message["marker"] else "")
    changes = "; ".join(what for _, what in message["changes"]) or "unchanged"
    before = ", ".join(f"{kind} {way} peer" for kind, way, _ in others)
    return f"{ports}: {changes}" + (f"; after {before}" if before else "")


class Comparison:
    def __init__(self, folder):
        self.reported = Reported(os.path.join(folder, "eve.json"))
        self.verdicts, self.missed = [], []

    def case(self, case):
        """Whether all of it is reported."""
        before, address = len(self.missed), case["address"]
        all_wanted = [
            (at, what, which, self.reported.exact(address, which, details))
            for at, message in enumerate(case["messages"]) if message["answers"]
            for what, which, details in wanted(message)
        ]
        # What is left may be of others, such as fragments with the same numbers.
        for at, what, which, right in all_wanted:
            other = not right and self.reported.other(address, which)
            verdict = "right" if right else "wrong" if other else "missed"
            self.message(case, at, what, which, verdict)
        return len(self.missed) == before

    def message(self, case, at, what, which, verdict):
        message = case["messages"][at]
        text = f"{verdict} {what} {case['case']}.{at} {which.spi}"
        text += f", exchange {which.exchange}, message ID {which.id}"
        if verdict != "right":
            place = case["address"], tuple(message["ports"])
            flow = self.reported.flows.get(place, "?")
            alerts = sorted(self.reported.alerts.get(place, ()))
            before, later = earlier(case, at)
            text += f": {describe(message, before)}; flow {flow}, alerts {alerts or 'none'}"
            self.missed.append(Miss(case, message, before, later, what, flow, alerts))
        self.verdicts.append(text)

    def causes(self):
        groups = collections.defaultdict(list)
        for miss in self.missed:
            changes = tuple(sorted({name for name, _ in miss.message["changes"]}))
            before = tuple(sorted({f"{kind} {way}" for kind, way, _ in miss.before}))
            groups[miss.later, changes, before, miss.what, miss.flow].append(miss)
        order = sorted(groups, key=lambda key: (key[0], len(key[1] + key[2]), -len(groups[key])))
        for key in order:
            yield from cause(*key, groups[key])


def cause(later, changes, before, what, flow, misses):
    """How often it was so, and the first of them in full."""
    one = misses[0]
    words = ", ".join(changes) or "unchanged"
    after = f", after {', '.join(before)}" if before else ""
    place = "later in a flow" if later else "first in a flow"
    yield f"{len(misses)} x {what} {place}: {words}{after}; flow {flow}"
    alerts = one.alerts or "none"
    yield f"    case {one.case['case']}, alerts {alerts}: {describe(one.message, one.before)}"
    for kind, way, data in one.before:
        yield f"    {kind} {way} peer: {data}"
    yield f"    {one.message['data']}"


def write_capture(folder, case):
    """The case's frames, as a file of their own."""
    os.makedirs(os.path.join(folder, "missed"), exist_ok=True)
    with open(os.path.join(folder, "wire.pcap"), "rb") as wire:
        data = wire.read(24)
        for offset in case["frames"]:
            wire.seek(offset)
            head = wire.read(16)
            data += head + wire.read(struct.unpack("<I", head[8:12])[0])
    with open(os.path.join(folder, "missed", f"{case['case']}.pcap"), "wb") as file:
        file.write(data)


def write_lines(folder, name, texts):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        file.writelines(text + "\n" for text in texts)


def main(folder):
    comparison = Comparison(folder)
    cases = sent = answered = incomplete = 0
    for case in lines(os.path.join(folder, "cases.json")):
        cases += 1
        meant = [message for message in case["messages"] if not message["noise"]]
        sent += len(meant)
        answered += sum(bool(message["answers"]) for message in meant)
        if not comparison.case(case):
            incomplete += 1
            write_capture(folder, case)
    write_lines(folder, "verdicts.txt", comparison.verdicts)
    write_lines(folder, "causes.txt", comparison.causes())
    silent = sum(not miss.alerts for miss in comparison.missed)
    print(
        f"{cases} cases, {sent} requests, {answered} answered; {len(comparison.missed)} messages"
        f" in {incomplete} cases not reported or wrongly, {silent} of them without an alert"
    )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
