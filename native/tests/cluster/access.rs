//! Brokers that want to know who comes, and that speak TLS.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::json;

use crate::broker::{Access, BrokerProcess};
use crate::messages::{EVERY, FEED, hello, kill};
use crate::node::{LEASE, configuration, sees};
use crate::processes::File;
use crate::support::program::switchboard;
use crate::support::{start, within};
use switchboard::{Config, Server};

const SECRET: &str = "s3cret-of-the-broker";
const WRONG: &str = "s3cret-that-is-wrong";

/// Certificates in a folder that is deleted at the end.
struct Certificates(PathBuf);

impl Certificates {
    /// An authority, and a certificate of it for this host.
    fn new(host: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("switchboard-certificates-{}-{number}", std::process::id());
        let certificates = Self(std::env::temp_dir().join(name));
        std::fs::create_dir_all(&certificates.0).expect("a folder");
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key"));
        let authority = authority.expect("an authority");
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new([host.to_owned()]).expect("a host");
        let cert = params.signed_by(&key, &authority).expect("a certificate");
        let write = |name: &str, pem: String| std::fs::write(certificates.0.join(name), pem).expect("a file");
        write("ca.pem", authority.pem());
        write("cert.pem", cert.pem());
        write("key.pem", key.serialize_pem());
        certificates
    }

    fn ca(&self) -> PathBuf {
        self.0.join("ca.pem")
    }

    fn access(&self) -> Access {
        let tls = Some([self.0.join("cert.pem"), self.0.join("key.pem")]);
        Access { tls, ..Access::default() }
    }
}

