//! Placeholders that make data up: counters, random walks, random and lifelike values.
//!
//! Their arguments follow the name after spaces: `{random.int 1 6}`. Numbers come with as many decimals as
//! their arguments are written with.

use serde_json::{Number, Value, json};

use super::Series;
use super::fake::Fake;
use super::source::SourceError;

/// A value that is made up.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Generated {
    /// `{counter.name first step}`
    Counter { name: String, first: i64, step: i64 },
    /// `{walk.name start step low high}`
    Walk(Walk),
    /// `{random.int low high}`
    Int { low: i64, high: i64 },
    /// `{random.float low high}`
    Float { low: f64, high: f64, decimals: usize },
    /// `{random.bool}`
    Bool,
    /// `{random.pick one two three}`
    Pick(Vec<String>),
    /// `{fake.name}`
    Fake(Fake),
}

/// A number that goes up and down by at most `step` each time.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Walk {
    name: String,
    start: f64,
    step: f64,
    bounds: Option<(f64, f64)>,
    decimals: usize,
}

impl Generated {
    /// Parses a placeholder of these kinds; `None` for all others.
    pub(super) fn parse(text: &str) -> Option<Result<Self, SourceError>> {
        let mut words = text.split_whitespace();
        let path = words.next()?;
        let arguments: Vec<&str> = words.collect();
        let (root, name) = path.split_once('.').unwrap_or((path, ""));
        let parsed = match (root, name) {
            ("counter" | "walk", "") => Err(format!("give it a name, as {{{root}.price 100 2}}")),
            ("counter", name) => counter(name, &arguments),
            ("walk", name) => walk(name, &arguments),
            ("random", "int") => int(&arguments),
            ("random", "float") => float(&arguments),
            ("random", "bool") => none(&arguments, Generated::Bool),
            ("random", "pick") if arguments.is_empty() => {
                Err("name what to pick from, as {random.pick red green blue}".to_owned())
            }
            ("random", "pick") => {
                Ok(Generated::Pick(arguments.iter().map(|word| (*word).to_owned()).collect()))
            }
            ("fake", name) => Fake::parse(name).and_then(|fake| none(&arguments, Generated::Fake(fake))),
            _ => return None,
        };
        Some(parsed.map_err(|reason| SourceError { reason, may_be_text: false }))
    }

    /// Whether it needs to remember what it was before.
    pub(crate) fn is_series(&self) -> bool {
        matches!(self, Generated::Counter { .. } | Generated::Walk(_))
    }

    /// The next value; `None` for a counter or walk where nothing is remembered.
    pub(super) fn value(
        &self,
        random: &mut dyn FnMut(&mut [u8]),
        series: Option<&mut Series>,
    ) -> Option<Value> {
        Some(match self {
            Generated::Counter { name, first, step } => json!(series?.count(name, *first, *step)),
            Generated::Walk(walk) => walk.next(random, series?),
            Generated::Int { low, high } => json!(int_between(random, *low, *high)),
            Generated::Float { low, high, decimals } => number(low + unit(random) * (high - low), *decimals),
            Generated::Bool => json!(int_between(random, 0, 1) == 1),
            Generated::Pick(words) => json!(pick(random, words)),
            Generated::Fake(fake) => fake.value(random).into(),
        })
    }
}

impl Walk {
    fn next(&self, random: &mut dyn FnMut(&mut [u8]), series: &mut Series) -> Value {
        let place = series.walk(&self.name, self.start, |place| {
            let next = rounded(place + (unit(random) * 2.0 - 1.0) * self.step, self.decimals);
            match self.bounds {
                Some((low, high)) => next.clamp(low, high),
                None => next,
            }
        });
        number(place, self.decimals)
    }
}

