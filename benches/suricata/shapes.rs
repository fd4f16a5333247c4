//! Messages that are made to cost: what each takes, and what Suricata writes of it.
//!
//! Each shape is sent once by many peers. Records are those of the types alert, anomaly,
//! flow and ikev2, as a stock configuration has them.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use testkit::bytes::noise;
use testkit::flow::{capture, Flow};
use testkit::message::{MessageBuilder, PayloadBuilder, LENGTH};
use testkit::proposal::{ProposalBuilder, Transform, STRONG};
use testkit::registry::{IKE_AUTH, INFORMATIONAL, NONCE, NOTIFY, SA, SK, SKF, VENDOR_ID};

use crate::run::Bench;
use crate::set_up::SetUp;

/// How many peers send a shape.
const COPIES: u8 = 20;

/// A name and a message.
type Shape = (&'static str, Vec<u8>);

/// A table with a row for each shape; the first is that of an ordinary message.
pub(crate) fn table(bench: &Bench, folder: &Path, set_ups: &[SetUp]) -> String {
    let mut text = String::from("\n### Hostile shapes\n\n| message | bytes |");
    for SetUp { name, .. } in set_ups {
        let _ = write!(text, " instructions, {name} | EVE bytes, {name} |");
    }
    let _ = writeln!(text, "\n|---|--:|{}", "--:|--:|".repeat(set_ups.len()));
    let folder = folder.join("shapes");
    fs::create_dir_all(&folder).expect("a folder of the build");
    let path = |number| folder.join(format!("{number:02}.pcap"));
    // They stay there, to be looked at.
    for (number, (_, message)) in shapes().iter().enumerate() {
        fs::write(path(number), sent(message)).expect("a writable folder");
    }
    for (number, (name, message)) in shapes().into_iter().enumerate() {
        let path = path(number);
        let _ = write!(text, "| {name} | {} |", message.len());
        for set_up in set_ups {
            let one = |all: u64| all / u64::from(COPIES);
            let instructions = bench.instructions(set_up, &path).map(one);
            let instructions = instructions.map_or(String::new(), |count| count.to_string());
            let records = one(bench.all_records(set_up, &path).bytes);
            let _ = write!(text, " {instructions} | {records} |");
        }
        text.push('\n');
    }
    text
}

fn sent(message: &[u8]) -> Vec<u8> {
    let one = |number: u8| vec![Flow::IKE.request(message).of_sa(number)];
    let all: Vec<_> = (1..=COPIES).map(one).collect();
    capture(&all.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

const WEAK: [Transform; 4] = [(1, 3, None), (2, 1, None), (3, 1, None), (4, 2, None)];

/// The Vendor ID of CVE-2022-21849.
const REALM: [u8; 16] = [
    0x68, 0x6a, 0x8c, 0xbd, 0xfe, 0x63, 0x4b, 0x40, 0x51, 0x46, 0xfb, 0x2b, 0xaf, 0x33, 0xe9, 0xe8,
];

fn proposals(count: u8, transforms: &[Transform]) -> Vec<ProposalBuilder> {
    let one = |number| ProposalBuilder { number, ..ProposalBuilder::for_ike(transforms) };
    (1..=count).map(one).collect()
}

/// So many transforms with identifiers that nobody else has.
fn many(count: u16, kind: impl Fn(u16) -> u8) -> Vec<Transform> {
    (0..count).map(|number| (kind(number), 1000 + number, Some(number))).collect()
}

fn with_payloads(count: usize, payload: impl Fn(usize) -> PayloadBuilder) -> Vec<u8> {
    (0..count).map(payload).fold(MessageBuilder::offer(&STRONG), MessageBuilder::with).build()
}

/// Many faults at once, as small as it goes.
fn small_with_faults() -> MessageBuilder {
    let critical = PayloadBuilder::critical(99, []);
    let first = [PayloadBuilder::new(1, []), PayloadBuilder::new(132, []), critical];
    let rest = [
        PayloadBuilder::notify(14, &[]),
        PayloadBuilder::new(NONCE, []),
        PayloadBuilder::ke(14, [0]),
    ];
    let sa = MessageBuilder::offer(&WEAK[..3]).payloads.swap_remove(0);
    let payloads = [&first[..], &rest, &[sa]].concat();
    MessageBuilder { message_id: 7, resp_spi: [1; 8], payloads, ..MessageBuilder::offer(&WEAK) }
}

#[rustfmt::skip]
fn shapes() -> Vec<Shape> {
    let plain = || MessageBuilder::offer(&STRONG);
    let weak_chosen = MessageBuilder::choice(&WEAK);
    let long_body = |kind, length| plain().with(PayloadBuilder::new(kind, noise(9, length))).build();
    let sa = |body: Vec<u8>| plain().replacing(PayloadBuilder::new(SA, body)).build();
    vec![
        ("ordinary IKE_SA_INIT", plain().build()),
        ("sixteen faults", [small_with_faults().build(), vec![0; 29]].concat()),
        ("weak in every kind", MessageBuilder::offer(&WEAK).build()),
        ("weak in every kind, chosen", weak_chosen.build()),
        ("an exploit and a weak offer", MessageBuilder::offer(&WEAK).with(PayloadBuilder::new(VENDOR_ID, REALM)).build()),
        ("4 proposals of 255 transforms of one type", MessageBuilder::sa_init(&proposals(4, &many(255, |_| 1))).build()),
        ("4 proposals of 255 transforms of all types", MessageBuilder::sa_init(&proposals(4, &many(255, |number| 1 + (number % 5) as u8))).build()),
        ("255 transforms of unknown types", MessageBuilder::sa_init(&proposals(1, &many(255, |number| 20 + (number % 200) as u8))).build()),
        ("255 weak ciphers", MessageBuilder::sa_init(&proposals(1, &many(255, |_| 1).into_iter().map(|(kind, id, bits)| (kind, id % 12, bits)).collect::<Vec<_>>())).build()),
        ("100 weak proposals", MessageBuilder::sa_init(&proposals(100, &WEAK)).build()),
        ("255 empty proposals", MessageBuilder::sa_init(&proposals(255, &[])).build()),
        ("proposals that do not fit", sa(vec![0xff; 1200])),
        ("253 Vendor IDs of no product", with_payloads(253, |number| PayloadBuilder::new(VENDOR_ID, noise(number as u32, 4)))),
        ("253 Vendor IDs of a product", with_payloads(253, |_| PayloadBuilder::new(VENDOR_ID, *b"OE-Libreswan-5.2"))),
        ("253 Vendor IDs of the exploit", with_payloads(253, |_| PayloadBuilder::new(VENDOR_ID, REALM))),
        ("253 notifies without data", with_payloads(253, |number| PayloadBuilder::notify(16384 + number as u16, &[]))),
        ("28 notifies without data", with_payloads(25, |number| PayloadBuilder::notify(16384 + number as u16, &[]))),
        ("60 notifies with a command", with_payloads(60, |_| PayloadBuilder::notify(14, b"'; reboot; '"))),
        ("253 empty payloads of unknown types", with_payloads(253, |number| PayloadBuilder::new(50 + (number % 200) as u8, []))),
        ("253 payloads of Cisco's fragments", with_payloads(253, |_| PayloadBuilder::new(132, noise(3, 8)))),
        ("253 KE payloads of zeros", with_payloads(253, |_| PayloadBuilder::ke(31, [0; 32]))),
        ("a long Vendor ID", long_body(VENDOR_ID, 1300)),
        ("a long notify", long_body(NOTIFY, 1300)),
        ("a length that does not fit", plain().patched(LENGTH + 2, 0x20)),
        ("IKE_AUTH with 20 clear notifies", MessageBuilder::later(IKE_AUTH, (0..20).map(|number| PayloadBuilder::notify(number, &noise(7, 20))).chain([PayloadBuilder::new(SK, noise(8, 64))]).collect()).build()),
        ("one of 256 fragments", MessageBuilder::later(IKE_AUTH, vec![PayloadBuilder::new(SKF, [&[0, 1, 1, 0][..], &noise(5, 40)].concat())]).build()),
        ("INFORMATIONAL of no SA", MessageBuilder::later(INFORMATIONAL, vec![PayloadBuilder::new(SK, noise(6, 40))]).build()),
    ]
}
