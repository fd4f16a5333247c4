//! The object `ikev2` in Suricata's own records of a flow.

use super::{sa, JsonText};
use crate::canonical;
use crate::proposal::ProposalSet;
use crate::sa::{Chosen, SaOfFlow};

/// Writes the fields into the open object.
pub fn render_flow(sas: &[SaOfFlow], json: &mut JsonText) {
    json.word(c"type", "flow");
    json.open_array(c"sas");
    for it in sas {
        json.start_object();
        render_sa(it, json);
        json.close();
    }
    json.close();
}

fn render_sa(of_flow: &SaOfFlow, json: &mut JsonText) {
    json.hex(c"id", &of_flow.id.to_be_bytes());
    json.word(c"joined", of_flow.joined.name());
    let Some(view) = &of_flow.view else {
        json.word(c"state", of_flow.state.name());
        return;
    };
    json.word(c"state", view.state.name());
    sa::render_failure(view, json);
    sa::render_ends(view, json);
    if let Some(chosen) = &view.chosen {
        name_suite(chosen, json);
        if let Some(bits) = chosen.security_bits() {
            json.uint(c"security_bits", bits.into());
        }
    }
}

/// Writes the chosen algorithms as the text of a proposal.
fn name_suite(chosen: &Chosen, json: &mut JsonText) {
    let set = ProposalSet::of_ike(chosen.transforms().collect());
    if let Some(proposal) = set.proposals().first() {
        json.word(c"suite", &canonical::text(&set, proposal));
    }
}
