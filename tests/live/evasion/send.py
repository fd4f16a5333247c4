"""Sends requests of IKEv2 that are odd in many ways, and notes what is answered.

usage: send.py NAMESPACE FOLDER SEED REQUESTS CHILDREN [ONLY]

Runs in the namespace between the peer (in NAMESPACE) and nobody else, sends through
its interface to-right and reads there what comes back. Each case has an address of
its own: datagrams of other kinds or none, an IKE_SA_INIT request and, while the peer
answers, the messages of a whole handshake, often on other ports. SEED and a case's
number say all about it; ONLY is the number of the one to send. Ends when REQUESTS
messages were sent. CHILDREN is `all` or `some`: whether each IKE_AUTH asks for a child.
Writes FOLDER/wire.pcap, with all that was on the cable, and FOLDER/cases.json, a line
for each case. Prints how many cases there were, messages sent, and messages answered.
"""

import heapq
import json
import os
import select
import sys
import time

sys.dont_write_bytecode = True

import message as m  # noqa: E402
from case import Case  # noqa: E402
from wire import Wire  # noqa: E402

# Cases that begin in a second; the peers do a key exchange for each.
RATE = float(os.environ.get("EVASION_RATE", "250"))
LAST_WAIT = 4.0
# Between the datagrams of a case.
GAP = 0.004
MOST_CASES = 131000


class Run:
    def __init__(self, namespace, folder, seed, children):
        self.wire = Wire(namespace, os.path.join(folder, "wire.pcap"))
        self.seed, self.children = seed, children
        self.sent = self.answered = self.order = 0
        self.cases, self.queue = {}, []
        # What we said in the peer's place, which comes back to us.
        self.own = set()

    def later(self, delay, action):
        self.order += 1
        heapq.heappush(self.queue, (time.monotonic() + delay, self.order, action))

    def start(self, number):
        case = Case(self.seed, number, self.children)
        self.cases[case.address] = case
        self.say(case, case.begin())

    def say(self, case, turn):
        """Sends what comes before and then the messages, some milliseconds apart."""
        source, destination, marker = turn.ports
        ports = source, destination
        datagrams = [(data, backwards) for backwards, _, data in turn.noise]
        self.note_noise(case, turn)
        answers = []
        for at, (data, changes) in enumerate(turn.messages):
            part = at + 1 < len(turn.messages)
            noise = [] if at else [
                [kind, "from" if back else "to", other.hex()] for back, kind, other in turn.noise
            ]
            more = {"changes": changes, "part": part, "before": noise, "answers": answers}
            case.sent(data, ports, marker, **more)
            datagrams.append(((m.MARKER if marker else b"") + data, False))
        self.sent += len(turn.messages)
        for at, (data, backwards) in enumerate(datagrams):
            self.later(at * GAP, lambda d=data, b=backwards: self.put(case, ports, d, b))

    @staticmethod
    def note_noise(case, turn):
        """A peer may answer what was not meant as a request."""
        source, destination, marker = turn.ports
        for backwards, kind, data in turn.noise:
            marked = marker and data[:4] == m.MARKER
            bare = data[4:] if marked else data
            if not backwards and len(bare) >= m.HEADER:
                more = {"changes": [[kind, kind]], "noise": True}
                case.sent(bare, (source, destination), marked, **more)

    def put(self, case, ports, data, backwards):
        if backwards:
            self.own.add((case.address, data))
        self.wire.send(case, ports, data, backwards)

    def take(self, address, data, whole):
        """An answer: a message of IKEv2 with an SPI of ours."""
        case = self.cases.get(address)
        if case is None or (address, data) in self.own:
            return
        self.wire.keep(case, whole)
        # Four zeros are a marker, unless our SPI begins with them.
        asked, marker = case.asked(data), False
        if not asked and data[:4] == m.MARKER:
            data, marker = data[4:], True
            asked = case.asked(data)
        if not asked or data[17] >> 4 != 2:
            return
        asked["answers"].append(self.describe(data, marker))
        if len(asked["answers"]) == 1 and asked is case.records[-1]:
            self.answered += 1
            following = case.following(data)
            if following:
                self.say(case, following)

    @staticmethod
    def describe(data, marker):
        return {
            "marker": marker, "length": int.from_bytes(data[24:28], "big"),
            "id": int.from_bytes(data[20:24], "big"), "exchange": data[18],
            "response": bool(data[19] & m.RESPONSE), "notify": m.notifications(data),
        }

    def pump(self, until):
        """Sends what is due and takes what comes, until then."""
        while time.monotonic() < until:
            while self.queue and self.queue[0][0] <= time.monotonic():
                heapq.heappop(self.queue)[2]()
            due = min(until, self.queue[0][0]) if self.queue else until
            if select.select([self.wire.near], [], [], max(0, due - time.monotonic()))[0]:
                found = self.wire.receive()
                if found:
                    self.take(*found)

    def all(self, numbers, requests):
        due = time.monotonic()
        for number in numbers:
            if self.sent >= requests:
                break
            self.start(number)
            # Not too far behind: a late start is no reason for a burst.
            due = max(due + 1 / RATE, time.monotonic() - 0.1)
            self.pump(due)
        self.pump(time.monotonic() + LAST_WAIT)


def main(namespace, folder, seed, requests, children, only=None):
    run = Run(namespace, folder, seed, children)
    numbers = range(MOST_CASES) if only is None else [int(only)]
    run.all(numbers, int(requests))
    run.wire.file.close()
    with open(os.path.join(folder, "cases.json"), "w", encoding="ascii") as file:
        for case in run.cases.values():
            file.write(json.dumps(case.as_json()) + "\n")
    print(len(run.cases), run.sent, run.answered)


if __name__ == "__main__":
    if len(sys.argv) not in (6, 7):
        sys.exit(__doc__)
    main(*sys.argv[1:])
