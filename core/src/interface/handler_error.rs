//! Why a handler failed.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// Any error or text, for the author of the handler. `?` and `.into()` make one of every [`Error`], `&str` and
/// `String`.
///
/// It keeps the original error, so that [`Handler::error`](crate::Handler::error) and the callback for errors can tell
/// one kind from another.
///
/// ```
/// use switchboard_core::HandlerError;
///
/// fn count(text: &str) -> Result<u32, HandlerError> {
///     Ok(text.parse::<u32>()?)
/// }
///
/// let error = count("many").unwrap_err();
/// assert!(error.is::<std::num::ParseIntError>());
/// assert_eq!(error.to_string(), "invalid digit found in string");
/// ```
///
/// It does not implement `Error` itself, as then it could not be made of all others; [`source`](Self::source) is the
/// error that it holds.
#[derive(Clone)]
pub struct HandlerError(Arc<dyn Error + Send + Sync>);

impl HandlerError {
    /// Whether it was made of an error of this type.
    pub fn is<E: Error + 'static>(&self) -> bool {
        self.0.is::<E>()
    }

    /// The error that it was made of, if that has this type.
    pub fn downcast_ref<E: Error + 'static>(&self) -> Option<&E> {
        self.0.downcast_ref()
    }

    /// The error that it was made of.
    pub fn source(&self) -> &(dyn Error + Send + Sync + 'static) {
        &*self.0
    }
}

impl<E: Into<Box<dyn Error + Send + Sync>>> From<E> for HandlerError {
    fn from(error: E) -> Self {
        Self(Arc::from(error.into()))
    }
}

/// For functions that pass on every error with `?`.
impl From<HandlerError> for Box<dyn Error> {
    fn from(error: HandlerError) -> Self {
        Box::new(Held(error))
    }
}

impl fmt::Display for HandlerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for HandlerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Equal if their texts are.
impl PartialEq for HandlerError {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

/// The error as a type that implements `Error`.
struct Held(HandlerError);

impl Error for Held {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source().source()
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use std::num::ParseIntError;

    use super::*;

    #[test]
    fn any_error_and_any_text_become_one() {
        let number = || "x".parse::<u8>().map_err(HandlerError::from);
        let error = number().unwrap_err();
        assert!(error.is::<ParseIntError>() && !error.is::<fmt::Error>());
        assert_eq!(error.downcast_ref::<ParseIntError>().unwrap().to_string(), error.to_string());
        assert_eq!(HandlerError::from("a"), String::from("a").into());
        let boxed: Box<dyn Error + Send + Sync> = Box::new(fmt::Error);
        assert!(HandlerError::from(boxed).is::<fmt::Error>());
    }

    #[test]
    fn it_passes_on_with_a_question_mark() {
        fn passed() -> Result<(), Box<dyn Error>> {
            Err::<(), _>(HandlerError::from("words"))?;
            Ok(())
        }
        assert_eq!(passed().unwrap_err().to_string(), "words");
    }
}
