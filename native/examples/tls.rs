//! `wss://` with a certificate: `cargo run -p switchboard --example tls -- fullchain.pem privkey.pem`.
//!
//! To try it: `openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -keyout privkey.pem -out fullchain.pem`.

use switchboard::{Callbacks, Incoming, Peer, Server, Tls};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut files = std::env::args().skip(1);
    let (Some(cert), Some(key)) = (files.next(), files.next()) else {
        return Err("give the files of a certificate and of its key".into());
    };
    let echo = Callbacks::new()
        .on_message(|peer: Peer, message: Incoming| async move { peer.send(message.value()) });
    let server = Server::builder()
        .route("/echo", echo)
        .tls(Tls::from_files(cert, key)?)
        .bind("127.0.0.1:4004")
        .await?;
    println!("npx wscat --no-check -c wss://{}/echo", server.local_addr());
    server.serve().await?;
    Ok(())
}
