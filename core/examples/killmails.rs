//! Prints made-up killmails, one per line, to replay: `cargo run -p switchboard-core --example killmails -- 10000`.
//!
//! The same number gives the same lines. They are a few seconds apart, in 100 systems of four regions.

use std::env;
use std::io::{self, BufWriter, Write};

use chacha20::ChaCha8Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use chrono::DateTime;
use serde_json::json;

fn main() -> io::Result<()> {
    let number = env::args().nth(1).and_then(|number| number.parse().ok()).unwrap_or(1_000);
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let mut below = |bound: u64| random.next_u64() % bound;
    let mut out = BufWriter::new(io::stdout().lock());
    let mut time = 1_700_000_000;
    for id in 0..number {
        time += below(10);
        let system = below(100);
        let pilot = |number: u64| json!({ "character_id": 90_000_000 + number, "corporation_id": 98_000_000 + number % 50 });
        let mut victim = pilot(below(1_000));
        victim["ship_type_id"] = json!(587 + below(20));
        // Frigates, cruisers, battleships, freighters, titans.
        victim["ship_group_id"] = json!([25, 26, 27, 513, 30][below(5) as usize]);
        victim["damage_taken"] = json!(500 + below(100_000));
        let attackers: Vec<_> = (0..=below(4))
            .map(|number| {
                let mut attacker = pilot(below(1_000));
                attacker["final_blow"] = json!(number == 0);
                attacker
            })
            .collect();
        let killmail = json!({
            "killmail_id": 100_000_000u64 + id,
            "kill_time": DateTime::from_timestamp(time as i64, 0).unwrap_or_default().to_rfc3339(),
            "system_id": 30_000_100 + system,
            "system_security": (system as f64) / 50.0 - 1.0,
            "region_id": 10_000_001 + system / 25,
            "total_value": below(20_000_000_000),
            "is_solo": attackers.len() == 1,
            "is_npc": false,
            "victim": victim,
            "attackers": attackers,
        });
        writeln!(out, "{killmail}")?;
    }
    out.flush()
}
