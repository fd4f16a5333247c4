//! Finds weak algorithms: the input is proposals, and the output is findings.
//!
//! ```text
//! table        every assigned algorithm with grade, bits and source
//! profile      the named policies: what each allows
//! custom       the policy that is defined in the configuration
//! composition  the rules of RFC 7296 for a whole proposal, with every policy
//! strength     bits of security, and post-quantum key exchange
//! ```
//!
//! `docs/policies.md` lists what each policy refuses, with the sources.

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

/// The maximum number of findings of one message. Each combination of kind, algorithm and
/// key length is reported once.
pub const MAX_FINDINGS: usize = 64;

named! {
    /// The subject of a finding. The names are the arguments of `ikev2.weak_proposal`.
    pub enum FindingKind: str {
        /// An encryption algorithm, or a proposal for IKE without one.
        Encr = "encr",
        /// A pseudorandom function, or a proposal for IKE without one.
        Prf = "prf",
        /// An integrity algorithm. Also an integrity algorithm together with an AEAD
        /// cipher.
        Integ = "integ",
        /// A key exchange method, including additional ones.
        Dh = "dh",
        /// A key length that is missing or not allowed, or that the cipher does not have as
        /// an attribute.
        KeyLength = "key_length",
        /// Sequence Numbers in a proposal for IKE, where they have no meaning, or a value
        /// that the configuration does not allow.
        Esn = "esn",
        /// A proposal for IKE without a key exchange method.
        NoDh = "no_dh",
        /// Encryption without integrity protection.
        NoInteg = "no_integ",
    }
}

impl FindingKind {
    /// The kind of finding that a policy reports for a transform of this type.
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

/// A weakness that a policy finds in a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The subject of the finding.
    pub kind: FindingKind,
    /// The transform. `None` if a transform is missing.
    pub transform: Option<Transform>,
    /// The reason, with its source.
    pub reason: &'static str,
    /// The name of the policy.
    pub policy: &'static str,
    /// Whether the proposal violates RFC 7296 as a whole. Every policy reports that. False
    /// if this policy refuses an algorithm.
    pub composition: bool,
}

/// A finding without the name of its policy.
#[derive(Clone, Copy)]
struct RawFinding {
    kind: FindingKind,
    transform: Option<Transform>,
    reason: &'static str,
}

/// Receives findings. `Break` stops the search.
type Visit<'a> = &'a mut dyn FnMut(RawFinding) -> ControlFlow<()>;

/// A policy: the algorithms that it allows. The named policies are static. The policy
/// `custom` comes from the configuration.
#[derive(Debug)]
pub struct Policy {
    id: PolicyId,
    name: &'static str,
    rules: Rules,
}

/// Two policies are equal if they have the same number.
impl PartialEq for Policy {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Policy {}

/// The number of a policy. It is unique in the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicyId(u32);

impl From<PolicyId> for u64 {
    fn from(id: PolicyId) -> Self {
        id.0.into()
    }
}

#[derive(Debug)]
enum Rules {
    /// Allows what the table does not grade as forbidden or weak.
    Grades,
    /// Allows what is in a list.
    ClosedList(&'static ClosedList),
    /// Allows what the configuration lists.
    Custom(CustomPolicy),
}

const CUSTOM: &str = "custom";

/// The named policies. The index of each is its number.
static NAMED: [Policy; 6] = [
    Policy { id: PolicyId(0), name: "rfc8247", rules: Rules::Grades },
    Policy::of_list(1, "nist-sp800-77r1", &profile::NIST_SP800_77R1),
    Policy::of_list(2, "bsi-tr-02102-3", &profile::BSI_TR_02102_3),
    Policy::of_list(3, "anssi", &profile::ANSSI),
    Policy::of_list(4, "cnsa-1", &profile::CNSA_1),
    Policy::of_list(5, "cnsa-2", &profile::CNSA_2),
];

/// The number of the next policy `custom`. A process normally creates one when it reads the
/// configuration. Tests create several.
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

    /// The policy with this name, in upper or lower case. `custom` is the policy from the
    /// configuration, if there is one.
    ///
    /// # Errors
    /// A text that describes the mistake. It is written to follow the name of the key or
    /// keyword.
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

