//! A model hub for tests: answers from a list.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::{Dialler, HubAddress};

/// Answers each request with the next of these (status, body), then hangs up; keeps what it was sent.
pub(crate) async fn model(answers: Vec<(&'static str, String)>) -> (Dialler, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let url = format!("http://{}", listener.local_addr().expect("address"));
    let asked = Arc::new(Mutex::new(Vec::new()));
    let heard = asked.clone();
    tokio::spawn(async move {
        for (status, body) in answers {
            let (mut stream, _) = listener.accept().await.expect("accept");
            let request = request(&mut stream).await;
            heard.lock().expect("asked").push(request);
            let text = if status.is_empty() {
                body
            } else {
                format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
            };
            let _ = stream.write_all(text.as_bytes()).await;
        }
    });
    (Dialler::new(HubAddress::parse(&url).expect("address")), asked)
}

/// One whole request.
async fn request(stream: &mut tokio::net::TcpStream) -> String {
    let (mut text, mut buffer) = (String::new(), [0; 1024]);
    loop {
        let whole = text.split_once("\r\n\r\n").is_some_and(|(head, body)| {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
            body.len() >= length
        });
        if whole {
            return text;
        }
        match stream.read(&mut buffer).await {
            Ok(read) if read > 0 => text += &String::from_utf8_lossy(&buffer[..read]),
            _ => return text,
        }
    }
}

/// A refusal in a hub's form.
pub(crate) fn refusal(code: &str) -> String {
    format!(r#"{{"error":{{"code":"{code}","message":"the hub's words","request_id":"r"}}}}"#)
}

/// Runs a test's conversation.
pub(crate) fn test<F: Future>(work: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime").block_on(work)
}
