//! Variables of the environment in options: `${NAME}`.

/// The text with each `${NAME}` replaced by its value. The error does not show the text, which may be a secret.
pub(crate) fn replace_variables(
    text: &str,
    variable: &mut dyn FnMut(&str) -> Option<String>,
) -> Result<String, String> {
    let mut replaced = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, after)) = after.split_once('}') else {
            return Err("the brace of ${ is never closed".to_owned());
        };
        let value =
            variable(name).ok_or_else(|| format!("there is no variable {name} in the environment"))?;
        replaced.push_str(before);
        replaced.push_str(&value);
        rest = after;
    }
    replaced.push_str(rest);
    Ok(replaced)
}