/// One of several, each as likely. Nothing of nothing is the empty text.
pub(super) fn pick<S: AsRef<str>>(random: &mut dyn FnMut(&mut [u8]), words: &[S]) -> String {
    let last = i64::try_from(words.len().saturating_sub(1)).unwrap_or(0);
    let index = usize::try_from(int_between(random, 0, last)).unwrap_or(0);
    words.get(index).map(|word| word.as_ref().to_owned()).unwrap_or_default()
}

/// A whole number from `low` to `high`, both included.
pub(super) fn int_between(random: &mut dyn FnMut(&mut [u8]), low: i64, high: i64) -> i64 {
    let span = u128::from(high.abs_diff(low)) + 1;
    let mut bytes = [0; 8];
    random(&mut bytes);
    // The product's upper half is spread evenly enough: off by at most one in 2^64 / span.
    let offset = (u128::from(u64::from_le_bytes(bytes)) * span) >> 64;
    i64::try_from(i128::from(low) + i128::try_from(offset).unwrap_or(0)).unwrap_or(high)
}

/// A number from 0 to 1, 1 excluded.
fn unit(random: &mut dyn FnMut(&mut [u8])) -> f64 {
    let mut bytes = [0; 4];
    random(&mut bytes);
    f64::from(u32::from_le_bytes(bytes)) / (f64::from(u32::MAX) + 1.0)
}

fn rounded(number: f64, decimals: usize) -> f64 {
    format!("{number:.decimals$}").parse().unwrap_or(number)
}

fn number(number: f64, decimals: usize) -> Value {
    match rounded(number, decimals) {
        // Also turns -0 into 0.
        whole if decimals == 0 => json!(whole as i64),
        fraction => Number::from_f64(fraction).map_or(Value::Null, Value::Number),
    }
}

fn counter(name: &str, arguments: &[&str]) -> Result<Generated, String> {
    let (first, step) = match arguments {
        [] => (1, 1),
        [first] => (whole(first)?, 1),
        [first, step] => (whole(first)?, whole(step)?),
        _ => return Err(format!("write {{counter.{name} first step}}, where both can be left out")),
    };
    Ok(Generated::Counter { name: name.to_owned(), first, step })
}

fn walk(name: &str, arguments: &[&str]) -> Result<Generated, String> {
    let (start, step, bounds) = match arguments {
        [start, step] => (fraction(start)?, fraction(step)?, None),
        [start, step, low, high] => {
            (fraction(start)?, fraction(step)?, Some(ordered(fraction(low)?, fraction(high)?)?))
        }
        _ => return Err(format!("write {{walk.{name} start step}} or {{walk.{name} start step low high}}")),
    };
    let start = bounds.map_or(start, |(low, high)| start.clamp(low, high));
    Ok(Generated::Walk(Walk { name: name.to_owned(), start, step, bounds, decimals: decimals(arguments) }))
}

fn int(arguments: &[&str]) -> Result<Generated, String> {
    match arguments {
        [low, high] => {
            let (low, high) = ordered(whole(low)?, whole(high)?)?;
            Ok(Generated::Int { low, high })
        }
        _ => Err("write the least and the greatest, as {random.int 1 6}".to_owned()),
    }
}

fn float(arguments: &[&str]) -> Result<Generated, String> {
    match arguments {
        [low, high] => {
            let (low, high) = ordered(fraction(low)?, fraction(high)?)?;
            Ok(Generated::Float { low, high, decimals: decimals(arguments) })
        }
        _ => Err("write the least and the greatest, as {random.float 0.00 1.00}".to_owned()),
    }
}

fn none(arguments: &[&str], generated: Generated) -> Result<Generated, String> {
    match arguments.first() {
        None => Ok(generated),
        Some(argument) => Err(format!("nothing follows the name, so {argument:?} cannot stand here")),
    }
}

fn ordered<T: PartialOrd>(low: T, high: T) -> Result<(T, T), String> {
    match low <= high {
        true => Ok((low, high)),
        false => Err("the least comes before the greatest".to_owned()),
    }
}

