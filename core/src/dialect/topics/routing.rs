//! The topics of a killmail, which follow from its fields as EVE-KILL writes them.
//!
//! | Field | Topics |
//! |---|---|
//! | any | `all` |
//! | `total_value` over 10 billion, over 5 billion | `10b`, `5b` |
//! | `region_id` | `region.<id>`, and `abyssal`, `wspace`, `jove` for the regions of those |
//! | `system_id`, or `solar_system_id` | `system.<id>` |
//! | `constellation_id` | `constellation.<id>`, which nobody can subscribe to |
//! | `system_security` | `highsec` from 0.45, `lowsec` from 0, `nullsec` below |
//! | `is_solo`, `is_npc` | `solo`, `npc` |
//! | `victim.ship_group_id` | the class of the ship, its tech level, `citadel`, `bigkills` and `big` |
//! | ids of `victim` and `attackers` | `victim.<id>`, `attacker.<id>`: character, corporation, alliance, faction |
//!
//! Two mistakes of EVE-KILL's own server are not repeated: it sends `10b` and `5b` from a tenth of those values on, and
//! `big` where its clients subscribe to `bigkills`; here both names are sent.

use indexmap::IndexSet;
use serde_json::Value;

/// The names of ship groups and the group ids of EVE's static data that they stand for.
const GROUPS: &[(&str, &[u64])] = &[
    ("bigkills", BIG),
    ("big", BIG),
    ("citadel", &[1404, 1406, 1408, 1657, 2016, 2017]),
    ("t1", &[25, 26, 27, 28, 29, 31, 237, 419, 420, 463, 547, 941, 1201]),
    (
        "t2",
        &[
            324, 358, 380, 540, 541, 543, 830, 831, 832, 833, 834, 893, 894, 898, 900, 902, 906, 1202, 1283,
            1527, 1534,
        ],
    ),
    ("t3", &[963, 1305]),
    ("frigates", &[25, 237, 324, 830, 831, 834, 893, 1283, 1527]),
    ("destroyers", &[420, 541, 1305, 1534]),
    ("cruisers", &[26, 358, 832, 833, 894, 906, 963, 1972]),
    ("battlecruisers", &[419, 540, 1201]),
    ("battleships", &[27, 381, 898, 900]),
    ("capitals", &[30, 485, 547, 659, 883, 1538, 4594]),
    ("freighters", &[513, 902]),
    ("supercarriers", &[659]),
    ("titans", &[30]),
];

/// Titans, supercarriers, carriers, dreadnoughts, force auxiliaries, freighters and capital industrials.
const BIG: &[u64] = &[30, 485, 513, 547, 659, 883, 902, 941, 1538, 4594];

/// The regions of the Jove Empire.
const JOVE: &[u64] = &[10_000_004, 10_000_017, 10_000_019];

/// The kinds of party that a topic can name.
const PARTIES: &[&str] = &["character_id", "corporation_id", "alliance_id", "faction_id"];

/// The killmail's topics, each once.
pub fn topics(killmail: &Value) -> Vec<String> {
    let mut topics = IndexSet::from(["all".to_owned()]);
    let number = |key: &str| killmail.get(key).and_then(Value::as_f64);
    let flag = |key: &str| killmail.get(key).and_then(Value::as_bool).unwrap_or(false);
    let mut add = |topic: &str| topics.insert(topic.to_owned());
    for (topic, least) in [("10b", 1e10), ("5b", 5e9)] {
        if number("total_value").is_some_and(|value| value > least) {
            add(topic);
        }
    }
    if let Some(region) = id(killmail, "region_id") {
        match region {
            12_000_000..=13_000_000 => add("abyssal"),
            11_000_001..=11_000_033 => add("wspace"),
            region if JOVE.contains(&region) => add("jove"),
            _ => false,
        };
        add(&format!("region.{region}"));
    }
    if let Some(system) = id(killmail, "system_id").or_else(|| id(killmail, "solar_system_id")) {
        add(&format!("system.{system}"));
    }
    if let Some(constellation) = id(killmail, "constellation_id") {
        add(&format!("constellation.{constellation}"));
    }
    if let Some(security) = number("system_security") {
        add(match security {
            0.45.. => "highsec",
            0.0.. => "lowsec",
            _ => "nullsec",
        });
    }
    for (topic, key) in [("solo", "is_solo"), ("npc", "is_npc")] {
        if flag(key) {
            add(topic);
        }
    }
    let victim = killmail.get("victim").unwrap_or(&Value::Null);
    if let Some(group) = id(victim, "ship_group_id") {
        GROUPS.iter().filter(|(_, groups)| groups.contains(&group)).for_each(|(topic, _)| {
            add(topic);
        });
    }
    let attackers = killmail.get("attackers").and_then(Value::as_array).into_iter().flatten();
    let parties = [("victim", victim)].into_iter().chain(attackers.map(|attacker| ("attacker", attacker)));
    for (role, party) in parties {
        for id in PARTIES.iter().filter_map(|key| id(party, key)) {
            add(&format!("{role}.{id}"));
        }
    }
    topics.into_iter().collect()
}

/// An id; 0 stands for none.
fn id(value: &Value, key: &str) -> Option<u64> {
    value.get(key).and_then(Value::as_u64).filter(|id| *id > 0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn topics_come_from_the_killmails_fields() {
        for (killmail, expected) in [
            (json!(null), "all"),
            (json!({ "total_value": 1e10 }), "all 5b"),
            (json!({ "total_value": 10_000_000_001u64 }), "all 10b 5b"),
            (json!({ "total_value": 5e9, "is_solo": true, "is_npc": false }), "all solo"),
            (json!({ "region_id": 11000033, "system_security": -1.0 }), "all wspace region.11000033 nullsec"),
            (json!({ "region_id": 12000000 }), "all abyssal region.12000000"),
            (json!({ "region_id": 10000017 }), "all jove region.10000017"),
            (json!({ "system_id": 30000142, "system_security": 0.45 }), "all system.30000142 highsec"),
            (json!({ "solar_system_id": 30000142, "system_security": 0.449 }), "all system.30000142 lowsec"),
            (json!({ "constellation_id": 5, "system_security": 0 }), "all constellation.5 lowsec"),
            (json!({ "victim": { "ship_group_id": 25 } }), "all t1 frigates"),
            (json!({ "victim": { "ship_group_id": 30 } }), "all bigkills big capitals titans"),
            (json!({ "victim": { "ship_group_id": 902 } }), "all bigkills big t2 freighters"),
            (json!({ "victim": { "ship_group_id": 1657 } }), "all citadel"),
            (
                json!({
                    "victim": { "character_id": 1, "corporation_id": 2, "alliance_id": 0 },
                    "attackers": [{ "character_id": 3, "faction_id": 4 }, { "faction_id": 4 }, 5],
                }),
                "all victim.1 victim.2 attacker.3 attacker.4",
            ),
        ] {
            assert_eq!(topics(&killmail).join(" "), expected, "{killmail}");
        }
    }
}
