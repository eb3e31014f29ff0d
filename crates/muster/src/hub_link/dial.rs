//! A byte stream to the hub: TCP without delay, and TLS when the address asks for it.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};

use super::{HubAddress, LinkError};

/// Seconds for name resolution, TCP and TLS together.
const DIAL_S_MAX: u64 = 15;

/// A stream of bytes either way, plain or not.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Dials one hub; reads the machine's root certificates once, at the first use of TLS.
#[derive(Debug)]
pub struct Dialler {
    /// Where to.
    pub address: HubAddress,
    tls: OnceLock<Arc<ClientConfig>>,
}

impl Dialler {
    /// For this hub.
    pub fn new(address: HubAddress) -> Dialler {
        Dialler { address, tls: OnceLock::new() }
    }

    /// A fresh connection.
    pub async fn dial(&self) -> Result<Box<dyn Stream>, LinkError> {
        let timed_out = || LinkError::TimedOut { address: self.address.authority().into(), seconds: DIAL_S_MAX };
        tokio::time::timeout(Duration::from_secs(DIAL_S_MAX), self.dial_untimed()).await.map_err(|_| timed_out())?
    }

    async fn dial_untimed(&self) -> Result<Box<dyn Stream>, LinkError> {
        let unreachable = |why: String| LinkError::Unreachable { address: self.address.authority().into(), why };
        let host = self.address.host.clone();
        let stream = TcpStream::connect((host.as_str(), self.address.port))
            .await
            .map_err(|error| unreachable(error.to_string()))?;
        // A keystroke's echo must not wait for the acknowledgement of the one before.
        stream.set_nodelay(true).map_err(|error| unreachable(error.to_string()))?;
        if !self.address.tls {
            return Ok(Box::new(stream));
        }
        let name = ServerName::try_from(host).map_err(|error| unreachable(error.to_string()))?;
        let config = self.tls_config().map_err(unreachable)?;
        let stream =
            TlsConnector::from(config).connect(name, stream).await.map_err(|error| unreachable(error.to_string()))?;
        Ok(Box::new(stream))
    }

    fn tls_config(&self) -> Result<Arc<ClientConfig>, String> {
        if let Some(config) = self.tls.get() {
            return Ok(config.clone());
        }
        let found = rustls_native_certs::load_native_certs();
        let mut roots = RootCertStore::empty();
        let (usable, _) = roots.add_parsable_certificates(found.certs);
        if usable == 0 {
            return Err("this machine has no root certificates: install `ca-certificates` or set SSL_CERT_FILE".into());
        }
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(self.tls.get_or_init(|| Arc::new(config)).clone())
    }
}
