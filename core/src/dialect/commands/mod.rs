//! The dialect `commands`: Rakit's chat server with private messages, channels, commands and presence.
//!
//! A text message is interpreted in this order; binary messages are ignored. Everyone includes the sender.
//!
//! | Client sends | Who receives what |
//! |---|---|
//! | an object with `ping` | nobody anything; it shows that the client lives |
//! | `{"command":"broadcast","message":"m"}` | everyone the text |
//! | `{"command":"broadcast_to_channel","channel":"c","message":"m"}` | the channel's subscribers the text |
//! | `{"command":"private_message","to":"id","message":"m"}` | that client the text |
//! | `{"command":"presence"}` | everyone presence |
//! | `{"command":"disconnect","client_id":"id"}` | that client a close frame with 1000; then everyone else presence |
//! | `{"event":"subscribe","channel":"c"}` | nobody anything |
//! | `{"event":"message","channel":"c","data":…}` | the channel's subscribers `{"channel":"c","data":…,"client_id":"<sender>"}` |
//! | an object with another `event` | nobody anything |
//! | `{"to":"id","message":"m"}` | that client `{"client_id":"<sender>","message":"m"}`, trimmed |
//! | everything else, JSON or not | everyone `{"client_id":"<sender>","message":"<the frame's text, trimmed>"}` |
//!
//! When a client connects or disconnects, everyone is told by presence. The [`Profile`] decides the rest:
//!
//! | | `seed`: as documented, all JSON | `compat`: as the server of Rakit behaves |
//! |---|---|---|
//! | somebody comes or goes | presence | the text `Client #<id> connected` or `Client #<id> disconnected`, then presence |
//! | the text of a command | `{"client_id":"<sender>","message":"m"}` | the bare text |
//! | presence | `{"type":"presence","users":[{"id","name","email","connected_at"}]}` | `users` is an object by id, without emails |
//! | `connected_at` in s | when the client came | when presence was sent |
//!
//! A client's name and email come from the route's authentication (`name` and `email`, or both within `user`), or from
//! its session cookie ([`CommandsOptions::session`]). Everyone else is a `Guest`.
//! As in Rakit everyone may use the commands; [`CommandsOptions::commands`] changes that. Only who is known may close the
//! connections of others; [`CommandsOptions::disconnect`] changes that.
//! Rakit's `allowed_origins` is the route's `origins`, its `supported_protocols` the route's `subprotocols`.

mod admission;
mod client;
mod event;
mod nodes;
mod options;
mod request;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use indexmap::IndexMap;
use serde_json::Value;

use crate::cluster::{EntryChange, Node};
use crate::handler::context::Context;
use crate::handler::succession::Predecessor;
use crate::handler::{Handler, HandlerError, HandlerResult};
use crate::interface::close_cause::CloseCause;
use crate::interface::connection_id::ConnectionId;
use crate::interface::effect::Level;
use crate::interface::hook::{Answer, HookKind};
pub use crate::interface::server_event::{CommandsAudience, CommandsClient, ServerEvent, ServerEventKind};
use crate::message::{CloseCode, CloseFrame, Message};
use crate::protocol::Refusal;
use crate::routing::authentication::Authentication;
use crate::routing::route::RouteSettings;
use crate::state::connection::Connection;
use client::Client;
use event::Audience;
use nodes::Elsewhere;
pub use options::{CommandsOptions, PresenceFormat, Profile, SessionOptions, WhoMayCommand};
use request::{ClientCommand, Request};

/// The dialect's handler. A channel is a room of the route.
#[derive(Debug, Default)]
pub struct Commands {
    options: CommandsOptions,
    /// The connected clients by their ids, in the order they came.
    clients: IndexMap<Arc<str>, ConnectionId>,
    /// Those of the other nodes of a cluster.
    elsewhere: Elsewhere,
}

impl Commands {
    /// A handler with these settings.
    pub fn new(options: CommandsOptions) -> Self {
        Self { options, clients: IndexMap::new(), elsewhere: Elsewhere::default() }
    }

    fn carry_out(&mut self, cx: &mut Context<'_>, command: ClientCommand, sender: &str) {
        if !allows(self.options.commands, cx) {
            return cx.log(Level::Debug, "a command is ignored: `commands` does not allow it to this client");
        }
        match command {
            ClientCommand::Broadcast { message } => {
                self.send(cx, Audience::Everyone, self.spoken(sender, &message));
            }
            ClientCommand::BroadcastToChannel { channel, message } => {
                self.send(cx, Audience::Channel(&channel), self.spoken(sender, &message));
            }
            ClientCommand::PrivateMessage { to, message } => {
                self.send(cx, Audience::Client(&to), self.spoken(sender, &message));
            }
            ClientCommand::Presence => self.tell_presence(cx),
            ClientCommand::Disconnect { client_id }
                if client_id != sender && !allows(self.options.disconnect, cx) =>
            {
                cx.log(
                    Level::Debug,
                    "a disconnect is ignored: `disconnect` does not allow it to this client",
                );
            }
            ClientCommand::Disconnect { client_id } => {
                // 1000 may be sent, so this cannot fail.
                if let Some(target) = self.clients.get(client_id.as_str()) {
                    let _ = cx.with(*target).close(CloseCode::NORMAL, "Disconnected");
                } else {
                    self.disconnect_elsewhere(cx, &client_id);
                }
            }
        }
    }

