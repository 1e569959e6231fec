//! One async function per connection, with messages of its own types: `cargo run -p switchboard --example receive`.

use serde::{Deserialize, Serialize};
use switchboard::{HandlerResult, Message, Server, Socket, SocketTask};

#[derive(Deserialize)]
struct Sum {
    numbers: Vec<f64>,
}

#[derive(Serialize)]
struct Total {
    total: f64,
}

async fn sum(mut socket: Socket) -> HandlerResult {
    socket.send(r#"Say {"numbers":[1,2,3]}"#);
    while let Some(message) = socket.recv().await {
        match message.parse_json::<Sum>() {
            Ok(sum) => socket.send(Message::json(&Total { total: sum.numbers.iter().sum() })?),
            Err(error) => socket.send(format!("That was not understood: {error}")),
        }
    }
    println!("{} has left", socket.id());
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = Server::builder().route("/sum", SocketTask::new(sum)).bind("127.0.0.1:4004").await?;
    println!("npx wscat -c ws://{}/sum", server.local_addr());
    server.serve().await?;
    Ok(())
}
