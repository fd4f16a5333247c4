//! Which algorithms are weak: proposals in, findings out.
//!
//! ```text
//! table        every assigned algorithm with grade, bits and source
//! profile      the named policies: what each allows
//! custom       the policy that the configuration spells out
//! composition  what RFC 7296 says of a proposal as a whole, for every policy
//! strength     bits of security; post-quantum
//! ```
//!
//! `docs/policies.md` says what each policy refuses, and where it is written.

mod composition;
mod custom;
pub(crate) mod names;
mod profile;
mod strength;
pub mod table;

#[cfg(test)]
mod docs;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use custom::CustomPolicy;
pub use strength::{post_quantum, security_bits, PostQuantum};
pub use table::is_aead;

use core::ops::ControlFlow;
use core::sync::atomic::{AtomicU32, Ordering};

use crate::named::named;
use crate::proposal::{ProposalSet, Transform};
use crate::wire::registry::TransformType;
use profile::{ClosedList, Refusal, TransformInProposal};

/// The most findings of one message; each (kind, algorithm, key length) is found
/// once.
pub const MAX_FINDINGS: usize = 64;

named! {
    /// What a finding is about; the words of `ikev2.weak_proposal`.
    pub enum What: str {
        /// An encryption algorithm, or that there is none in a proposal for IKE.
        Encr = "encr",
        /// A pseudorandom function, or that there is none in a proposal for IKE.
        Prf = "prf",
        /// An integrity algorithm, also one with ciphers that carry their own.
        Integ = "integ",
        /// A key exchange method, additional ones included.
        Dh = "dh",
        /// A key length that is missing, not allowed, or no attribute of the cipher.
        KeyLength = "key_length",
        /// Sequence Numbers in a proposal for IKE, where they mean nothing, or others
        /// than the configuration allows.
        Esn = "esn",
        /// A proposal for IKE without a key exchange method.
        NoDh = "no_dh",
        /// Encryption without integrity.
        NoInteg = "no_integ",
    }
}

impl What {
    /// What a policy judges a transform as.
    fn of(kind: TransformType) -> Option<Self> {
        match kind {
            TransformType::ENCR => Some(Self::Encr),
            TransformType::PRF => Some(Self::Prf),
            TransformType::INTEG => Some(Self::Integ),
            TransformType::SN => Some(Self::Esn),
            _ => kind.is_key_exchange().then_some(Self::Dh),
        }
    }
}

/// Something that a policy finds in a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is about.
    pub what: What,
    /// The transform; none when something is missing.
    pub transform: Option<Transform>,
    /// Why, with the source.
    pub reason: &'static str,
    /// The name of the policy.
    pub policy: &'static str,
    /// Whether the proposal is put together against RFC 7296, which every policy
    /// finds, rather than an algorithm refused by this one.
    pub composition: bool,
}

/// What the parts of a policy find.
#[derive(Clone, Copy)]
struct Flaw {
    what: What,
    transform: Option<Transform>,
    reason: &'static str,
}

/// Takes findings until it breaks.
type Visit<'a> = &'a mut dyn FnMut(Flaw) -> ControlFlow<()>;

/// What is allowed. The named policies are static; the configuration makes `custom`.
#[derive(Debug)]
pub struct Policy {
    id: PolicyId,
    name: &'static str,
    rules: Rules,
}

/// A policy is equal to itself only, as its number says.
impl PartialEq for Policy {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Policy {}

/// The number of a policy. No two policies of a process have the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicyId(u32);

impl From<PolicyId> for u64 {
    fn from(id: PolicyId) -> Self {
        id.0.into()
    }
}

#[derive(Debug)]
enum Rules {
    /// What the table does not grade as forbidden or weak.
    Grades,
    /// What is in a list.
    ClosedList(&'static ClosedList),
    /// What the configuration names.
    Custom(CustomPolicy),
}

const CUSTOM: &str = "custom";

/// The named policies; the place of each is its number.
static NAMED: [Policy; 6] = [
    Policy { id: PolicyId(0), name: "rfc8247", rules: Rules::Grades },
    Policy::of_list(1, "nist-sp800-77r1", &profile::NIST_SP800_77R1),
    Policy::of_list(2, "bsi-tr-02102-3", &profile::BSI_TR_02102_3),
    Policy::of_list(3, "anssi", &profile::ANSSI),
    Policy::of_list(4, "cnsa-1", &profile::CNSA_1),
    Policy::of_list(5, "cnsa-2", &profile::CNSA_2),
];

/// The number of the next policy `custom`. A process makes one when it reads the
/// configuration; tests make several.
static NEXT_CUSTOM: AtomicU32 = AtomicU32::new(NAMED.len() as u32);

impl Policy {
    /// The default policy, `rfc8247`.
    pub fn standard() -> &'static Self {
        &NAMED[0]
    }

    /// The named policies, without `custom`; the first is the default.
    pub fn all() -> &'static [Self] {
        &NAMED
    }

