//! What the control API shows.

use bytes::Bytes;
use http::{Response, StatusCode};

use super::history::closure;
use super::{Asker, Failure, not_found, view};
use crate::control::example;
use crate::control::query::Query;
use crate::control::view::{
    ConnectionView, ConnectionsView, ExampleView, FeedValueView, FeedValuesView, FeedView, FeedsView,
    PresenceView, PresencesView, RoomView, RoomsView, RouteView, RoutesView, ServerView, SocketCounts,
};
use crate::engine::{Engine, ServerPhase};
use crate::feed::Feed;
use crate::interface::effect::Effect;
use crate::protocol::Overflow;
use crate::routing::authentication::Authentication;
use crate::routing::router::Found;
use crate::state::RouteState;
use crate::state::connection::{Connection, Phase};
use crate::time::{self, Now};

/// The most rooms of one connection that are shown.
const SHOWN_ROOMS: usize = 100;

type Answer = Result<Response<Bytes>, Failure>;

impl Engine {
    pub(super) fn view_server(&self, now: Now) -> Answer {
        view(&ServerView {
            version: env!("CARGO_PKG_VERSION"),
            api: 1,
            now: now.wall.as_ms(),
            reveal: self.reveals(),
            is_serving: self.phase == ServerPhase::Serving,
        })
    }

    pub(super) fn view_routes(&self) -> Answer {
        let routes = self.indices.iter().enumerate().map(|(place, index)| {
            let route = &self.state.routes[*index];
            let settings = &route.settings;
            RouteView {
                route: route.label.clone(),
                example: self.example(place, route),
                patterns: self.router.key(place).map(|key| key.patterns()).unwrap_or_default(),
                dialect: settings.kind,
                connections: route.rooms.everyone_len(),
                rooms: route.rooms.names().count(),
                authentication: match settings.authentication {
                    Authentication::Open => "everyone",
                    Authentication::Header(_) => "header",
                    Authentication::Token(_) => "token",
                    Authentication::Hook => "function",
                    Authentication::Handler => "dialect",
                },
                subprotocols: settings.subprotocols.clone(),
                compression: settings.deflate.is_some(),
                default_room: settings.default_room.as_deref().map(str::to_owned),
                delay: time::ms(settings.delay),
                heartbeat: settings.heartbeat.map(time::ms),
                inactivity_timeout: settings.inactivity_timeout.map(time::ms),
                max_payload: settings.max_payload,
                max_outbound: settings.max_outbound,
                overflow: match settings.overflow {
                    Overflow::Close => "close",
                    Overflow::DropOldest => "dropOldest",
                    Overflow::Pause => "pause",
                },
                feeds: settings.feeds.clone(),
                dropped_messages: route.dropped_messages,
                contract: settings.contract.as_ref().map(|contract| contract.mode),
                contract_violations: route.contract_violations,
                mismatches: route.mismatches,
            }
        });
        view(&RoutesView { routes: routes.collect() })
    }

    pub(super) fn view_connections(&self, query: &Query, asker: Asker<'_>) -> Answer {
        match query.get("state") {
            None | Some("open") => {}
            Some("closed") => return self.view_ended(query),
            Some(other) => {
                let shown: String = other.chars().take(100).collect();
                return Err(super::bad_request(format!("state: expected open or closed, got {shown:?}")));
            }
        }
        let (limit, route) = (query.limit().map_err(super::bad_request)?, self.queried_route(query)?);
        let after = query.get("after").map(|after| {
            let slot: Option<usize> = after.parse().ok();
            slot.ok_or_else(|| {
                super::bad_request("after: write what an earlier answer has as `next`".to_owned())
            })
        });
        let first = after.transpose()?.map_or(0, |slot| slot.saturating_add(1));
        let room = query.get("room");
        if room.is_some() && route.is_none() {
            return Err(super::bad_request("room: a room is of a route; write route too".to_owned()));
        }
        let is_asked_for = |connection: &&Connection| {
            self.is_client(connection)
                && route.is_none_or(|route| connection.route == route)
                && room.is_none_or(|room| connection.is_open() && connection.is_in_room(room))
        };
        let all = || self.state.connections.iter().filter(is_asked_for);
        let mut page = all().filter(|connection| connection.id.slot() >= first);
        let shown: Vec<&Connection> = page.by_ref().take(limit).collect();
        let next = page.next().and(shown.last()).map(|last| last.id.slot().to_string());
        view(&ConnectionsView {
            connections: shown.into_iter().map(|connection| self.shown(connection, asker)).collect(),
            total: all().count(),
            next,
        })
    }

