//! What the broker keeps of histories: a cluster that was stopped or killed as a whole has forgotten nothing.

use crate::access::{arguments, nats_rights};
use crate::broker::BrokerProcess;
use crate::for_each_broker;
use crate::node::{becomes, sees};
use crate::processes::File;
use crate::recovery::{configuration, heard, listener, node, recovers, told};
use crate::support::program::started;
use crate::support::{Client, within};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Child;

for_each_broker! {
    nodes_that_were_all_killed_come_back_with_what_was_said,
    nodes_that_were_all_stopped_come_back_with_what_was_said,
    a_node_that_starts_later_has_what_was_said_before,
    who_missed_what_the_broker_has_forgotten_is_told_so,
}

/// How many messages are said while a client is away.
const MISSED: usize = 30;

/// The rights of docs/cluster.md, which a test compares.
pub(crate) const REDIS_RIGHTS: &str = "~switchboard:* &switchboard:* +@connection +@stream +@hash +publish \
     +subscribe +unsubscribe +eval +evalsha +get +set +del +incrby +pexpire +time";

async fn nodes_that_were_all_killed_come_back_with_what_was_said(broker: BrokerProcess) {
    come_back(&broker.url(), "killed", Signal::KILL).await;
}

async fn nodes_that_were_all_stopped_come_back_with_what_was_said(broker: BrokerProcess) {
    come_back(&broker.url(), "stopped", Signal::TERM).await;
}

