//! The direction and the transport of a message, and whether its proposals are offered or
//! chosen.

/// The direction of a message in its flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the client of the flow to its server.
    ToServer,
    /// From the server of the flow to its client.
    ToClient,
}

/// The transport that carried a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// UDP with port 500 on one side.
    Udp500,
    /// UDP with port 4500 on one side.
    Udp4500,
    /// UDP between other ports.
    Udp,
}

impl Transport {
    /// The transport between these UDP ports. Port 500 has priority over 4500.
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

/// Whether algorithms are offered (requests) or chosen (responses).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The proposals of a request: what the sender accepts.
    Offered,
    /// The proposal of a response: what the responder has chosen.
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
