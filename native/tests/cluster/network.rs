//! A network of its own for a broker, two nodes and their clients, whose links can be cut: packets vanish, nobody is told.
//!
//! Each part has a network namespace, which needs the rights of root. The host's network is not touched.

use std::fs::File;
use std::os::fd::AsFd;
use std::path::Path;
use std::process::Command;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Where `ip` keeps the names of namespaces.
const NAMESPACES: &str = "/run/netns";

/// Where the broker is for each node, and the node for the broker.
pub(crate) const BROKER: [[&str; 2]; 2] = [["10.0.1.1", "10.0.1.2"], ["10.0.2.1", "10.0.2.2"]];

/// Where the clients are for each node, and the node for its clients.
pub(crate) const CLIENTS: [[&str; 2]; 2] = [["10.0.3.1", "10.0.3.2"], ["10.0.4.1", "10.0.4.2"]];

/// The namespaces of one test. They end with it.
pub(crate) struct Network {
    /// With what their names begin.
    prefix: String,
}

impl Network {
    /// `None`, with a word: this is not possible here.
    pub(crate) fn new(name: &str) -> Option<Self> {
        forget_the_dead();
        let network = Self { prefix: format!("switchboard-{}-{name}", std::process::id()) };
        match network.build() {
            Ok(()) => Some(network),
            Err(error) => {
                eprintln!("skipped: no network namespaces: {error}");
                None
            }
        }
    }

    fn build(&self) -> Result<(), String> {
        for part in ["broker", "clients", "node-0", "node-1"] {
            ip(&["netns", "add", &self.namespace(part)])?;
            ip(&["-n", &self.namespace(part), "link", "set", "lo", "up"])?;
        }
        for node in 0..2 {
            self.link("broker", node, BROKER[node])?;
            self.link("clients", node, CLIENTS[node])?;
        }
        Ok(())
    }

    /// Links a part to a node, with these addresses.
    fn link(&self, part: &str, node: usize, [address, address_of_node]: [&str; 2]) -> Result<(), String> {
        let (here, there) = (self.namespace(part), self.namespace(&format!("node-{node}")));
        let (to_node, to_part) = (format!("node-{node}"), part);
        ip(&[
            "-n", &here, "link", "add", &to_node, "type", "veth", "peer", "name", to_part, "netns", &there,
        ])?;
        for (namespace, link, address) in [(&here, &*to_node, address), (&there, to_part, address_of_node)] {
            ip(&["-n", namespace, "address", "add", &format!("{address}/30"), "dev", link])?;
            ip(&["-n", namespace, "link", "set", link, "up"])?;
        }
        Ok(())
    }

    /// The name of the namespace of a part.
    pub(crate) fn namespace(&self, part: &str) -> String {
        format!("{}-{part}", self.prefix)
    }

    /// Cuts the link between the broker and a node, or heals it.
    pub(crate) fn set_link(&self, node: usize, is_up: bool) {
        let state = if is_up { "up" } else { "down" };
        let link = format!("node-{node}");
        ip(&["-n", &self.namespace("broker"), "link", "set", &link, state]).expect("a link");
    }

    /// Moves this thread, and those that it starts, to where the clients are.
    pub(crate) fn enter(&self) {
        let file = File::open(Path::new(NAMESPACES).join(self.namespace("clients"))).expect("a namespace");
        move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network))
            .expect("the rights of root");
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for part in ["broker", "clients", "node-0", "node-1"] {
            let _ = ip(&["netns", "delete", &self.namespace(part)]);
        }
    }
}

/// Removes what tests have left that were killed.
fn forget_the_dead() {
    let names = std::fs::read_dir(NAMESPACES)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    for name in names {
        let process = name.strip_prefix("switchboard-").and_then(|rest| rest.split('-').next());
        if process.is_some_and(|process| !Path::new("/proc").join(process).exists()) {
            let _ = ip(&["netns", "delete", &name]);
        }
    }
}

fn ip(arguments: &[&str]) -> Result<(), String> {
    let output = Command::new("ip").args(arguments).output().map_err(|error| format!("ip: {error}"))?;
    match output.status.success() {
        true => Ok(()),
        false => {
            Err(format!("ip {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim()))
        }
    }
}
