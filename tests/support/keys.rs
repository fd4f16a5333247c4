//! Captures and the keys that open them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use suricata_ikev2::decrypt::key_table::parse_line;
use suricata_ikev2::decrypt::{Decryptor, KeyTable, Sealed};
use suricata_ikev2::message::Transport;
use suricata_ikev2::wire::{classify, Carrier, Datagram as Kind, Payload, RawMessage};

use crate::capture::Datagram;

/// The folder of the project.
pub(crate) fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The keys of files that have no mistakes.
pub(crate) fn table<'a>(files: impl IntoIterator<Item = &'a PathBuf>) -> KeyTable {
    let mut table = KeyTable::default();
    for file in files {
        let text = fs::read(file).expect("readable keys");
        for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
            let place = || format!("{}, line {}", file.display(), index + 1);
            match parse_line(line) {
                Ok(Some((spis, keys))) => {
                    table.insert(spis, keys);
                }
                Ok(None) => {}
                Err(error) => panic!("{}: {error}", place()),
            }
        }
    }
    table
}

/// Gives the keys of a file without mistakes to what opens messages.
#[allow(dead_code)] // Not every test that shares this file opens any.
pub(crate) fn give(decryptor: &Decryptor, file: &Path) {
    for line in fs::read(file).expect("readable keys").split(|byte| *byte == b'\n') {
        if let Some((spis, keys)) = parse_line(line).expect("a good line") {
            decryptor.insert(spis, keys);
        }
    }
}

/// The project's captures that have keys, with the files of these.
#[allow(dead_code)] // Not every test that shares this file asks for them.
pub(crate) fn captures() -> BTreeMap<String, Vec<PathBuf>> {
    let mut captures: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    let folder = project().join("tests/capture/keys");
    for entry in fs::read_dir(folder).expect("the project's keys") {
        let path = entry.expect("readable folder").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if let Some((capture, "ikev2_decryption_table")) =
            name.rsplit_once('.').map(|(front, form)| (front.split('.').next(), form))
        {
            let capture = capture.expect("the front of a name");
            captures.entry(format!("{capture}.pcap")).or_default().push(path);
        }
    }
    captures
}

/// A datagram's message with its encrypted payload, if it has one.
pub(crate) fn encrypted(datagram: &Datagram) -> Option<(RawMessage<'_>, Payload<'_>)> {
    let carrier = Carrier {
        port_500: datagram.transport == Transport::Udp500,
        encapsulated: datagram.transport == Transport::Udp4500,
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
