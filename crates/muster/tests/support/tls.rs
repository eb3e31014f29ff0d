//! A front with TLS before a model hub, and a certificate authority of its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, pem::PemObject};

/// Ends TLS and passes bytes on.
pub struct TlsFront {
    pub url: String,
    /// The certificate that a client must trust.
    pub certificate: PathBuf,
}

impl TlsFront {
    pub async fn start(hub: &str, folder: &Path) -> TlsFront {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).expect("certificate");
        let certificate = folder.join("ca.pem");
        std::fs::write(&certificate, made.cert.pem()).expect("written");
        let key = PrivateKeyDer::from_pem_slice(made.signing_key.serialize_pem().as_bytes()).expect("key");
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .expect("config");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
        let url = format!("https://localhost:{}", listener.local_addr().expect("address").port());
        let behind = hub.trim_start_matches("http://").to_owned();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, behind) = (acceptor.clone(), behind.clone());
                tokio::spawn(async move {
                    let (Ok(mut front), Ok(mut back)) =
                        (acceptor.accept(stream).await, TcpStream::connect(behind).await)
                    else {
                        return;
                    };
                    let _ = tokio::io::copy_bidirectional(&mut front, &mut back).await;
                });
            }
        });
        TlsFront { url, certificate }
    }
}