    /// The text of a command's message for its receivers.
    fn spoken(&self, sender: &str, text: &str) -> Message {
        match self.options.profile {
            Profile::Seed => wire::message(sender, text),
            Profile::Compat => text.into(),
        }
    }

    fn notify(&self, cx: &mut Context<'_>, text: String) {
        if self.options.profile == Profile::Compat {
            self.send(cx, Audience::Everyone, text.into());
        }
    }

    /// Sends to those clients that exist, and reports the event.
    fn send(&self, cx: &mut Context<'_>, to: Audience<'_>, message: Message) {
        let told = self.has(ServerEventKind::Send).then(|| event::sent(to, &message)).flatten();
        match to {
            Audience::Everyone => cx.broadcast_to_all(message),
            // Somebody on another node may have come just now.
            Audience::Channel(channel) if cx.room_len(channel) > 0 || cx.is_in_cluster() => {
                cx.broadcast_to([channel], true, message)
            }
            Audience::Client(id) if let Some(id) = self.clients.get(id) => cx.send_to(*id, message),
            Audience::Client(id) if self.is_elsewhere(id) => self.send_elsewhere(cx, id, &message),
            Audience::Channel(_) | Audience::Client(_) => return,
        }
        if let Some(told) = told {
            event::tell(cx, told);
        }
    }

    fn has(&self, event: ServerEventKind) -> bool {
        self.options.events.contains(&event)
    }

    fn tell_presence(&self, cx: &mut Context<'_>) {
        let message = self.present(cx);
        self.send(cx, Audience::Everyone, message);
    }

    /// Somebody has come or gone: the other nodes tell their clients when they know.
    fn tell_change(&self, cx: &mut Context<'_>) {
        match cx.is_in_cluster() {
            true => self.tell_presence_here(cx),
            false => self.tell_presence(cx),
        }
    }

    /// The message that tells who is there.
    fn present(&self, cx: &Context<'_>) -> Message {
        let present: Vec<&Client> = self
            .clients
            .values()
            .filter_map(|id| cx.peer(*id).filter(|peer| peer.is_open()))
            .filter_map(|peer| peer.metadata().get::<Client>())
            .chain(self.elsewhere.clients())
            .collect();
        wire::presence(&self.options, &present, cx.now().wall)
    }

    /// An unused id of 8 letters and digits.
    fn fresh_id(&self, cx: &mut Context<'_>) -> Arc<str> {
        const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        loop {
            let mut bytes = [0; 8];
            cx.random(&mut bytes);
            let id: String = bytes.iter().map(|byte| char::from(ALPHABET[usize::from(*byte) % 62])).collect();
            if !self.clients.contains_key(id.as_str()) && !self.is_elsewhere(&id) {
                return id.into();
            }
        }
    }

    /// The longest silence of a client, if it is limited.
    fn ping_timeout(&self) -> Option<Duration> {
        Some(Duration::from_secs(self.options.ping_timeout)).filter(|timeout| !timeout.is_zero())
    }

    /// A frame of a client came: it is not silent.
    fn alive(&self, cx: &mut Context<'_>) {
        if let Some(timeout) = self.ping_timeout() {
            cx.set_inactivity_timeout(Some(timeout));
        }
    }
}

