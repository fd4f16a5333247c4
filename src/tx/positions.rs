//! The positions of values in a message that rules read one after the other.
//!
//! Suricata asks for the first value, the second, and so on until there is none. If each
//! request searched from the beginning, the time would grow with the square of the number of
//! values.

use super::Transaction;
use crate::vendor;
use crate::wire::registry::PayloadType;
use crate::wire::Notify;

/// Positions of values, in the order of the message. A message has at most some hundred
/// payloads, so these lists are short.
#[derive(Debug, Default)]
pub(crate) struct Positions {
    /// The notifies without parse errors, as indexes of payloads.
    pub(crate) notifies: Vec<usize>,
    /// The Vendor IDs, as indexes of payloads.
    pub(crate) vendor_ids: Vec<usize>,
    /// The product names of the known Vendor IDs.
    pub(crate) products: Vec<&'static str>,
    /// The X.509 certificates, as indexes of all certificates.
    pub(crate) x509: Vec<usize>,
    /// The configuration attributes that are addresses, as indexes of all attributes.
    pub(crate) addresses: Vec<usize>,
}

impl Positions {
    /// Finds all positions in one pass over the message.
    pub(super) fn of(tx: &Transaction) -> Self {
        let mut positions = Self::default();
        for (place, entry) in tx.message().payloads.iter().enumerate() {
            let payload = tx.message().payload(entry);
            match entry.kind {
                PayloadType::NOTIFY => {
                    let notify = Notify::parse(payload.body, payload.body_offset());
                    positions.notifies.extend(notify.ok().map(|_| place));
                }
                PayloadType::VENDOR_ID => {
                    positions.vendor_ids.push(place);
                    positions.products.extend(vendor::product(payload.body));
                }
                _ => {}
            }
        }
        if let Some(texts) = tx.texts() {
            positions.x509 = places(&texts.certificates, |it| it.x509.is_some());
            positions.addresses = places(&texts.attributes, |it| it.is_address);
        }
        positions
    }
}

fn places<T>(all: &[T], wanted: impl Fn(&T) -> bool) -> Vec<usize> {
    let wanted = all.iter().enumerate().filter(|(_, one)| wanted(one));
    wanted.map(|(place, _)| place).collect()
}

#[cfg(test)]
mod tests {
    use crate::message::testing::decode;
    use crate::tx::Transaction;
    use crate::vendor::tests::LOOKED_UP;
    use crate::wire::registry::PayloadType;
    use crate::wire::testing::sa_init;

    #[test]
    fn values_are_found_by_their_number_and_looked_at_once() {
        let windows = 0x1e2b_5169_0599_1c7d_7c96_fcbf_b587_e461_u128.to_be_bytes();
        let mut message = sa_init();
        for number in 0..120_u8 {
            message = message
                .payload(PayloadType::VENDOR_ID, [&windows[..], &[0, 0, 0, number]].concat());
            message = message.payload(PayloadType::NOTIFY, [0, 0, 0x90, 0, number]);
            message = message.payload(PayloadType::NOTIFY, [0, 9, 0]);
        }
        let tx = Transaction::new(decode(&message.build()), None);
        let before = LOOKED_UP.get();
        let ids: Vec<_> = (0..).map_while(|number| tx.vendor_id(number)).collect();
        let products: Vec<_> =
            (0..).map_while(|number| tx.positions().products.get(number)).collect();
        let data: Vec<_> = (0..).map_while(|number| tx.notify(number)).map(|it| it.data).collect();
        assert_eq!(LOOKED_UP.get() - before, ids.len(), "a product is looked for once an id");
        let of_kind = tx.message().payloads_of(PayloadType::VENDOR_ID).map(|it| it.body);
        assert_eq!(ids, of_kind.collect::<Vec<_>>());
        assert_eq!(data, tx.message().notifies().map(|it| it.data).collect::<Vec<_>>());
        assert!(ids.len() > 50 && data.len() > 20, "{} {}", ids.len(), data.len());
        // The Vendor ID of `sa_init` has no product name.
        assert_eq!(products.len() + 1, ids.len());
    }
}
