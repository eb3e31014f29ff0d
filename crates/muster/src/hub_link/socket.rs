//! The WebSocket handshake at `/ws/connect`.

use std::time::Duration;

use hyper::StatusCode;
use hyper::header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL, USER_AGENT};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use super::dial::Stream;
use super::{Dialler, LinkError, Secret};
use protocol::limits::{CONTROL_BYTES_MAX, FRAME_BYTES_MAX};

/// Largest message that is taken from the hub: a control message; frames are smaller.
const MESSAGE_BYTES_MAX: usize = if CONTROL_BYTES_MAX > FRAME_BYTES_MAX { CONTROL_BYTES_MAX } else { FRAME_BYTES_MAX };
/// Seconds for the handshake.
const HANDSHAKE_S_MAX: u64 = 20;

/// A socket to the hub.
pub type HubSocket = WebSocketStream<Box<dyn Stream>>;

/// Opens the socket with a pass from [`super::exchange`].
pub async fn connect(dialler: &Dialler, jwt: &Secret) -> Result<HubSocket, LinkError> {
    let address = &dialler.address;
    let unexpected = |why: String| LinkError::Answer { address: address.authority().into(), why };
    let mut request = address.connect_url().into_client_request().map_err(|error| unexpected(error.to_string()))?;
    let headers = request.headers_mut();
    headers.insert(AUTHORIZATION, jwt.bearer().map_err(|_| unexpected("the JWT is not plain text".into()))?);
    headers.insert(SEC_WEBSOCKET_PROTOCOL, hyper::header::HeaderValue::from_static(protocol::SUBPROTOCOL));
    let agent = concat!("muster/", env!("CARGO_PKG_VERSION"));
    headers.insert(USER_AGENT, hyper::header::HeaderValue::from_static(agent));
    let config = WebSocketConfig::default()
        .max_message_size(Some(MESSAGE_BYTES_MAX))
        .max_frame_size(Some(MESSAGE_BYTES_MAX))
        .read_buffer_size(32 * 1024)
        .write_buffer_size(FRAME_BYTES_MAX)
        .max_write_buffer_size(4 * MESSAGE_BYTES_MAX);
    let stream = dialler.dial().await?;
    let handshake = tokio_tungstenite::client_async_with_config(request, stream, Some(config));
    match tokio::time::timeout(Duration::from_secs(HANDSHAKE_S_MAX), handshake).await {
        Ok(Ok((socket, _response))) => Ok(socket),
        Ok(Err(Error::Http(response))) if response.status() == StatusCode::UNAUTHORIZED => Err(LinkError::Unauthorized),
        // Without that header it is a proxy that does not speak WebSocket, and may be mended any time.
        Ok(Err(Error::Http(response)))
            if response.status() == StatusCode::UPGRADE_REQUIRED
                && response.headers().contains_key(SEC_WEBSOCKET_PROTOCOL) =>
        {
            Err(LinkError::Version)
        }
        Ok(Err(Error::Http(response))) => Err(unexpected(format!("/ws/connect answers {}", response.status()))),
        Ok(Err(error)) => Err(unexpected(error.to_string())),
        Err(_) => Err(LinkError::TimedOut { address: address.authority().into(), seconds: HANDSHAKE_S_MAX }),
    }
}