fn whole(text: &str) -> Result<i64, String> {
    text.parse().map_err(|_| format!("expected a whole number, got {text:?}"))
}

fn fraction(text: &str) -> Result<f64, String> {
    // Beyond this, adding a step of 1 would no longer change the number.
    const LARGEST: f64 = 9e15;
    let number = text.parse().ok().filter(|number: &f64| number.abs() <= LARGEST);
    number.ok_or_else(|| format!("expected a number, got {text:?}"))
}

/// The most decimals that any of the numbers is written with.
fn decimals(numbers: &[&str]) -> usize {
    let decimals = |text: &&str| text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    numbers.iter().map(decimals).max().unwrap_or(0).min(12)
}

#[cfg(test)]
mod tests {
    use chacha20::ChaCha8Rng;
    use chacha20::rand_core::{Rng, SeedableRng};

    use super::*;

    fn values(text: &str, count: usize) -> Vec<Value> {
        let generated = Generated::parse(text).expect("a kind of placeholder").map_err(|error| error.reason);
        let generated = generated.expect(text);
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let mut series = Series::default();
        (0..count)
            .filter_map(|_| generated.value(&mut |bytes| random.fill_bytes(bytes), Some(&mut series)))
            .collect()
    }

    #[test]
    fn counters_count_and_walks_walk() {
        assert_eq!(values("counter.n", 3), [1, 2, 3]);
        assert_eq!(values("counter.n 100 -5", 3), [100, 95, 90]);
        let walk = values("walk.price 100.00 2", 200);
        assert_eq!(walk[0], 100.0);
        assert!(
            walk.windows(2).all(|pair| (pair[0].as_f64().unwrap() - pair[1].as_f64().unwrap()).abs() <= 2.01)
        );
        assert!(walk.iter().all(|place| place.to_string().split('.').nth(1).unwrap().len() <= 2), "{walk:?}");
        let bounded = values("walk.users 10 5 0 12", 200);
        assert!(bounded.iter().all(|place| (0..=12).contains(&place.as_i64().unwrap())), "{bounded:?}");
        assert_eq!(values("walk.users 10 5 0 12", 200), bounded, "the same seed, the same walk");
    }

    #[test]
    fn random_values_stay_within_their_bounds() {
        let dice = values("random.int 1 6", 300);
        assert!((1..=6).all(|side| dice.contains(&json!(side))) && dice.len() == 300);
        assert!(dice.iter().all(|side| (1..=6).contains(&side.as_i64().unwrap())));
        assert_eq!(values("random.int -3 -3", 1), [-3]);
        let extreme = format!("random.int {} {}", i64::MIN, i64::MAX);
        assert_eq!(values(&extreme, 2).len(), 2);
        assert!(
            values("random.float 95.5 105", 50).iter().all(|n| (95.5..=105.0).contains(&n.as_f64().unwrap()))
        );
        assert!(values("random.pick a b", 50).contains(&json!("b")));
        assert!(values("random.bool", 50).contains(&json!(true)));
    }

    #[test]
    fn wrong_arguments_are_explained() {
        for (text, expected) in [
            ("counter", "give it a name, as {counter.price 100 2}"),
            ("counter.n one", "expected a whole number, got \"one\""),
            ("walk.price", "write {walk.price start step} or {walk.price start step low high}"),
            ("walk.price 1 inf", "expected a number, got \"inf\""),
            ("random.int 6 1", "the least comes before the greatest"),
            ("random.bool 1", "nothing follows the name, so \"1\" cannot stand here"),
            ("random.pick", "name what to pick from, as {random.pick red green blue}"),
            ("fake.nmae", "did you mean {fake.name}?"),
        ] {
            let error = Generated::parse(text).expect("a kind of placeholder").expect_err(text);
            assert_eq!(error.reason, expected);
        }
        assert!(Generated::parse("random.uuid").is_none() && Generated::parse("message.a b").is_none());
    }
}