    pub(super) fn view_connection(&self, name: &str, asker: Asker<'_>) -> Answer {
        match self.named_connection(name) {
            Ok(connection) => view(&self.shown(connection, asker)),
            Err(_) => self.view_ended_connection(name),
        }
    }

    pub(super) fn view_rooms(&self, query: &Query) -> Answer {
        let (limit, route) = (query.limit().map_err(super::bad_request)?, self.queried_route(query)?);
        let mut rooms: Vec<(usize, &str)> = Vec::new();
        for (place, &index) in self.indices.iter().enumerate() {
            if route.is_none_or(|route| route == index) {
                rooms.extend(self.rooms(index).map(|room| (place, room)));
            }
        }
        rooms.sort_unstable();
        let after = query.get("after").map(|after| {
            let (place, room) = after.split_once(':').unwrap_or_default();
            let place: Option<usize> = place.parse().ok();
            let text = || super::bad_request("after: write what an earlier answer has as `next`".to_owned());
            Ok::<_, Failure>((place.ok_or_else(text)?, room))
        });
        let first = after.transpose()?.map_or(0, |after| rooms.partition_point(|room| *room <= after));
        let page = &rooms[first..rooms.len().min(first.saturating_add(limit))];
        let is_last = first + page.len() == rooms.len();
        let next = page.last().filter(|_| !is_last).map(|(place, room)| format!("{place}:{room}"));
        let shown = page.iter().map(|(place, room)| {
            let index = self.indices[*place];
            let route = self.state.routes[index].label.clone();
            RoomView { route, room: (*room).to_owned(), members: self.audience_len(index, Some(room)) }
        });
        view(&RoomsView { rooms: shown.collect(), total: rooms.len(), next })
    }

    pub(super) fn view_presence(&mut self, now: Now, query: &Query, effects: &mut Vec<Effect>) -> Answer {
        let (limit, route) = (query.limit().map_err(super::bad_request)?, self.queried_route(query)?);
        let (mut presences, mut total) = (Vec::new(), 0);
        for index in self.indices.clone() {
            if route.is_some_and(|route| route != index) {
                continue;
            }
            let present = self.run(now, index, None, effects, |handler, cx| Ok(handler.presence(cx)));
            let present = present.map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
            total += present.len();
            let room = limit.saturating_sub(presences.len());
            let route = &self.state.routes[index].label;
            presences.extend(present.into_iter().take(room).map(|(topic, state)| PresenceView {
                route: route.clone(),
                topic,
                state,
            }));
        }
        view(&PresencesView { presences, total })
    }

    pub(super) fn view_stats(&self, now: Now, asker: Asker<'_>) -> Answer {
        let mut stats = self.stats();
        stats.handler_time = self.handler_time(now);
        for connection in self.state.connections.iter().filter(|connection| self.is_client(connection)) {
            let held = (asker.sockets)(connection.id);
            stats.client_bytes.undecoded += held.undecoded as u64;
            stats.client_bytes.queued += held.queued as u64;
        }
        view(&stats)
    }

    pub(super) fn view_feeds(&self) -> Answer {
        let feeds = self.state.feeds.iter().map(|feed| {
            let (name, published) = (feed.name().to_owned(), feed.published());
            FeedView { name, published, kept: feed.all().count() }
        });
        view(&FeedsView { feeds: feeds.collect() })
    }

    pub(super) fn view_feed(&self, name: &str, query: &Query) -> Answer {
        let limit = query.limit().map_err(super::bad_request)?;
        let feed = self.named_feed(name)?;
        let mut kept: Vec<_> = feed.all().collect();
        // Those of the same moment stay in the order in which they are kept.
        kept.sort_by_key(|value| std::cmp::Reverse(value.at));
        let values = kept.iter().take(limit);
        let values = values.map(|kept| FeedValueView { at: kept.at.as_ms(), value: (*kept.value).clone() });
        let (name, published) = (feed.name().to_owned(), feed.published());
        view(&FeedValuesView { name, published, kept: kept.len(), values: values.collect() })
    }

    /// Whether a connection is not one of the control API itself.
    pub(in crate::engine) fn is_client(&self, connection: &Connection) -> bool {
        self.state.control.as_ref().is_none_or(|control| control.route != connection.route)
    }

    /// The index of the route with this pattern.
    pub(super) fn named_route(&self, pattern: &str) -> Result<usize, Failure> {
        self.route_of(pattern).ok_or_else(|| {
            let shown: String = pattern.chars().take(200).collect();
            not_found(match self.router.nearest(&shown) {
                Some(near) => format!("there is no route {shown:?}; did you mean {near:?}?"),
                None => format!(
                    "there is no route {shown:?}; {} lists them",
                    crate::control::PATH.to_owned() + "/routes"
                ),
            })
        })
    }