impl Handler for Commands {
    fn warning(&self, settings: &RouteSettings) -> Option<&'static str> {
        let everyone = WhoMayCommand::Everyone;
        let is_open = settings.authentication == Authentication::Open
            && self.options.commands == everyone
            && self.options.disconnect == everyone;
        is_open.then_some(
            "every client may close the connections of others (commands.disconnect); \"authenticated\" lets only those that \
             are known",
        )
    }

    fn admit(&self, settings: &RouteSettings, request: &http::Request<()>) -> Result<(), Refusal> {
        admission::check(&self.options, &settings.subprotocols, request.headers())
    }

    fn connect(&mut self, cx: &mut Context<'_>) -> HandlerResult {
        let (id, now) = (self.fresh_id(cx), cx.now().wall);
        let Some(connection) = cx.connection_mut() else {
            return Ok(());
        };
        let session = self.options.session.as_ref().and_then(|session| session.user(&connection.request()));
        let client = Client::new(id.clone(), session.unwrap_or(connection.auth_data()), now);
        let told = CommandsClient::new(id.to_string(), client.name.clone(), client.email.clone());
        self.clients.insert(id.clone(), connection.id());
        connection.metadata_mut().insert(client.clone());
        nodes::tell(cx, &id, Some(&client));
        self.alive(cx);
        if self.has(ServerEventKind::Connect) {
            event::tell(cx, ServerEvent::Connect(told));
        }
        self.notify(cx, format!("Client #{id} connected"));
        self.tell_change(cx);
        Ok(())
    }

    fn message(&mut self, cx: &mut Context<'_>, message: Message) -> HandlerResult {
        let (Message::Text(text), Some(client)) = (message, client_of(cx)) else {
            return Ok(());
        };
        let sender = client.id.clone();
        if self.has(ServerEventKind::Receive) {
            let client_id = sender.to_string();
            event::tell(cx, ServerEvent::Receive { client_id, message: text.clone() });
        }
        match Request::decode(text.as_str()) {
            Request::Nothing => {}
            Request::Command(command) => self.carry_out(cx, command, &sender),
            Request::Subscribe { channel } => {
                if let Err(error) = cx.join(&channel) {
                    cx.log(Level::Debug, format!("a subscribe is ignored: {error}"));
                }
            }
            Request::ToChannel { channel, data } => {
                let message = wire::channel_message(&channel, &data, &sender);
                self.send(cx, Audience::Channel(&channel), message);
            }
            Request::Private { to, message } => {
                self.send(cx, Audience::Client(&to), wire::message(&sender, wire::trim(&message)));
            }
            Request::Broadcast => {
                self.send(cx, Audience::Everyone, wire::message(&sender, wire::trim(text.as_str())));
            }
        }
        Ok(())
    }

    fn pong(&mut self, cx: &mut Context<'_>, _: Bytes) -> HandlerResult {
        self.alive(cx);
        Ok(())
    }

    fn close(&mut self, cx: &mut Context<'_>, _: &CloseFrame, _: CloseCause) -> HandlerResult {
        let Some(id) = client_of(cx).map(|client| client.id.clone()) else {
            return Ok(());
        };
        self.clients.shift_remove(&id);
        nodes::tell(cx, &id, None);
        if self.has(ServerEventKind::Disconnect) {
            event::tell(cx, ServerEvent::Disconnect { client_id: id.to_string() });
        }
        self.notify(cx, format!("Client #{id} disconnected"));
        self.tell_change(cx);
        Ok(())
    }

    fn presence(&self, cx: &Context<'_>) -> Vec<(String, Value)> {
        let mut told: Value = self.present(cx).parse_json().unwrap_or_default();
        vec![(String::new(), told["users"].take())]
    }

    fn node_message(
        &mut self,
        cx: &mut Context<'_>,
        room: Option<&str>,
        header: Bytes,
        message: Message,
    ) -> HandlerResult {
        match room {
            Some(_) => Ok(()),
            None => self.carry_out_for_node(cx, &header, message),
        }
    }

    fn node_entries(
        &mut self,
        cx: &mut Context<'_>,
        node: &Node,
        entries: Vec<EntryChange>,
    ) -> HandlerResult {
        self.present_at_node(cx, node, entries);
        Ok(())
    }

    fn succeed(&mut self, cx: &mut Context<'_>, predecessor: &mut Predecessor<'_>) -> bool {
        let Some(predecessor) = predecessor.get::<Self>() else {
            return false;
        };
        let timeouts = (predecessor.ping_timeout(), self.ping_timeout());
        for id in cx.everyone() {
            cx.with(id).change_inactivity_timeout(timeouts);
        }
        self.clients = std::mem::take(&mut predecessor.clients);
        self.elsewhere = std::mem::take(&mut predecessor.elsewhere);
        true
    }

    fn answer(&mut self, cx: &mut Context<'_>, kind: HookKind, _: Answer) -> HandlerResult {
        if kind != HookKind::ServerEvent {
            return Ok(());
        }
        let client = cx.connection_mut().and_then(|connection| connection.metadata_mut().get_mut::<Client>());
        if let Some(client) = client {
            client.is_crashing = false;
        }
        Ok(())
    }

    /// Clients of this dialect get no error messages.
    fn error(&mut self, cx: &mut Context<'_>, error: &HandlerError) -> HandlerResult {
        cx.log(Level::Debug, format!("a client of the commands dialect: {error}"));
        if !self.has(ServerEventKind::Crash) {
            return Ok(());
        }
        let client = cx.connection_mut().and_then(|connection| connection.metadata_mut().get_mut::<Client>());
        if let Some(client) = client {
            client.is_crashing = !client.is_crashing;
            if client.is_crashing {
                let told = ServerEvent::Crash { client_id: client.id.to_string(), error: error.clone() };
                event::tell(cx, told);
            }
        }
        Ok(())
    }
}

/// Whether the client in focus is among these.
fn allows(who: WhoMayCommand, cx: &Context<'_>) -> bool {
    match who {
        WhoMayCommand::Everyone => true,
        WhoMayCommand::Nobody => false,
        WhoMayCommand::Authenticated => client_of(cx).is_some_and(|client| client.is_authenticated),
    }
}

fn client_of<'a>(cx: &'a Context<'_>) -> Option<&'a Client> {
    cx.connection().map(Connection::metadata).and_then(|extensions| extensions.get())
}
