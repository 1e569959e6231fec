//! What happens when nodes and brokers come and go.

use crate::broker::BrokerProcess;
use crate::for_each_broker;
use crate::node::{LEASE, becomes, configuration, node, sees};
use crate::support::{Running, start, within};
use switchboard::{Config, Server};

for_each_broker! {
    nodes_find_each_other_and_leave_at_once,
    a_broker_that_comes_back_is_found,
    without_its_broker_a_server_serves_alone,
    a_required_broker_has_to_be_there,
}

fn address(server: &Running) -> String {
    server.address.to_string()
}

async fn stop(server: Running) {
    server.shutdown.shutdown();
    within("the end", server.serving).await.expect("a task").expect("no error");
}

async fn nodes_find_each_other_and_leave_at_once(broker: BrokerProcess) {
    let (a, b) = (node("a", &broker.url()).await, node("b", &broker.url()).await);
    let c = node("c", &broker.url()).await;
    let (at_a, at_b, at_c) = (address(&a), address(&b), address(&c));
    let seen = sees(&at_a, &["b", "c"]).await;
    sees(&at_b, &["a", "c"]).await;
    sees(&at_c, &["a", "b"]).await;
    assert_eq!(seen["status"], "ok");
    let cluster = &seen["cluster"];
    assert_eq!(cluster["node"], "a");
    assert!(broker.url().starts_with(cluster["broker"].as_str().expect("a scheme")), "{cluster}");
    assert!(!cluster.to_string().contains("127.0.0.1"), "{cluster}");
    assert_eq!((&cluster["nodes"], &cluster["links"], &cluster["lost"]), (&3.into(), &1.into(), &0.into()));
    assert!(cluster["downForMs"].is_null() && cluster["error"].is_null(), "{cluster}");
    let stopped_at = std::time::Instant::now();
    stop(c).await;
    sees(&at_a, &["b"]).await;
    let took = stopped_at.elapsed().as_millis();
    assert!(took < u128::from(LEASE), "only after {took} ms, as if it had died");
    sees(&at_b, &["a"]).await;
}

async fn a_broker_that_comes_back_is_found(mut broker: BrokerProcess) {
    let (a, b) = (node("a", &broker.url()).await, node("b", &broker.url()).await);
    let (at_a, at_b) = (address(&a), address(&b));
    sees(&at_a, &["b"]).await;
    sees(&at_b, &["a"]).await;
    broker.kill().await;
    let down = becomes("a is cut off", &at_a, |health| health["status"] == "degraded").await;
    assert!(down["cluster"]["downForMs"].is_u64() && down["cluster"]["error"].is_string(), "{down}");
    assert!(!down["cluster"].to_string().contains("127.0.0.1"), "{down}");
    // Longer than a lease: nobody vouches for the other any more.
    sees(&at_a, &[]).await;
    sees(&at_b, &[]).await;
    broker.run().await;
    for (at, other) in [(&at_a, "b"), (&at_b, "a")] {
        let again = sees(at, &[other]).await;
        assert_eq!((&again["status"], &again["cluster"]["links"]), (&"ok".into(), &2.into()), "{again}");
    }
}

async fn without_its_broker_a_server_serves_alone(mut broker: BrokerProcess) {
    broker.kill().await;
    let a = node("a", &broker.url()).await;
    let at_a = address(&a);
    let down =
        becomes("the first attempt fails", &at_a, |health| health["cluster"]["error"].is_string()).await;
    assert_eq!((&down["status"], &down["cluster"]["nodes"]), (&"degraded".into(), &1.into()), "{down}");
    let (mut one, mut other) = (a.connect("/room/x").await, a.connect("/room/x").await);
    one.send("hello").await;
    assert_eq!(other.text().await, "hello");
    broker.run().await;
    becomes("the link is up", &at_a, |health| health["status"] == "ok").await;
}

async fn a_required_broker_has_to_be_there(mut broker: BrokerProcess) {
    let required = || {
        let text = configuration("a", &broker.url()) + "required = true";
        Server::builder().config(Config::from_toml(&text).expect("a configuration"))
    };
    let a = start(required()).await;
    sees(&address(&a), &[]).await;
    stop(a).await;
    let (absent, url) = (required(), broker.url());
    broker.kill().await;
    let absent = start(absent).await;
    let error = within("the end", absent.serving).await.expect("a task").expect_err("no broker").to_string();
    let expected = format!("cluster.required: {url} cannot be reached: ");
    assert!(error.starts_with(&expected), "{error}");
    assert!(error.contains("write cluster.required = false"), "{error}");
}