impl Drop for Certificates {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn arguments(arguments: &[&str]) -> Access {
    Access { arguments: arguments.iter().map(ToString::to_string).collect(), ..Access::default() }
}

fn text(name: &str, url: &str, ca: Option<&Path>) -> String {
    let ca = ca.map_or_else(String::new, |ca| format!("ca = {:?}\n", ca.to_str().expect("UTF-8")));
    configuration(name, url) + &ca
}

/// Two nodes find each other, hear each other, one of them holds the lease of a source, and gives it back when it ends.
async fn works(url: &str, ca: Option<&Path>) {
    works_with(|name| text(name, url, ca)).await;
}

/// The same with the configuration of each by its name, of which the last section is `cluster`.
pub(crate) async fn works_with(text: impl Fn(&str) -> String) {
    let mut nodes = Vec::new();
    for name in ["a", "b"] {
        let config = Config::from_toml(&(text(name) + FEED)).expect("a configuration");
        nodes.push(start(Server::builder().config(config)).await);
    }
    sees(&nodes[0].address.to_string(), &["b"]).await;
    sees(&nodes[1].address.to_string(), &["a"]).await;
    let mut listeners = [nodes[1].connect("/room/x").await];
    hello(&mut nodes[0].connect("/room/x").await, "a", &mut listeners).await;
    let mut client = nodes[1].connect("/feed").await;
    client.send_json(json!({ "action": "sub", "channel": "kills" })).await;
    let mut last = kill(&mut client).await;
    // More than come between two times that a lease is asked for.
    for _ in 0..2 * usize::try_from(LEASE / EVERY).expect("a few") {
        let number = kill(&mut client).await;
        assert_eq!(number, last + 1, "the source runs once");
        last = number;
    }
    let a = nodes.remove(0);
    a.shutdown.shutdown();
    within("the end", a.serving).await.expect("a task").expect("no error");
    let seen = sees(&nodes[0].address.to_string(), &[]).await;
    assert_eq!((&seen["status"], &seen["cluster"]["unsent"]), (&"ok".into(), &0.into()), "{seen}");
    // The source begins anew where it has not run.
    for _ in 0..3 {
        kill(&mut client).await;
    }
    // Another node of its name would find that it holds the lease.
    let b = nodes.remove(0);
    b.shutdown.shutdown();
    within("the end", b.serving).await.expect("a task").expect("no error");
}

/// A server that needs this broker does not start: what it says, with all that can be logged.
async fn refused(name: &str, url: &str, ca: Option<&Path>, expected: &[&str]) {
    refused_with(name, &text("a", url, ca), &[SECRET, WRONG], expected).await;
}

/// The same with this configuration, and with what must not be logged.
pub(crate) async fn refused_with(name: &str, text: &str, secrets: &[&str], expected: &[&str]) {
    let file = File::new(&format!("refused-{name}"), &(text.to_owned() + "required = true"));
    let output = switchboard().env("RUST_LOG", "trace").args(["--port", "0"]).args(file.arguments()).output();
    let output = within("its end", output).await.expect("the program");
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{said}");
    let error = said.lines().find(|line| line.starts_with("error: ")).expect("an error");
    for part in expected {
        assert!(error.contains(part), "no {part:?} in {error}");
    }
    assert!(!secrets.iter().any(|secret| said.contains(secret)), "a secret in the log: {said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_with_a_password() {
    let access = arguments(&["--requirepass", SECRET]);
    let Some(broker) = BrokerProcess::redis_with(access).await else { return };
    works(&broker.url_of(&format!(":{SECRET}@")), None).await;
    let check = "it refuses this user and password: check them in cluster.url";
    refused("password", &broker.url_of(&format!(":{WRONG}@")), None, &[check]).await;
    let write = "it wants a password: write it in cluster.url, as in redis://user:password@host";
    refused("no-password", &broker.url(), None, &[write]).await;
}

/// The rights are those of docs/cluster.md.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_with_a_user_who_may_do_what_a_node_does() {
    let rights = crate::kept::REDIS_RIGHTS;
    let documentation = include_str!("../../../docs/cluster.md");
    assert!(documentation.contains(rights), "docs/cluster.md says something else");
    let (node, guest) = (format!("node on >{SECRET} {rights}"), format!("guest on >{SECRET} +@connection"));
    let users = format!("--user default off --user {node} --user {guest}");
    let access = arguments(&users.split(' ').collect::<Vec<_>>());
    let Some(broker) = BrokerProcess::redis_with(access).await else { return };
    works(&broker.url_of(&format!("node:{SECRET}@")), None).await;
    let check = "it refuses this user and password: check them in cluster.url";
    refused("user", &broker.url_of(&format!("node:{WRONG}@")), None, &[check]).await;
    let rights =
        "it does not let this user do what a node does: docs/cluster.md has the rights that it needs";
    refused("rights", &broker.url_of(&format!("guest:{SECRET}@")), None, &[rights]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nats_with_a_user() {
    let access = arguments(&["--user", "node", "--pass", SECRET]);
    let Some(broker) = BrokerProcess::nats_with(access).await else { return };
    works(&broker.url_of(&format!("node:{SECRET}@")), None).await;
    let check = "it refuses this user, password, token or these credentials, or wants some";
    refused("nats-user", &broker.url_of(&format!("node:{WRONG}@")), None, &[check]).await;
    refused("nats-nobody", &broker.url(), None, &[check]).await;
}

/// What docs/cluster.md lets a node do with NATS, as the server's configuration says it.
pub(crate) fn nats_rights() -> &'static str {
    let documentation = include_str!("../../../docs/cluster.md");
    let (_, rights) = documentation.split_once("permissions = { ").expect("the rights");
    rights.split_once(" }").expect("their end").0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nats_with_a_user_who_may_do_what_a_node_does() {
    let rights = nats_rights();
    let user = format!(r#"{{ user = node, password = "{SECRET}", permissions = {{ {rights} }} }}"#);
    let file = File::new("rights-nats", &format!("authorization {{ users = [{user}] }}"));
    let Some(broker) = BrokerProcess::nats_with(arguments(&file.arguments())).await else { return };
    works(&broker.url_of(&format!("node:{SECRET}@")), None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nats_with_a_token() {
    let Some(broker) = BrokerProcess::nats_with(arguments(&["--auth", SECRET])).await else { return };
    works(&broker.url_of(&format!("{SECRET}@")), None).await;
    let check = "it refuses this user, password, token or these credentials, or wants some";
    refused("nats-token", &broker.url_of(&format!("{WRONG}@")), None, &[check]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_with_tls() {
    let certificates = Certificates::new("127.0.0.1");
    let mut access = certificates.access();
    access.arguments = arguments(&["--requirepass", SECRET]).arguments;
    let Some(broker) = BrokerProcess::redis_with(access).await else { return };
    let url = broker.url_of(&format!(":{SECRET}@"));
    assert!(url.starts_with("rediss://"), "{url}");
    works(&url, Some(&certificates.ca())).await;
    distrusted("redis", &url, &certificates).await;
    let wrong = broker.url_of(&format!(":{WRONG}@"));
    let check = "it refuses this user and password: check them in cluster.url";
    refused("redis-tls-password", &wrong, Some(&certificates.ca()), &[check]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nats_with_tls() {
    let certificates = Certificates::new("127.0.0.1");
    let mut access = certificates.access();
    access.arguments = arguments(&["--user", "node", "--pass", SECRET]).arguments;
    let Some(broker) = BrokerProcess::nats_with(access).await else { return };
    let url = broker.url_of(&format!("node:{SECRET}@"));
    assert!(url.starts_with("tls://"), "{url}");
    works(&url, Some(&certificates.ca())).await;
    // The server says that it wants TLS.
    works(&url.replace("tls://", "nats://"), Some(&certificates.ca())).await;
    distrusted("nats", &url, &certificates).await;
}

/// Nobody vouches for the certificate, or somebody else does.
async fn distrusted(name: &str, url: &str, certificates: &Certificates) {
    let nobody = "nobody who is trusted here vouches for its certificate: cluster.ca names a file with that of its authority";
    refused(&format!("{name}-untrusted"), url, None, &[nobody]).await;
    let other = Certificates::new("127.0.0.1");
    // Of the same name, another authority.
    refused(
        &format!("{name}-other"),
        url,
        Some(&other.ca()),
        &["its certificate", "invalid peer certificate"],
    )
    .await;
    let missing = certificates.0.join("missing.pem");
    refused(
        &format!("{name}-missing"),
        url,
        Some(&missing),
        &["cluster.ca: ", "missing.pem cannot be read: "],
    )
    .await;
    let key = certificates.0.join("key.pem");
    refused(&format!("{name}-key"), url, Some(&key), &["key.pem has no certificate: it has to be PEM"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_for_another_host() {
    let certificates = Certificates::new("broker.example.com");
    let host = "its certificate is for another host than that of cluster.url";
    if let Some(broker) = BrokerProcess::redis_with(certificates.access()).await {
        refused("redis-host", &broker.url(), Some(&certificates.ca()), &[host]).await;
    }
    if let Some(broker) = BrokerProcess::nats_with(certificates.access()).await {
        refused("nats-host", &broker.url(), Some(&certificates.ca()), &[host]).await;
    }
}
