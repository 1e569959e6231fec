//! Nodes as processes of the program, which can be killed.

use std::path::PathBuf;

use crate::broker::BrokerProcess;
use crate::for_each_broker;
use crate::node::{LEASE, configuration, node, sees};
use crate::support::program::{started, switchboard};
use crate::support::within;

for_each_broker! { a_node_that_is_killed_is_forgotten }

/// A configuration in a file that is deleted at the end.
pub(crate) struct File(PathBuf);

impl File {
    pub(crate) fn new(name: &str, text: &str) -> Self {
        let file = std::env::temp_dir().join(format!("switchboard-{name}-{}.toml", std::process::id()));
        std::fs::write(&file, text).expect("a file");
        Self(file)
    }

    pub(crate) fn path(&self) -> &str {
        self.0.to_str().expect("UTF-8")
    }

    pub(crate) fn arguments(&self) -> [&str; 2] {
        ["--config", self.path()]
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

async fn a_node_that_is_killed_is_forgotten(broker: BrokerProcess) {
    let a = node("a", &broker.url()).await;
    let at_a = a.address.to_string();
    let scheme = broker.url().split(':').next().unwrap_or_default().to_owned();
    let file = File::new(&format!("killed-{scheme}"), &configuration("b", &broker.url()));
    let (mut b, at_b, _) = started(&file.arguments()).await;
    sees(&at_a, &["b"]).await;
    sees(&at_b, &["a"]).await;
    let killed_at = std::time::Instant::now();
    within("its end", b.kill()).await.expect("a process");
    sees(&at_a, &[]).await;
    let took = killed_at.elapsed().as_millis();
    // Its last sign of life may be a third of the lease old.
    assert!(took > u128::from(LEASE / 2), "already after {took} ms: was it told?");
    let (_again, at_b, _) = started(&file.arguments()).await;
    sees(&at_a, &["b"]).await;
    sees(&at_b, &["a"]).await;
}

#[tokio::test]
async fn the_program_says_what_it_needs() {
    let file =
        File::new("required", &(configuration("a", "redis://u:s3cret@127.0.0.1:1") + "required = true"));
    let output = switchboard().args(["--port", "0"]).args(file.arguments()).output();
    let output = within("its end", output).await.expect("the program");
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    assert!(error.contains("error: cluster.required: redis://127.0.0.1:1 cannot be reached: "), "{error}");
    assert!(!error.contains("s3cret"), "{error}");
}
