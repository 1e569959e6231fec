//! What a server holds of its clients' bytes shows in its statistics at every step.

mod support;

use serde_json::Value;
use support::raw::{Raw, frame};
use support::{Running, start, within};
use switchboard::{ByteCounts, Config, Server};

async fn serve(routes: &str) -> Running {
    start(Server::builder().config(Config::from_toml(routes).expect("a configuration"))).await
}

/// Waits until the clients' counts are as expected, and gives them.
async fn counted(server: &Running, are_expected: impl Fn(ByteCounts) -> bool) -> ByteCounts {
    within("the expected counts", async {
        loop {
            let counts = server.switchboard.stats().client_bytes;
            if are_expected(counts) {
                return counts;
            }
            tokio::task::yield_now().await;
        }
    })
    .await
}

#[tokio::test]
async fn half_a_message_counts_until_the_rest_comes() {
    let server = serve("[[routes]]\npattern = '/echo'\ndialect = 'echo'").await;
    let (mut raw, _) = Raw::open(server.address, "/echo", "").await;
    let message = frame(0x82, &[7; 3000]);
    let (half, rest) = message.split_at(8 + 1000);
    raw.write(half).await;
    let counts = counted(&server, |counts| counts.undecoded == 1000).await;
    assert_eq!(counts.received, 0);
    let mut asking = Raw::connect(server.address).await;
    asking.write(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await;
    asking.head().await;
    let health: Value = serde_json::from_slice(&asking.rest().await).expect("JSON");
    assert_eq!(health["clientBytes"]["undecoded"], 1000);
    raw.write(rest).await;
    assert_eq!(raw.frame().await.payload, [7; 3000]);
    counted(&server, |counts| (counts.undecoded, counts.received) == (0, 3000)).await;
}

/// The inbox is full long before all that one read may bring is decoded.
#[tokio::test]
async fn what_is_read_and_not_decoded_counts_while_its_client_is_paused() {
    const MESSAGES: usize = 20_000;
    let server = serve("[[routes]]\npattern = '/late'\ndialect = 'echo'\ndelay = 200").await;
    let (mut raw, _) = Raw::open(server.address, "/late", "").await;
    raw.write(&frame(0x82, b"eight by").repeat(MESSAGES)).await;
    let counts = counted(&server, |counts| counts.undecoded > 0).await;
    assert!(counts.undecoded <= 256 * 1024, "{counts:?}");
    counted(&server, |counts| (counts.undecoded, counts.received) == (0, 8 * MESSAGES as u64)).await;
}
