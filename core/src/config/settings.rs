//! What the engine needs of a configuration, in its own terms.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

use super::{AuthenticateConfig, Config, Dialect, LimitsConfig, RefusalConfig, RouteConfig, TokenConfig};
use crate::message::{CloseCode, CloseFrame};
use crate::protocol::{Overflow, Refusal};
use crate::recording::RecordSettings;
use crate::routing::authentication::{Authentication, TokenPlace, TokenRefusal, TokenRule};
use crate::routing::route::RouteSettings;
use crate::state::limits::Limits;
use crate::state::rate::MessageRate;

impl Config {
    /// The engine's bounds.
    pub fn engine_limits(&self) -> Limits {
        let LimitsConfig { max_connections, rooms_per_connection, room_name_bytes, .. } = self.limits;
        Limits {
            connections: max_connections,
            message_rate: self.limits.message_rate.map(|rate| MessageRate {
                per_second: rate.per_second,
                burst: rate.burst.unwrap_or(rate.per_second),
            }),
            connections_per_address: self.limits.max_connections_per_address,
            rooms_per_connection,
            room_name_bytes,
            pending_messages: self.limits.pending_messages,
            inbound_bytes: self.limits.inbound_bytes,
            handshake_bytes: self.limits.handshake_bytes,
            handshake_timeout: Duration::from_millis(self.limits.handshake_timeout),
            authenticate_timeout: Duration::from_millis(self.limits.authenticate_timeout),
            handler_timeout: self.limits.handler_timeout.duration(),
            close_timeout: Duration::from_millis(self.limits.close_timeout),
        }
    }

    /// Everything about one of the routes that is not its handler.
    pub fn route_settings(&self, route: &RouteConfig) -> RouteSettings {
        let outbound = route.outbound.unwrap_or(self.limits.outbound);
        // The dialect `events` keeps its own, which is less patient.
        let heartbeat = route.heartbeat.duration().filter(|_| route.dialect() != Dialect::Events);
        RouteSettings {
            delay: Duration::from_millis(route.delay.unwrap_or(self.delay)),
            subprotocols: match (route.dialect(), &route.subprotocols[..]) {
                // Only the target or the recording knows which ones it speaks.
                (Dialect::Proxy | Dialect::Replay, []) => vec!["*".to_owned()],
                (_, named) => named.to_vec(),
            },
            heartbeat,
            inactivity_timeout: route.inactivity_timeout.duration(),
            default_room: route.default_room.as_deref().map(Arc::from),
            deflate: route.deflate(),
            max_payload: route.max_payload,
            authentication: (&route.authenticate).into(),
            max_outbound: outbound.max_bytes,
            overflow: match (outbound.overflow, route.dialect()) {
                (Some(overflow), _) => overflow.into(),
                // A target or a recording can wait, so that nothing is lost and nobody is closed.
                (None, Dialect::Proxy | Dialect::Replay | Dialect::Scenario) => Overflow::Pause,
                (None, _) => Overflow::Close,
            },
            origins: route.origins.as_ref().unwrap_or(&self.origins).origins(),
            feeds: route.feed_names().into_iter().map(|(_, name)| name).collect(),
            faults: route.all_faults().into(),
            client_conditions: route.client_conditions.clone(),
            // The configuration was checked.
            contract: route.contract.as_ref().and_then(|contract| contract.contract().ok()).map(Arc::new),
            record: route.record.as_ref().map(|record| {
                let source = route.proxy.as_ref().and_then(|proxy| proxy.target.as_ref());
                let source =
                    source.map_or_else(|| self.route_key(route).label(), |target| target.url.clone());
                let mut settings = RecordSettings::new(&record.file);
                (settings.mask, settings.source) = (record.mask.clone(), Some(source));
                Arc::new(settings)
            }),
            history: route.history.map(Into::into),
            history_by_handler: false,
            kind: route.dialect().name(),
        }
    }
}

impl From<&AuthenticateConfig> for Authentication {
    fn from(config: &AuthenticateConfig) -> Self {
        match config {
            AuthenticateConfig::Open => Authentication::Open,
            AuthenticateConfig::Authorization => Authentication::authorization_header(),
            AuthenticateConfig::Header(name) => Authentication::Header(name.clone()),
            AuthenticateConfig::Token(token) => Authentication::Token((&**token).into()),
        }
    }
}

impl From<&TokenConfig> for TokenRule {
    fn from(config: &TokenConfig) -> Self {
        // The configuration was checked: a header's name is one, and there is a query's parameter otherwise.
        let header = config.token.header.as_deref().and_then(|name| name.parse().ok());
        Self {
            place: match (config.token.query.clone(), header) {
                (Some(query), Some(name)) => TokenPlace::QueryOrHeader(query, name),
                (None, Some(name)) => TokenPlace::Header(name),
                (query, None) => TokenPlace::Query(query.unwrap_or_default()),
            },
            values: config.token.values.clone(),
            missing: (&config.missing).into(),
            invalid: (&config.invalid).into(),
        }
    }
}

impl From<&RefusalConfig> for TokenRefusal {
    fn from(config: &RefusalConfig) -> Self {
        if let Some(code) = config.code {
            return TokenRefusal::Close(CloseFrame::new(CloseCode(code), &config.reason));
        }
        let status = config.status.and_then(|status| StatusCode::from_u16(status).ok());
        let mut refusal = Refusal::of_status(status.unwrap_or(StatusCode::UNAUTHORIZED));
        refusal.headers.extend(config.header_map());
        TokenRefusal::Respond(Box::new(refusal))
    }
}
