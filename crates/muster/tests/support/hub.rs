//! A model hub: the token exchange and `/ws/connect`, and nothing else.

use std::sync::{Arc, Mutex};

use futures_util::{SinkExt as _, StreamExt as _};
use protocol::control::{self, RunnerCommand, RunnerMessage};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Bytes, Message};

use super::soon;

/// The token that the model takes.
pub const TOKEN: &str = "mst_secret-token";
/// The runner's id in the model.
pub const RUNNER: &str = "tok_1";

/// What happened at the door.
#[derive(Debug, Default)]
pub struct Door {
    /// Heads of all exchanges.
    pub exchanges: Vec<String>,
    /// Whether the token is refused.
    pub refuses: bool,
    /// JWTs given so far.
    pub jwts: u32,
}

/// A hub on a port of this machine.
pub struct ModelHub {
    pub url: String,
    pub door: Arc<Mutex<Door>>,
    links: mpsc::UnboundedReceiver<HubSide>,
    exchanged: mpsc::UnboundedReceiver<()>,
}

/// The hub's end of one connection.
pub struct HubSide {
    pub authorization: String,
    pub protocol: String,
    pub target: String,
    socket: WebSocketStream<TcpStream>,
}

impl ModelHub {
    pub async fn start() -> ModelHub {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
        let url = format!("http://{}", listener.local_addr().expect("address"));
        let door = Arc::new(Mutex::new(Door::default()));
        let (sender, links) = mpsc::unbounded_channel();
        let (exchange_sender, exchanged) = mpsc::unbounded_channel();
        let at_door = door.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (sender, exchanged, door) = (sender.clone(), exchange_sender.clone(), at_door.clone());
                tokio::spawn(async move {
                    let mut head = [0; 5];
                    while stream.peek(&mut head).await.is_ok_and(|seen| seen > 0 && seen < head.len()) {}
                    if &head == b"POST " {
                        exchange(stream, &door).await;
                        let _ = exchanged.send(());
                    } else if let Some(link) = upgrade(stream).await {
                        let _ = sender.send(link);
                    }
                });
            }
        });
        ModelHub { url, door, links, exchanged }
    }

    /// The next connection.
    pub async fn accept(&mut self) -> HubSide {
        soon("a connection", self.links.recv()).await.expect("the listener lives")
    }

    /// The next connection, past `hello` and `welcome`.
    pub async fn welcome(&mut self) -> (HubSide, RunnerMessage) {
        let mut link = self.accept().await;
        let hello = link.message().await;
        assert!(matches!(hello, RunnerMessage::Hello { .. }), "{hello:?}");
        link.welcome().await;
        (link, hello)
    }

    /// The next exchange, answered.
    pub async fn exchanged(&mut self) {
        soon("an exchange", self.exchanged.recv()).await.expect("the listener lives");
    }
}

async fn exchange(mut stream: TcpStream, door: &Mutex<Door>) {
    let (mut head, mut buffer) = (String::new(), [0; 1024]);
    while !head.contains("\r\n\r\n") {
        match stream.read(&mut buffer).await {
            Ok(read) if read > 0 => head += &String::from_utf8_lossy(&buffer[..read]),
            _ => return,
        }
    }
    let answer = {
        let mut door = door.lock().expect("door");
        door.jwts += 1;
        let known = head.to_ascii_lowercase().contains(&format!("authorization: bearer {TOKEN}\r\n"));
        let refused = door.refuses || !known || !head.starts_with("POST /api/tokens/exchange HTTP/1.1\r\n");
        door.exchanges.push(head);
        if refused {
            ("401 Unauthorized", r#"{"error":{"code":"revoked","message":"this token was revoked"}}"#.to_owned())
        } else {
            let jwt = door.jwts;
            let body = format!(
                r#"{{"jwt":"jwt-{jwt}","expires_at_ms":9007199254740991,"runner":{{"id":"{RUNNER}","name":"laptop"}}}}"#
            );
            ("200 OK", body)
        }
    };
    let (status, body) = answer;
    let length = body.len();
    let text = format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}");
    let _ = stream.write_all(text.as_bytes()).await;
}

async fn upgrade(stream: TcpStream) -> Option<HubSide> {
    let (mut authorization, mut protocol, mut target) = Default::default();
    #[allow(clippy::result_large_err)] // The callback's type is the library's.
    let look = |request: &Request, mut response: Response| {
        let header = |name| request.headers().get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
        authorization = header("authorization");
        protocol = header("sec-websocket-protocol");
        target = request.uri().to_string();
        let chosen = HeaderValue::from_static(protocol::SUBPROTOCOL);
        response.headers_mut().insert("sec-websocket-protocol", chosen);
        Ok(response)
    };
    let socket = tokio_tungstenite::accept_hdr_async(stream, look).await.ok()?;
    Some(HubSide { authorization, protocol, target, socket })
}

impl HubSide {
    /// The next message that is no keep-alive; those are answered as the runtime would.
    pub async fn next(&mut self) -> Option<Message> {
        loop {
            match soon("a message", self.socket.next()).await {
                Some(Ok(Message::Text(text))) if text.as_str() == protocol::PING => {
                    self.send(Message::text(protocol::PONG)).await;
                }
                Some(Ok(message)) => return Some(message),
                Some(Err(_)) | None => return None,
            }
        }
    }

    /// The next control message.
    pub async fn message(&mut self) -> RunnerMessage {
        match self.next().await {
            Some(Message::Text(text)) => control::decode(&text).expect("a message"),
            other => panic!("wanted a control message, got {other:?}"),
        }
    }

    /// The next control message that `pick` takes; others are passed over, frames too.
    pub async fn until<T>(&mut self, what: &str, pick: impl Fn(&RunnerMessage) -> Option<T>) -> T {
        let search = async {
            loop {
                match self.next().await {
                    Some(Message::Text(text)) => {
                        if let Some(found) = pick(&control::decode(&text).expect("a message")) {
                            return found;
                        }
                    }
                    Some(Message::Binary(_)) => {}
                    other => panic!("wanted {what}, got {other:?}"),
                }
            }
        };
        soon(what, search).await
    }

    /// The next frame; control messages are passed over.
    pub async fn frame(&mut self) -> Bytes {
        loop {
            match self.next().await {
                Some(Message::Binary(bytes)) => return bytes,
                Some(Message::Text(_)) => {}
                other => panic!("wanted a frame, got {other:?}"),
            }
        }
    }

    pub async fn welcome(&mut self) {
        let (version, name) = ("0.0.1".into(), "laptop".into());
        self.command(&RunnerCommand::Welcome { version, name, now_ms: 1, capabilities: Vec::new() }).await;
    }

    pub async fn command(&mut self, command: &RunnerCommand) {
        self.send(Message::text(control::encode(command))).await;
    }

    pub async fn send(&mut self, message: Message) {
        soon("the runner to read", self.socket.send(message)).await.expect("sent");
    }

    pub async fn close(mut self, code: u16) {
        let frame = CloseFrame { code: code.into(), reason: "test".into() };
        let _ = self.socket.close(Some(frame)).await;
        while let Some(Ok(_)) = soon("the close", self.socket.next()).await {}
    }

    /// As when a cable is pulled: no close frame.
    pub fn cut(self) {
        drop(self.socket);
    }
}