    /// The names of all policies, `custom` included.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMED.iter().map(Self::name).chain([CUSTOM])
    }

    /// The policy of this name in any case; `custom` is the one that the
    /// configuration made, if it did.
    ///
    /// # Errors
    /// What is wrong, as a text that goes on behind the key or keyword.
    pub fn named<'a>(name: &str, custom: Option<&'a Self>) -> Result<&'a Self, String> {
        if let Some(policy) = NAMED.iter().find(|policy| policy.name.eq_ignore_ascii_case(name)) {
            return Ok(policy);
        }
        if name.eq_ignore_ascii_case(CUSTOM) {
            let missing = || format!("\"{name}\" needs lists of algorithms in custom-policy");
            return custom.ok_or_else(missing);
        }
        let known: Vec<_> = Self::names().collect();
        let hint = names::suggestion(name, known.iter().copied());
        Err(format!("\"{name}\" is not a known policy ({}){hint}", known.join(", ")))
    }

    /// The policy `custom` with these lists.
    pub fn custom(lists: CustomPolicy) -> Self {
        let id = PolicyId(NEXT_CUSTOM.fetch_add(1, Ordering::Relaxed));
        Self { id, name: CUSTOM, rules: Rules::Custom(lists) }
    }

    const fn of_list(number: u32, name: &'static str, list: &'static ClosedList) -> Self {
        Self { id: PolicyId(number), name, rules: Rules::ClosedList(list) }
    }

    /// The number that tells this policy from all others.
    pub fn id(&self) -> PolicyId {
        self.id
    }

    /// The name in the configuration, in rules and in records.
    pub fn name(&self) -> &'static str {
        self.name
    }

    fn refusal(&self, offer: &TransformInProposal<'_>) -> Option<Refusal> {
        let what = What::of(offer.transform.kind)?;
        match &self.rules {
            Rules::Grades => profile::by_grade(offer, what),
            Rules::ClosedList(list) => list.refusal(offer, what),
            Rules::Custom(lists) => lists.refusal(offer, what),
        }
    }

    #[cfg(test)]
    fn list(&self) -> Option<&'static ClosedList> {
        match self.rules {
            Rules::ClosedList(list) => Some(list),
            Rules::Grades | Rules::Custom(_) => None,
        }
    }
}

/// What the policy finds in the proposals; each (kind, algorithm, key length) once,
/// and at most [`MAX_FINDINGS`]. The last places are for kinds that had none yet, so
/// that many findings of one kind hide no other kind.
pub fn assess(set: &ProposalSet, policy: &Policy) -> Vec<Finding> {
    let mut found = Findings::default();
    let _ = each_finding(set, policy, &mut |finding| {
        found.add(finding);
        ControlFlow::Continue(())
    });
    found.all
}

/// Findings, each algorithm once.
#[derive(Default)]
struct Findings {
    all: Vec<Finding>,
    /// What tells each from others, in a form that is quickly compared.
    marks: Vec<u64>,
    /// The kinds that there are, a bit each.
    kinds: u8,
}

impl Findings {
    fn add(&mut self, finding: Finding) {
        let kind = 1 << finding.what as u8;
        let has_place = self.all.len() < MAX_FINDINGS - What::ALL.len() || self.kinds & kind == 0;
        if has_place && !self.marks.contains(&mark(&finding)) {
            self.kinds |= kind;
            self.marks.push(mark(&finding));
            self.all.push(finding);
        }
    }
}

/// Whether the policy finds something of these kinds, or of any if there are none.
/// It looks no further than the first and allocates nothing.
pub fn finds(set: &ProposalSet, policy: &Policy, kinds: &[What]) -> bool {
    each_finding(set, policy, &mut |finding| {
        if kinds.is_empty() || kinds.contains(&finding.what) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })
    .is_break()
}

/// The same for findings about the same algorithm, whichever key exchange it was for.
fn mark(finding: &Finding) -> u64 {
    let algorithm = finding.transform.map_or(0, |it| {
        let length = it.key_length.map_or(0, |bits| u64::from(bits) + 1);
        1 << 40 | u64::from(it.id) << 20 | length
    });
    (finding.what as u64) << 48 | algorithm
}

/// Visits findings as they come, the same one again and again.
fn each_finding(
    set: &ProposalSet,
    policy: &Policy,
    visit: &mut dyn FnMut(Finding) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let finding = |flaw: Flaw, composition| Finding {
        what: flaw.what,
        transform: flaw.transform,
        reason: flaw.reason,
        policy: policy.name,
        composition,
    };
    for proposal in set.proposals() {
        let (protocol, transforms) = (proposal.protocol, set.transforms(proposal));
        for transform in transforms {
            let offer = TransformInProposal { protocol, transforms, transform };
            if let Some((what, reason)) = policy.refusal(&offer) {
                let flaw = Flaw { what, transform: Some(*transform), reason };
                visit(finding(flaw, false))?;
            }
            composition::of_transform(protocol, transform, &mut |flaw| visit(finding(flaw, true)))?;
        }
        let found = &mut |flaw| visit(finding(flaw, true));
        composition::of_proposal(protocol, transforms, proposal.whole, found)?;
    }
    ControlFlow::Continue(())
}
