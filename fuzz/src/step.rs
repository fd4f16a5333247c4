//! What an input's datagram is to the plugin.

use std::net::IpAddr;

use suricata_ikev2::message::Direction;
use suricata_ikev2::sa::Endpoint;

use crate::input::{Step, FLOWS};

impl Step<'_> {
    /// The ports of its flow, the client's first.
    pub fn ports(&self) -> (u16, u16) {
        (FLOWS[self.flow].client_port, FLOWS[self.flow].server_port)
    }

    /// Its direction in the flow.
    pub fn direction(&self) -> Direction {
        if self.to_client {
            Direction::ToClient
        } else {
            Direction::ToServer
        }
    }

    /// Where it comes from and goes to.
    pub fn endpoints(&self) -> (Endpoint, Endpoint) {
        let flow = &FLOWS[self.flow];
        let address = |host| {
            if flow.ipv6 {
                IpAddr::from([0, 0, 0, 0, 0, 0, 0, host])
            } else {
                IpAddr::from([192, 0, 2, host as u8])
            }
        };
        let client = Endpoint { address: address(10), port: flow.client_port };
        let server = Endpoint { address: address(20), port: flow.server_port };
        if self.to_client {
            (server, client)
        } else {
            (client, server)
        }
    }
}
