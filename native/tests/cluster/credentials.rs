//! A server of NATS that knows an operator, and lets in whom its accounts have signed.

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nkeys::KeyPair;
use serde_json::{Value, json};

use crate::access::{arguments, nats_rights, refused_with, works_with};
use crate::broker::BrokerProcess;
use crate::node::{becomes, configuration};
use crate::processes::File;
use crate::support::start;
use switchboard::{Config, Server};

/// An operator with an account for nodes.
struct Operator {
    key: KeyPair,
    account: KeyPair,
    system: KeyPair,
}

impl Operator {
    fn new() -> Self {
        Self { key: KeyPair::new_operator(), account: KeyPair::new_account(), system: KeyPair::new_account() }
    }

    /// The server's configuration.
    fn configuration(&self) -> String {
        let everything = json!({
            "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": true, "conn": -1, "leaf": -1,
            "mem_storage": -1, "disk_storage": -1, "streams": -1, "consumer": -1,
        });
        let operator = signed(&self.key, &self.key, json!({ "type": "operator" }));
        let nodes = signed(&self.key, &self.account, json!({ "type": "account", "limits": everything }));
        // JetStream is not for the system's account.
        let system = json!({ "subs": -1, "data": -1, "payload": -1, "conn": -1, "wildcards": true });
        let system = signed(&self.key, &self.system, json!({ "type": "account", "limits": system }));
        let (account_key, system_key) = (self.account.public_key(), self.system.public_key());
        format!(
            "operator: {operator}\nsystem_account: {system_key}\nresolver: MEMORY\n\
             resolver_preload: {{ {account_key}: {nodes}, {system_key}: {system} }}\n"
        )
    }

    /// Credentials of a user of the account, who may do what docs/cluster.md says, and the seed in them.
    fn credentials(&self) -> (String, String) {
        let user = KeyPair::new_user();
        let rights: Value = serde_json::from_str(&format!(
            "{{{}}}",
            nats_rights().replace("publish =", "\"pub\":").replace("subscribe =", "\"sub\":")
        ))
        .expect("two lists");
        let may = |what: &str| json!({ "allow": rights[what] });
        let claims = json!({
            "type": "user", "pub": may("pub"), "sub": may("sub"), "subs": -1, "data": -1, "payload": -1,
        });
        let (jwt, seed) = (signed(&self.account, &user, claims), user.seed().expect("a seed"));
        let text = format!(
            "-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n\
             -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
        );
        (text, seed)
    }
}

/// What `issuer` says about `subject`, as a JWT of NATS.
fn signed(issuer: &KeyPair, subject: &KeyPair, mut claims: Value) -> String {
    claims["version"] = 2.into();
    let (issued_by, about) = (issuer.public_key(), subject.public_key());
    let body = json!({ "jti": "test", "iat": 1_600_000_000, "iss": issued_by, "sub": about, "name": "test", "nats": claims });
    let header = json!({ "typ": "JWT", "alg": "ed25519-nkey" });
    let encoded = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let text = format!("{}.{}", encoded(&header), encoded(&body));
    let signature = URL_SAFE_NO_PAD.encode(issuer.sign(text.as_bytes()).expect("a key that signs"));
    format!("{text}.{signature}")
}

fn text(name: &str, url: &str, file: &File) -> String {
    configuration(name, url) + &format!("credentials = {:?}\n", file.path())
}

/// A server of this operator.
async fn broker(operator: &Operator, name: &str) -> Option<BrokerProcess> {
    let file = File::new(&format!("operator-{name}"), &operator.configuration());
    BrokerProcess::nats_with(arguments(&file.arguments())).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nats_with_a_file_of_credentials() {
    let operator = Operator::new();
    let Some(broker) = broker(&operator, "works").await else { return };
    let (credentials, _) = operator.credentials();
    let file = File::new("credentials", &credentials);
    works_with(|name| text(name, &broker.url(), &file)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_a_file_of_credentials_is_said() {
    let (operator, other) = (Operator::new(), Operator::new());
    let Some(broker) = broker(&operator, "refuses").await else { return };
    let url = broker.url();
    let (credentials, seed) = other.credentials();
    let check = "it refuses this user, password, token or these credentials, or wants some: check cluster.url and \
                 cluster.credentials";
    let stranger = File::new("credentials-stranger", &credentials);
    refused_with("credentials-stranger", &text("a", &url, &stranger), &[&seed], &[check]).await;
    refused_with("credentials-none", &configuration("a", &url), &[], &[check]).await;
    let (_, only_seed) = credentials.split_once("\n\n").expect("two parts");
    for (name, broken) in
        [("seed", only_seed), ("text", "token: x"), ("cut", &credentials[..credentials.len() - 40])]
    {
        let file = File::new(&format!("credentials-{name}"), broken);
        let path = file.path().to_owned();
        let expected = ["error: cluster.credentials: ", &*path, "BEGIN NATS USER JWT", "nsc generate creds"];
        refused_with(&format!("credentials-{name}"), &text("a", &url, &file), &[&seed], &expected).await;
    }
    let missing = PathBuf::from(stranger.path()).with_extension("missing");
    let missing = format!("credentials = {:?}\n", missing.to_str().expect("UTF-8"));
    let expected = ["error: cluster.credentials: ", ".missing cannot be read: "];
    refused_with("credentials-missing", &(configuration("a", &url) + &missing), &[], &expected).await;
}

/// Credentials of NATS are often short-lived.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_credentials_may_be_renewed() {
    let operator = Operator::new();
    let Some(broker) = broker(&operator, "renewed").await else { return };
    let (old, _) = Operator::new().credentials();
    let file = File::new("credentials-renewed", &old);
    let config = Config::from_toml(&text("a", &broker.url(), &file)).expect("a configuration");
    let a = start(Server::builder().config(config)).await;
    let at_a = a.address.to_string();
    let refused = becomes("it is refused", &at_a, |health| health["cluster"]["error"].is_string()).await;
    assert_eq!(refused["status"], "degraded", "{refused}");
    std::fs::write(file.path(), "half of it").expect("a file");
    let unreadable = |health: &Value| {
        let error = health["cluster"]["error"].as_str().unwrap_or_default();
        error.starts_with("the file of cluster.credentials has no credentials")
            && !error.contains(file.path())
    };
    becomes("it cannot be read", &at_a, unreadable).await;
    let (new, _) = operator.credentials();
    std::fs::write(file.path(), new).expect("a file");
    becomes("it is let in", &at_a, |health| health["status"] == "ok").await;
}
