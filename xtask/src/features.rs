//! Checks that each crate compiles with each of its features alone, and with none.
//!
//! A build of the whole workspace joins the features of all crates, and so hides what a crate forgot to ask for, and the code
//! that is there only while a feature is off.

use anyhow::{Context, Result};
use serde_json::Value;

use crate::project::Project;

/// Lints the libraries and programs of every crate that is published, with every selection of features that [`selections`] makes
/// of it.
pub(crate) fn check(project: &Project) -> Result<()> {
    let metadata =
        project.cargo().args(["metadata", "--locked", "--no-deps", "--format-version", "1"]).read()?;
    let metadata: Value = serde_json::from_str(&metadata).context("cargo metadata printed no JSON")?;
    for (package, features) in metadata["packages"].as_array().into_iter().flatten().flat_map(selections) {
        let clippy =
            project.cargo().args(["clippy", "--locked", "--no-default-features", "--package", package]);
        clippy
            .args(features.map(|name| format!("--features={name}")))
            .args(["--", "-D", "warnings"])
            .run()?;
    }
    Ok(())
}

/// A package's name with none of its features, and with each of them alone. One without features is compiled alone too, with
/// those of its dependencies that it asks for itself.
fn selections(package: &Value) -> Vec<(&str, Option<&str>)> {
    // The crates that are not published have an empty list of registries.
    let (Some(name), Value::Null) = (package["name"].as_str(), &package["publish"]) else {
        return Vec::new();
    };
    let features = package["features"].as_object().into_iter().flatten();
    let each = features.map(|(feature, _)| feature.as_str()).filter(|feature| *feature != "default");
    [(name, None)].into_iter().chain(each.map(|feature| (name, Some(feature)))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_feature_is_selected_alone() {
        let package = json!({ "name": "one", "features": { "default": ["a"], "a": [], "b": ["a"] } });
        assert_eq!(selections(&package), [("one", None), ("one", Some("a")), ("one", Some("b"))]);
        assert_eq!(selections(&json!({ "name": "two", "features": {} })), [("two", None)]);
        assert_eq!(selections(&json!({ "name": "three", "features": { "a": [] }, "publish": [] })), []);
    }
}
