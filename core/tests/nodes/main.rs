//! Several engines as nodes of one cluster, with a list as the broker, at exact times.
#![allow(clippy::unwrap_used, reason = "a test may fail this way")]

mod broadcasts;
mod cluster;
mod commands;
mod counts;
mod feeds;
mod history;
mod phoenix;

use cluster::TestCluster;
