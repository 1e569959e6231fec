//! From the schema to the engine's own terms.

use http::StatusCode;

use super::authenticate::{AuthenticateConfig, RefusalConfig, TokenConfig};
use super::{Config, ConfigError, LimitsConfig, RouteConfig};
use crate::auth::{Authentication, Denial, TokenPlace, TokenRule};
use crate::limits::Limits;
use crate::message::{CloseCode, CloseFrame};
use crate::route::RouteSettings;
use crate::router::Router;

impl Config {
    /// The router over all routes, which stand in it in their order.
    pub fn router(&self) -> Result<Router, ConfigError> {
        Router::new(self.route_keys()).map_err(|error| ConfigError::at("routes", error.to_string()))
    }

    /// The rules of one of the routes.
    pub fn settings(&self, route: &RouteConfig) -> RouteSettings {
        let outbound = route.outbound.unwrap_or(self.limits.outbound);
        RouteSettings {
            delay: route.delay.unwrap_or(self.delay),
            subprotocols: route.subprotocols.clone(),
            heartbeat: route.heartbeat.as_ms(),
            inactivity_timeout: route.inactivity_timeout.as_ms(),
            default_room: route.default_room.as_deref().map(Into::into),
            deflate: route.deflate(),
            max_payload: route.max_payload,
            authentication: Authentication::from(&route.authenticate),
            max_outbound: outbound.max_bytes,
            overflow: outbound.overflow.into(),
            ..RouteSettings::default()
        }
    }

    /// The bounds of the server.
    pub fn limits(&self) -> Limits {
        Limits::from(&self.limits)
    }
}

impl From<&LimitsConfig> for Limits {
    fn from(limits: &LimitsConfig) -> Self {
        Self {
            connections: limits.max_connections,
            connections_per_address: limits.max_connections_per_address,
            rooms_per_connection: limits.rooms_per_connection,
            room_name_bytes: limits.room_name_bytes,
            pending_messages: limits.pending_messages,
            handshake_timeout: limits.handshake_timeout,
            authenticate_timeout: limits.authenticate_timeout,
            handler_timeout: limits.handler_timeout.as_ms(),
            close_timeout: limits.close_timeout,
        }
    }
}

impl From<&AuthenticateConfig> for Authentication {
    fn from(authenticate: &AuthenticateConfig) -> Self {
        match authenticate {
            AuthenticateConfig::Open => Authentication::Open,
            AuthenticateConfig::Authorization => Authentication::authorization_header(),
            AuthenticateConfig::Header(name) => Authentication::Header(name.clone()),
            AuthenticateConfig::Token(token) => Authentication::Token(TokenRule::from(token)),
        }
    }
}

impl From<&TokenConfig> for TokenRule {
    fn from(config: &TokenConfig) -> Self {
        let name = config.token.header.as_deref().and_then(|name| name.parse().ok());
        let place = match name {
            Some(header) => TokenPlace::Header(header),
            None => TokenPlace::Query(config.token.query.clone().unwrap_or_default()),
        };
        Self {
            place,
            values: config.token.values.clone(),
            missing: Denial::from(&config.missing),
            invalid: Denial::from(&config.invalid),
        }
    }
}

impl From<&RefusalConfig> for Denial {
    fn from(config: &RefusalConfig) -> Self {
        match config.code {
            Some(code) => Denial::Close(CloseFrame::new(CloseCode(code), &config.reason)),
            None => {
                let status = config.status.and_then(|status| StatusCode::from_u16(status).ok());
                Denial::Status(status.unwrap_or(StatusCode::UNAUTHORIZED))
            }
        }
    }
}
