//! What an input's datagram is to the plugin.

use std::net::SocketAddr;

use suricata_ikev2::message::Direction;
use suricata_ikev2::sa::Endpoint;
use testkit::input::Step;

/// Its direction in the flow.
pub fn direction(step: &Step<'_>) -> Direction {
    if step.to_client {
        Direction::ToClient
    } else {
        Direction::ToServer
    }
}

/// Where it comes from and goes to.
pub fn endpoints(step: &Step<'_>) -> (Endpoint, Endpoint) {
    let endpoint = |end: SocketAddr| Endpoint { address: end.ip(), port: end.port() };
    let (from, to) = step.ends();
    (endpoint(from), endpoint(to))
}
