//! What a channel's functions may return.

use switchboard_core::{ChannelReply, HandlerError};

/// What a channel's function may return: nothing, a [`ChannelReply`], or a `Result` of either with any error.
pub trait IntoChannelReply {
    /// The one form.
    fn into_channel_reply(self) -> Result<ChannelReply, HandlerError>;
}

impl IntoChannelReply for () {
    fn into_channel_reply(self) -> Result<ChannelReply, HandlerError> {
        Ok(ChannelReply::none())
    }
}

impl IntoChannelReply for ChannelReply {
    fn into_channel_reply(self) -> Result<ChannelReply, HandlerError> {
        Ok(self)
    }
}

impl<R: IntoChannelReply, E: Into<HandlerError>> IntoChannelReply for Result<R, E> {
    fn into_channel_reply(self) -> Result<ChannelReply, HandlerError> {
        self.map_err(Into::into)?.into_channel_reply()
    }
}
