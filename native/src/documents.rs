//! JSON and YAML files that belong to a configuration, such as schemas.

use std::path::Path;

use serde_json::Value;
use switchboard_core::{Config, ConfigError};

/// Reads the files that belong to a configuration into it, such as schemas of contracts. Servers do this by themselves with the
/// configuration that they are given; it is for those who look at one without serving it.
///
/// # Errors
///
/// A file cannot be read, or what is in it is wrong.
pub fn load(config: &mut Config) -> Result<(), ConfigError> {
    config.load(read)
}

/// What is in a file, by its extension YAML or JSON.
fn read(file: &str) -> Result<Value, String> {
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    let extension = Path::new(file).extension().unwrap_or_default();
    if ["yaml", "yml"].iter().any(|yaml| extension.eq_ignore_ascii_case(yaml)) {
        // Those of YAML 1.2, as in Node: `on` and `yes` are text.
        let options = serde_saphyr::options! { strict_booleans: true };
        return serde_saphyr::from_str_with_options(&text, options)
            .map_err(|error| format!("not YAML: {error}"));
    }
    serde_json::from_str(&text).map_err(|error| format!("not JSON: {error}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn yaml_is_read_as_json() {
        let folder = std::env::temp_dir().join(format!("switchboard-documents-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let of = |name: &str, text: &str| {
            let file = folder.join(name);
            std::fs::write(&file, text).unwrap();
            read(&file.to_string_lossy())
        };
        let yaml = "type: object\nproperties:\n  at: { type: string, enum: [2026-11-22, 'no', on] }\n  n: &n {minimum: 1.5}\n  m: *n\n";
        let expected = json!({
            "type": "object",
            "properties": {
                "at": { "type": "string", "enum": ["2026-11-22", "no", "on"] },
                "n": { "minimum": 1.5 },
                "m": { "minimum": 1.5 },
            },
        });
        assert_eq!(of("a.yaml", yaml), Ok(expected));
        assert_eq!(of("b.json", "{\"a\":1}"), Ok(json!({ "a": 1 })));
        assert!(of("c.json", "{").unwrap_err().starts_with("not JSON: EOF"));
        assert!(of("d.YML", "a: [").unwrap_err().starts_with("not YAML: "));
        assert!(read(&folder.join("none.json").to_string_lossy()).is_err());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