    /// The connection with this public id.
    pub(super) fn named_connection(&self, name: &str) -> Result<&Connection, Failure> {
        let mut all = self.state.connections.iter().filter(|connection| self.is_client(connection));
        all.find(|connection| **connection.public_id() == *name).ok_or_else(|| not_found_connection(name))
    }

    /// The feed with this name.
    pub(super) fn named_feed(&self, name: &str) -> Result<&Feed, Failure> {
        self.state.feeds.iter().find(|feed| feed.name() == name).ok_or_else(|| {
            let (shown, known) = (name.chars().take(100), self.state.feeds.iter().map(Feed::name));
            let (shown, known): (String, Vec<&str>) = (shown.collect(), known.collect());
            not_found(match known.is_empty() {
                true => format!("there is no feed {shown:?}; the configuration has none"),
                false => format!("there is no feed {shown:?}; there are {}", known.join(", ")),
            })
        })
    }

    /// A path of the route at this place, and what can be said there.
    fn example(&self, place: usize, route: &RouteState) -> Option<ExampleView> {
        let serves =
            |path: &str| matches!(self.router.find(path), Found::Route { index, .. } if index == place);
        let path = example::path(&route.label).filter(|path| serves(path))?;
        let query = if route.settings.kind == "phoenix" { "?vsn=2.0.0" } else { "" };
        Some(ExampleView { path: path + query, messages: example::messages(route.settings.kind) })
    }

    fn queried_route(&self, query: &Query) -> Result<Option<usize>, Failure> {
        query.get("route").map(|pattern| self.named_route(pattern)).transpose()
    }

    pub(super) fn reveals(&self) -> bool {
        self.state.control.as_ref().is_some_and(|control| control.settings.reveal)
    }

    fn shown(&self, connection: &Connection, asker: Asker<'_>) -> ConnectionView {
        self.shown_with(connection, (asker.sockets)(connection.id))
    }

    pub(super) fn shown_with(&self, connection: &Connection, socket: SocketCounts) -> ConnectionView {
        let reveals = self.reveals();
        let opening = self.state.control.as_ref().map(|control| control.history.opening(connection.id));
        let (opened_at, compression) = opening.unwrap_or_default();
        let (close_code, close_reason, close_cause) = match closure(connection) {
            Some((code, reason, cause)) => (Some(code), Some(reason), Some(cause)),
            None => (None, None, None),
        };
        let params = connection.params().iter();
        ConnectionView {
            id: connection.public_id().to_string(),
            route: self.state.routes[connection.route].label.clone(),
            path: connection.path().to_owned(),
            params: params.map(|(name, value)| (name.to_string(), value.to_string())).collect(),
            address: connection.address().map(|address| address.to_string()),
            subprotocol: connection.subprotocol().map(str::to_owned),
            state: match connection.phase {
                Phase::Authenticating(_) | Phase::Held | Phase::Delayed | Phase::Accepted => "opening",
                Phase::Open => "open",
                Phase::Refusing(_) | Phase::Closing(_) | Phase::Closed(_) => "closing",
            },
            opened_at,
            compression,
            messages_in: socket.received.messages,
            messages_out: socket.sent.messages,
            bytes_in: socket.received.bytes,
            bytes_out: socket.sent.bytes,
            wire_bytes_in: socket.received.wire_bytes,
            wire_bytes_out: socket.sent.wire_bytes,
            dropped_messages: socket.dropped_messages,
            rooms: connection.rooms().take(SHOWN_ROOMS).map(|room| room.to_string()).collect(),
            room_count: connection.rooms_len(),
            has_auth_data: !connection.auth_data().is_null(),
            auth_data: reveals.then(|| connection.auth_data().clone()),
            query: reveals.then(|| connection.query().to_owned()),
            waiting_bytes: connection.inbox.bytes(),
            undecoded_bytes: socket.undecoded,
            queued_bytes: socket.queued,
            calls: connection.inbox.calls,
            closed_at: None,
            close_code,
            close_reason,
            close_cause,
            is_reading_paused: self.is_reading_paused(connection),
            held_messages: self.held_of(connection.id),
        }
    }
}

pub(super) fn not_found_connection(name: &str) -> Failure {
    let shown: String = name.chars().take(100).collect();
    not_found(format!("there is no connection {shown:?}; it may have closed"))
}
