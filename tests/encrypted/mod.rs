//! Encrypted messages of captures, as the plugin takes them, and the keys that open them.

use std::path::PathBuf;

use suricata_ikev2::decrypt::key_table::parse_line;
use suricata_ikev2::decrypt::{KeyTable, Sealed};
use suricata_ikev2::message::Transport;
use suricata_ikev2::wire::{classify, Carrier, Datagram as Kind, Payload, RawMessage};
use testkit::capture::Datagram;
use testkit::keys;

/// The keys of files that have no mistakes.
pub(crate) fn table<'a>(files: impl IntoIterator<Item = &'a PathBuf>) -> KeyTable {
    let mut table = KeyTable::default();
    for (spis, keys) in keys::read(files, parse_line) {
        table.insert(spis, keys);
    }
    table
}

/// A datagram's message with its encrypted payload, if it has one.
pub(crate) fn encrypted(datagram: &Datagram) -> Option<(RawMessage<'_>, Payload<'_>)> {
    let transport = Transport::of_ports(datagram.source.port(), datagram.destination.port());
    let carrier = Carrier {
        port_500: transport == Transport::Udp500,
        encapsulated: transport == Transport::Udp4500,
    };
    let Kind::Message { bytes, .. } = classify(&datagram.data, carrier) else { return None };
    let message = RawMessage::parse(bytes).ok()?;
    let last = message.payloads().flatten().last()?;
    let is_encrypted = message.version_error().is_none() && last.kind.is_encrypted();
    is_encrypted.then_some((message, last))
}

/// The encrypted payload as what can be opened.
pub(crate) fn sealed<'a>(message: &RawMessage<'a>, payload: &Payload<'_>) -> Sealed<'a> {
    Sealed::of(message.bytes(), &message.header, payload).expect("an encrypted payload")
}
