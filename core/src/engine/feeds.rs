//! Feeds and endpoints when the engine is reconfigured.

use std::time::Duration;

use super::Engine;
use crate::feed::source::{Changed, Source};
use crate::feed::{Feed, FeedSettings, FeedSource};
use crate::interface::effect::Effect;
use crate::state::timers::Timer;
use crate::state::{Owner, Standing};
use crate::time::{Instant, Now};

impl Engine {
    /// Takes other feeds. Feeds and sources that are still there go on.
    pub(super) fn take_feeds(
        &mut self,
        now: Now,
        feeds: Vec<(FeedSettings, Vec<FeedSource>)>,
        effects: &mut Vec<Effect>,
    ) {
        let mut known = std::mem::take(&mut self.state.feeds);
        let mut is_kept = vec![false; self.sources.len()];
        for (settings, sources) in feeds {
            let name = settings.name.clone();
            self.state.feeds.push(match known.iter().position(|feed| feed.name() == name) {
                Some(place) => {
                    let mut feed = known.swap_remove(place);
                    feed.change(settings);
                    feed
                }
                None => Feed::new(settings),
            });
            for source in sources {
                let place = self.take_source(now, &name, source, &is_kept, effects);
                is_kept.resize(self.sources.len(), true);
                is_kept[place] = true;
            }
        }
        for place in (0..is_kept.len()).filter(|place| !is_kept[*place]) {
            self.stop_source(now, place, effects);
            self.sources[place] = None;
        }
    }

    /// Takes one source of a feed; gives its place.
    fn take_source(
        &mut self,
        now: Now,
        feed: &str,
        source: FeedSource,
        is_kept: &[bool],
        effects: &mut Vec<Effect>,
    ) -> usize {
        for place in 0..self.sources.len() {
            let is_free = !is_kept.get(place).copied().unwrap_or(true);
            let Some(known) = self.sources[place].as_mut().filter(|known| is_free && known.feed == feed)
            else {
                continue;
            };
            if let Some(changed) = known.change(&source) {
                self.go_on_with(now, place, changed, effects);
                return place;
            }
        }
        let free = self.sources.iter().position(Option::is_none);
        let place = free.unwrap_or(self.sources.len());
        self.start_source(place, Source::new(feed.to_owned(), source));
        place
    }

    fn go_on_with(&mut self, now: Now, place: usize, changed: Changed, effects: &mut Vec<Effect>) {
        match changed {
            Changed::GoesOn => {}
            Changed::Interval(earlier, next) => {
                let every = |ms: u64| Some(Duration::from_millis(ms.max(1)));
                self.state.timers.change(Timer::Source(place), (every(earlier), every(next)), now.instant);
            }
            Changed::BeginsAnew => {
                self.stop_source(now, place, effects);
                self.state.timers.set(Timer::Source(place), Instant::default());
            }
        }
    }

    /// Collects the plain HTTP paths of all routes and sources. If several answer the same method on a path, the first one
    /// counts.
    pub(super) fn find_endpoints(&mut self) {
        self.endpoints.clear();
        if let Some((endpoint, route)) = self.control_endpoint() {
            self.add_endpoint(endpoint, Owner::Handler(route));
        }
        for index in self.indices.clone() {
            if self.state.routes[index].standing == Standing::Serving {
                for endpoint in self.handlers[index].endpoints() {
                    self.add_endpoint(endpoint, Owner::Handler(index));
                }
            }
        }
        for place in 0..self.sources.len() {
            let source = self.sources[place].as_ref();
            if let Some(endpoint) = source.and_then(Source::endpoint) {
                self.add_endpoint(endpoint, Owner::Source(place));
            }
        }
    }
}