/// Two nodes end, and two others go on with what was said.
async fn come_back(url: &str, test: &str, signal: Signal) {
    let scheme = url.split(':').next().unwrap_or_default();
    let [file_a, file_b] =
        ["a", "b"].map(|name| File::new(&format!("kept-{test}-{scheme}-{name}"), &configuration(name, url)));
    let (mut a, at_a, _) = started(&file_a.arguments()).await;
    let (mut b, at_b, _) = started(&file_b.arguments()).await;
    sees(&at_a, &["b"]).await;
    sees(&at_b, &["a"]).await;
    let mut ann = listener(&at_a, "").await;
    let mut at_node_a = Client::connect(format!("ws://{at_a}/room/x")).await;
    let mut at_node_b = Client::connect(format!("ws://{at_b}/room/x")).await;
    at_node_a.send("from a").await;
    assert_eq!(heard(&mut ann).await.0, "from a");
    at_node_b.send("from b").await;
    let (text, position) = heard(&mut ann).await;
    assert_eq!(text, "from b");
    drop(ann);
    for number in 0..MISSED {
        at_node_a.send(format!("a {number}")).await;
        at_node_b.send(format!("b {number}")).await;
    }
    // Each has heard all of the other, so the broker has it.
    for (client, name) in [(&mut at_node_a, "b"), (&mut at_node_b, "a")] {
        while client.text().await != format!("{name} {}", MISSED - 1) {}
    }
    end(&mut a, signal).await;
    end(&mut b, signal).await;

    let file_c = File::new(&format!("kept-{test}-{scheme}-c"), &configuration("c", url));
    let (_c, at_c, _) = started(&file_c.arguments()).await;
    // The first client at the first node of the new cluster.
    let last = gets_all(&at_c, &position).await;
    assert!(recovers(&at_c, &last).await);
    let (_a, at_a, _) = started(&file_a.arguments()).await;
    sees(&at_a, &["c"]).await;
    // Nothing is promised until the other one has answered.
    let recovering = async {
        while !recovers(&at_a, &position).await {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    within("the answer of the other node", recovering).await;
    gets_all(&at_a, &position).await;
}

/// A client that was there before gets just what both nodes have said, and what is said from then on; gives where it is then.
async fn gets_all(at: &str, position: &str) -> String {
    let mut ann = listener(at, position).await;
    assert_eq!(told(&mut ann).await.0, Some(true), "at {at}");
    let mut speaker = Client::connect(format!("ws://{at}/room/x")).await;
    let now = format!("now {at}");
    speaker.send(now.as_str()).await;
    let mut next = [0, 0];
    loop {
        let (text, position) = heard(&mut ann).await;
        let (name, number) = text.split_once(' ').expect("a name and a number");
        match name {
            "now" if text == now => {
                assert_eq!(next, [MISSED; 2], "all of it, once, before what is said now");
                return position;
            }
            // Said to the one that came before.
            "now" => {}
            _ => {
                let of = usize::from(name == "b");
                assert_eq!(number, next[of].to_string(), "{name}");
                next[of] += 1;
            }
        }
    }
}

async fn end(node: &mut Child, signal: Signal) {
    let pid = node.id().and_then(|id| Pid::from_raw(id.cast_signed())).expect("a process");
    kill_process(pid, signal).expect("a process of its own");
    within("its end", node.wait()).await.expect("a process");
}

async fn a_node_that_starts_later_has_what_was_said_before(broker: BrokerProcess) {
    let a = node("a", &broker.url()).await;
    let mut ann = listener(&a.address.to_string(), "").await;
    let mut bob = a.connect("/room/x").await;
    bob.send("one").await;
    let (_, first) = heard(&mut ann).await;
    bob.send("two").await;
    bob.send("three").await;
    let (_, _) = heard(&mut ann).await;
    let (_, third) = heard(&mut ann).await;
    let b = node("b", &broker.url()).await;
    let at_b = b.address.to_string();
    sees(&at_b, &["a"]).await;
    let recovering = async {
        while !recovers(&at_b, &third).await {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    within("the answer of the other node", recovering).await;
    let mut ann = listener(&at_b, &first).await;
    assert_eq!(told(&mut ann).await.0, Some(true));
    assert_eq!([heard(&mut ann).await.0, heard(&mut ann).await.0], ["two", "three"]);
    bob.send("four").await;
    assert_eq!(heard(&mut ann).await.0, "four");
}

async fn who_missed_what_the_broker_has_forgotten_is_told_so(mut broker: BrokerProcess) {
    let scheme = broker.url().split(':').next().unwrap_or_default().to_owned();
    let file = File::new(&format!("kept-forgotten-{scheme}"), &configuration("a", &broker.url()));
    let (mut a, at_a, _) = started(&file.arguments()).await;
    becomes("it is linked", &at_a, |health| health["status"] == "ok").await;
    let mut ann = listener(&at_a, "").await;
    let mut bob = Client::connect(format!("ws://{at_a}/room/x")).await;
    bob.send("one").await;
    let (_, first) = heard(&mut ann).await;
    bob.send("two").await;
    heard(&mut ann).await;
    end(&mut a, Signal::KILL).await;
    broker.kill().await;
    broker.run().await;
    let (_a, at_a, _) = started(&file.arguments()).await;
    becomes("it is linked", &at_a, |health| health["status"] == "ok").await;
    assert_eq!(told(&mut listener(&at_a, &first).await).await.0, Some(false));
}

/// The rights are those of docs/cluster.md.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_keeps_for_a_user_who_may_do_what_a_node_does() {
    let users = format!("--user default off --user node on >s3cret {REDIS_RIGHTS}");
    let access = arguments(&users.split_whitespace().collect::<Vec<_>>());
    let Some(broker) = BrokerProcess::redis_with(access).await else { return };
    come_back(&broker.url_of("node:s3cret@"), "rights", Signal::KILL).await;
}

/// The rights are those of docs/cluster.md.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nats_keeps_for_a_user_who_may_do_what_a_node_does() {
    let rights = nats_rights();
    let user = format!(r#"{{ user = node, password = "s3cret", permissions = {{ {rights} }} }}"#);
    let file = File::new("rights-kept-nats", &format!("authorization {{ users = [{user}] }}"));
    let Some(broker) = BrokerProcess::nats_with(arguments(&file.arguments())).await else { return };
    come_back(&broker.url_of("node:s3cret@"), "rights", Signal::KILL).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nats_without_jetstream_keeps_nothing() {
    let Some(broker) = BrokerProcess::nats_without_jetstream().await else { return };
    crate::recovery::what_a_node_was_not_there_for_cannot_be_recovered(broker).await;
}
