//! How a handler takes over a route from another one.

use std::any::Any;

use crate::handler::Handler;
use crate::handler::with_callbacks::WithCallbacks;

/// The handler that has served a route so far: [`Handler::succeed`] takes its state.
pub struct Predecessor<'a>(&'a mut dyn Handler);

impl<'a> Predecessor<'a> {
    pub(crate) fn new(handler: &'a mut dyn Handler) -> Self {
        Self(handler)
    }

    /// The predecessor, if it is of this type. Behind [`WithCallbacks`] the handler within it counts.
    pub fn get<T: Handler>(&mut self) -> Option<&mut T> {
        find(self.0)
    }

    /// The same without looking into [`WithCallbacks`].
    pub(crate) fn outermost<T: Handler>(&mut self) -> Option<&mut T> {
        (self.0 as &mut dyn Any).downcast_mut()
    }
}

fn find<T: Handler>(handler: &mut dyn Handler) -> Option<&mut T> {
    let any: &mut dyn Any = handler;
    if any.is::<T>() {
        return any.downcast_mut();
    }
    find(any.downcast_mut::<WithCallbacks>()?.inner())
}
