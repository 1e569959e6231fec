//! A clock that is no callback sends to a room and counts who is there: `cargo run -p switchboard --example from_outside`.

use std::time::Duration;

use switchboard::{Callbacks, HandlerResult, Peer, Server};

async fn join(peer: Peer) -> HandlerResult {
    peer.join("clock")?;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server =
        Server::builder().route("/clock", Callbacks::new().on_connect(join)).bind("127.0.0.1:4004").await?;
    println!("npx wscat -c ws://{}/clock", server.local_addr());
    let clock = server.switchboard().route("/clock")?.room("clock");
    tokio::spawn(async move {
        let mut second = tokio::time::interval(Duration::from_secs(1));
        for number in 1.. {
            second.tick().await;
            let sent = clock.send(format!("second {number}"));
            println!("second {number} went to {sent} of {} clients", clock.count());
        }
    });
    server.serve().await?;
    Ok(())
}
