//! Values that are published at an interval.

use serde::Deserialize;
use serde_json::Value;

use crate::routing::pattern::Params;
use crate::template::{ConnectionScope, Scope, Series, ValueTemplate};
use crate::time::WallTime;

/// Values that are published in turn, again and again.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IntervalSettings {
    /// Ms between two values, and before the first one.
    pub every: u64,
    /// The values. Texts may have placeholders that need no connection: `{now}`, `{random.int 1 6}`, `{counter.n}`,
    /// `{walk.price 100 2}`, `{fake.name}`.
    pub values: Vec<ValueTemplate>,
}

#[derive(Debug)]
pub(crate) struct IntervalSource {
    pub(crate) settings: IntervalSettings,
    next: usize,
    has_started: bool,
    series: Series,
}

impl IntervalSource {
    pub(crate) fn new(settings: IntervalSettings) -> Self {
        Self { settings, next: 0, has_started: false, series: Series::default() }
    }

    /// Whether this is the start, from which the time before the first value counts.
    pub(crate) fn start(&mut self) -> bool {
        !std::mem::replace(&mut self.has_started, true)
    }

    pub(crate) fn has_started(&self) -> bool {
        self.has_started
    }

    /// Takes other settings. It goes on with the value whose turn it is, or from the first one if there are fewer now;
    /// counters and walks go on too.
    pub(crate) fn change(&mut self, settings: IntervalSettings) {
        if self.next >= settings.values.len() {
            self.next = 0;
        }
        self.settings = settings;
    }

    /// The next value; `None` where it is exactly one placeholder that has none.
    pub(crate) fn value(&mut self, now: WallTime, random: &mut dyn FnMut(&mut [u8])) -> Option<Value> {
        let value = self.settings.values.get(self.next)?;
        self.next = (self.next + 1) % self.settings.values.len();
        let (params, rooms) = (Params::default(), Vec::new);
        let nobody = ConnectionScope {
            id: "",
            path: "",
            subprotocol: None,
            params: &params,
            query: "",
            auth_data: &Value::Null,
            rooms: &rooms,
        };
        let mut scope = Scope::new(nobody, now, random);
        scope.series = Some(&mut self.series);
        value.value(&mut scope)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_come_in_turn_with_their_placeholders_filled() {
        let settings = json!({ "every": 5, "values": [{ "n": "{counter.n 1 1}" }, "{now.iso}"] });
        let mut source = IntervalSource::new(serde_json::from_value(settings).unwrap());
        let mut next = || source.value(WallTime::from_us(0), &mut |_| {}).unwrap();
        assert_eq!(next(), json!({ "n": 1 }));
        assert_eq!(next(), json!("1970-01-01T00:00:00.000Z"));
        assert_eq!(next(), json!({ "n": 2 }));
    }
}
