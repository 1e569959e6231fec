//! Lifelike values from small tables, enough for a screen that is being designed.

use super::generated::{int_between, pick};
use crate::schema::suggest::nearest;

/// The kinds of lifelike values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fake {
    FirstName,
    LastName,
    Name,
    Username,
    Email,
    City,
    Country,
    Company,
    Product,
    Word,
    Sentence,
    Color,
    Ip,
}

const KINDS: &[(&str, Fake)] = &[
    ("name", Fake::Name),
    ("firstName", Fake::FirstName),
    ("lastName", Fake::LastName),
    ("username", Fake::Username),
    ("email", Fake::Email),
    ("city", Fake::City),
    ("country", Fake::Country),
    ("company", Fake::Company),
    ("product", Fake::Product),
    ("word", Fake::Word),
    ("sentence", Fake::Sentence),
    ("color", Fake::Color),
    ("ip", Fake::Ip),
];

impl Fake {
    /// The kind of this name, or what is wrong with it.
    pub(super) fn parse(name: &str) -> Result<Self, String> {
        if let Some((_, fake)) = KINDS.iter().find(|(known, _)| *known == name) {
            return Ok(*fake);
        }
        let names = || KINDS.iter().map(|(name, _)| *name);
        Err(match nearest(name, names()) {
            Some(near) => format!("did you mean {{fake.{near}}}?"),
            None => format!("fake has {}", names().collect::<Vec<_>>().join(", ")),
        })
    }

    /// Another value of this kind.
    pub(super) fn value(self, random: &mut dyn FnMut(&mut [u8])) -> String {
        match self {
            Fake::FirstName => pick(random, FIRST_NAMES),
            Fake::LastName => pick(random, LAST_NAMES),
            Fake::Name => format!("{} {}", pick(random, FIRST_NAMES), pick(random, LAST_NAMES)),
            Fake::Username => {
                format!("{}{}", pick(random, FIRST_NAMES).to_lowercase(), int_between(random, 10, 99))
            }
            Fake::Email => {
                let (first, last) = (pick(random, FIRST_NAMES), pick(random, LAST_NAMES));
                // RFC 2606 keeps this name free, so no mail reaches a stranger.
                format!("{first}.{last}@example.com").to_lowercase()
            }
            Fake::City => pick(random, CITIES),
            Fake::Country => pick(random, COUNTRIES),
            Fake::Company => format!("{} {}", pick(random, LAST_NAMES), pick(random, COMPANY_FORMS)),
            Fake::Product => format!("{} {}", pick(random, ADJECTIVES), pick(random, THINGS)),
            Fake::Word => pick(random, WORDS),
            Fake::Sentence => sentence(random),
            Fake::Color => pick(random, COLORS),
            // RFC 5737 keeps these addresses for documentation.
            Fake::Ip => format!("203.0.113.{}", int_between(random, 1, 254)),
        }
    }
}

fn sentence(random: &mut dyn FnMut(&mut [u8])) -> String {
    let words: Vec<String> = (0..int_between(random, 5, 9)).map(|_| pick(random, WORDS)).collect();
    let text = words.join(" ");
    let (first, rest) = text.split_at(1);
    format!("{}{rest}.", first.to_uppercase())
}

const FIRST_NAMES: &[&str] = &[
    "Ada", "Amir", "Ana", "Ben", "Chen", "Clara", "Dmitri", "Elif", "Emma", "Farah", "Grace", "Hugo", "Ines",
    "Ivan", "Jonas", "Kofi", "Lena", "Luis", "Maya", "Mia", "Noah", "Nora", "Omar", "Priya", "Ravi", "Sara",
    "Sofia", "Tom", "Yuki", "Zoe",
];

const LAST_NAMES: &[&str] = &[
    "Abbott", "Adeyemi", "Becker", "Castillo", "Dubois", "Eriksen", "Fischer", "Garcia", "Haddad", "Ito",
    "Jansen", "Kaya", "Kowalski", "Larsen", "Mehta", "Moreau", "Nguyen", "Okafor", "Petrov", "Quinn",
    "Rossi", "Sato", "Silva", "Tanaka", "Ueda", "Varga", "Weber", "Xu", "Young", "Zimmer",
];

const CITIES: &[&str] = &[
    "Accra",
    "Austin",
    "Berlin",
    "Bogotá",
    "Cairo",
    "Delhi",
    "Dublin",
    "Hanoi",
    "Istanbul",
    "Kraków",
    "Lagos",
    "Lima",
    "Lisbon",
    "Lyon",
    "Melbourne",
    "Montréal",
    "Nairobi",
    "Osaka",
    "Oslo",
    "Porto",
    "Prague",
    "Seoul",
    "Turin",
    "Zürich",
];

const COUNTRIES: &[&str] = &[
    "Argentina",
    "Australia",
    "Brazil",
    "Canada",
    "Chile",
    "Egypt",
    "France",
    "Germany",
    "Ghana",
    "India",
    "Ireland",
    "Italy",
    "Japan",
    "Kenya",
    "Mexico",
    "Nigeria",
    "Norway",
    "Peru",
    "Poland",
    "Portugal",
    "Spain",
    "Sweden",
    "Turkey",
    "Vietnam",
];

const COMPANY_FORMS: &[&str] = &["& Co", "AG", "Group", "Inc", "Labs", "Ltd", "Partners", "Systems", "Works"];

const ADJECTIVES: &[&str] = &[
    "Compact", "Curved", "Folding", "Heavy", "Light", "Modern", "Plain", "Quiet", "Rugged", "Silver",
    "Smart", "Soft",
];

const THINGS: &[&str] = &[
    "Backpack",
    "Bottle",
    "Camera",
    "Chair",
    "Clock",
    "Desk",
    "Headphones",
    "Jacket",
    "Keyboard",
    "Lamp",
    "Notebook",
    "Speaker",
];

const WORDS: &[&str] = &[
    "amber", "anchor", "arrow", "basin", "breeze", "bridge", "cedar", "cloud", "copper", "delta", "ember",
    "field", "forest", "garden", "harbor", "island", "lantern", "maple", "meadow", "mirror", "orbit",
    "paper", "pebble", "planet", "prairie", "quartz", "river", "saddle", "signal", "summit", "thread",
    "tide", "timber", "valley", "violet", "willow",
];

const COLORS: &[&str] =
    &["black", "blue", "brown", "cyan", "gray", "green", "orange", "pink", "red", "violet"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_values() {
        let mut count = 0_u8;
        let mut random = |bytes: &mut [u8]| {
            for byte in bytes {
                count = count.wrapping_mul(31).wrapping_add(17);
                *byte = count;
            }
        };
        for (name, fake) in KINDS {
            assert_eq!(Fake::parse(name), Ok(*fake));
            for _ in 0..50 {
                assert!(!fake.value(&mut random).is_empty(), "{name}");
            }
        }
        assert!(Fake::parse("xxxxxxx").unwrap_err().starts_with("fake has name, "));
    }
}
