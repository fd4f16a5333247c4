//! How a message is seen: its direction in the flow, what carried it, and what its proposals mean.

/// The direction of a message in its flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the flow's client to its server.
    ToServer,
    /// From the flow's server to its client.
    ToClient,
}

/// What carried a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// UDP with port 500 on either side.
    Udp500,
    /// UDP with port 4500 on either side.
    Udp4500,
    /// UDP between other ports.
    Udp,
}

impl Transport {
    /// What these UDP ports mean; 500 counts before 4500.
    pub fn of_ports(source: u16, destination: u16) -> Self {
        match (source, destination) {
            (500, _) | (_, 500) => Self::Udp500,
            (4500, _) | (_, 4500) => Self::Udp4500,
            _ => Self::Udp,
        }
    }

    /// The name in records and rules.
    pub fn name(self) -> &'static str {
        match self {
            Self::Udp500 => "udp500",
            Self::Udp4500 => "udp4500",
            Self::Udp => "udp",
        }
    }
}

/// Whether algorithms are an offer (requests) or a choice (responses).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// A request's proposals: what the sender would accept.
    Offered,
    /// A response's proposal: what the responder took.
    Chosen,
}

impl Scope {
    /// The name in records and rules.
    pub fn name(self) -> &'static str {
        match self {
            Self::Offered => "offered",
            Self::Chosen => "chosen",
        }
    }
}