    /// A policy `custom` with these lists.
    pub fn custom(lists: CustomPolicy) -> Self {
        let id = PolicyId(NEXT_CUSTOM.fetch_add(1, Ordering::Relaxed));
        Self { id, name: CUSTOM, rules: Rules::Custom(lists) }
    }

    const fn of_list(number: u32, name: &'static str, list: &'static ClosedList) -> Self {
        Self { id: PolicyId(number), name, rules: Rules::ClosedList(list) }
    }

    /// The unique number of this policy.
    pub fn id(&self) -> PolicyId {
        self.id
    }

    /// The policy's name in the configuration, in rules and in records.
    pub fn name(&self) -> &'static str {
        self.name
    }

    fn refusal(&self, offer: &TransformInProposal<'_>) -> Option<Refusal> {
        let finding_kind = FindingKind::of(offer.transform.kind)?;
        match &self.rules {
            Rules::Grades => profile::by_grade(offer, finding_kind),
            Rules::ClosedList(list) => list.refusal(offer, finding_kind),
            Rules::Custom(lists) => lists.refusal(offer, finding_kind),
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

/// The findings of the policy in these proposals. Each combination of kind, algorithm and
/// key length is included once. There are at most [`MAX_FINDINGS`]. The last places are
/// reserved for kinds that have no finding yet, so that many findings of one kind cannot
/// hide another kind.
pub fn assess(set: &ProposalSet, policy: &Policy) -> Vec<Finding> {
    let mut found = Findings::default();
    let _ = each_finding(set, policy, &mut |finding| {
        found.add(finding);
        ControlFlow::Continue(())
    });
    found.all
}

/// The findings so far, each algorithm once.
#[derive(Default)]
struct Findings {
    all: Vec<Finding>,
    /// A number for each finding, because numbers are compared quickly.
    marks: Vec<u64>,
    /// The kinds of these findings, a bit each.
    kinds: u8,
}

impl Findings {
    fn add(&mut self, finding: Finding) {
        let kind = 1 << finding.kind as u8;
        let has_place =
            self.all.len() < MAX_FINDINGS - FindingKind::ALL.len() || self.kinds & kind == 0;
        if has_place && !self.marks.contains(&mark(&finding)) {
            self.kinds |= kind;
            self.marks.push(mark(&finding));
            self.all.push(finding);
        }
    }
}

/// Whether the policy has a finding of one of these kinds. An empty list means any kind.
/// The search stops at the first finding and allocates no memory.
pub fn finds(set: &ProposalSet, policy: &Policy, kinds: &[FindingKind]) -> bool {
    each_finding(set, policy, &mut |finding| {
        if kinds.is_empty() || kinds.contains(&finding.kind) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })
    .is_break()
}

/// A number that is equal for findings of one kind about the same algorithm. It does not
/// matter for which of several key exchanges the algorithm is offered.
fn mark(finding: &Finding) -> u64 {
    let algorithm = finding.transform.map_or(0, |it| {
        let length = it.key_length.map_or(0, |bits| u64::from(bits) + 1);
        1 << 40 | u64::from(it.id) << 20 | length
    });
    (finding.kind as u64) << 48 | algorithm
}

/// Calls `visit` for every finding. Equal findings are repeated.
fn each_finding(
    set: &ProposalSet,
    policy: &Policy,
    visit: &mut dyn FnMut(Finding) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let finding = |raw: RawFinding, composition| Finding {
        kind: raw.kind,
        transform: raw.transform,
        reason: raw.reason,
        policy: policy.name,
        composition,
    };
    for proposal in set.proposals() {
        let (protocol, transforms) = (proposal.protocol, set.transforms(proposal));
        for transform in transforms {
            let offer = TransformInProposal { protocol, transforms, transform };
            if let Some((finding_kind, reason)) = policy.refusal(&offer) {
                let raw = RawFinding { kind: finding_kind, transform: Some(*transform), reason };
                visit(finding(raw, false))?;
            }
            composition::of_transform(protocol, transform, &mut |raw| visit(finding(raw, true)))?;
        }
        let found = &mut |raw| visit(finding(raw, true));
        composition::of_proposal(protocol, transforms, proposal.whole, found)?;
    }
    ControlFlow::Continue(())
}
