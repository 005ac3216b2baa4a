//! TLS in front of the proxy, with certificates of a test authority.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tempfile::NamedTempFile;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// How the server answers the start of a TLS connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handshake {
    /// With a valid certificate.
    Valid,
    /// With a certificate of an authority that the client does not trust.
    Untrusted,
    /// With a certificate that has expired.
    Expired,
    /// With a certificate for another host.
    OtherHost,
    /// In plain text.
    PlainText,
    /// Not at all.
    Stalled,
}

/// A listener that ends TLS and passes the bytes on.
pub(crate) struct TlsFront {
    address: SocketAddr,
    handshake: Arc<Mutex<Handshake>>,
    authority: NamedTempFile,
}

impl TlsFront {
    /// Starts it in front of a server.
    pub(crate) async fn start(server: SocketAddr) -> Self {
        let (trusted, authority) = Authority::new();
        let (untrusted, _) = Authority::new();
        let file = NamedTempFile::new().unwrap();
        std::fs::write(file.path(), authority).unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let handshake = Arc::new(Mutex::new(Handshake::Valid));
        let current = handshake.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let handshake = *current.lock().unwrap();
                let acceptor = match handshake {
                    Handshake::Valid | Handshake::PlainText | Handshake::Stalled => trusted.acceptor("localhost", true),
                    Handshake::Untrusted => untrusted.acceptor("localhost", true),
                    Handshake::Expired => trusted.acceptor("localhost", false),
                    Handshake::OtherHost => trusted.acceptor("example.com", true),
                };
                // An error means that the client has closed the connection.
                tokio::spawn(async move { pass_on(client, server, handshake, acceptor).await.ok() });
            }
        });
        Self { address, handshake, authority: file }
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// The file with the certificate of the authority.
    pub(crate) fn authority(&self) -> &Path {
        self.authority.path()
    }

    pub(crate) fn answer(&self, handshake: Handshake) {
        *self.handshake.lock().unwrap() = handshake;
    }
}

async fn pass_on(
    mut client: TcpStream,
    server: SocketAddr,
    handshake: Handshake,
    acceptor: TlsAcceptor,
) -> std::io::Result<()> {
    let mut upstream = TcpStream::connect(server).await?;
    match handshake {
        Handshake::Stalled => std::future::pending().await,
        Handshake::PlainText => tokio::io::copy_bidirectional(&mut client, &mut upstream).await?,
        _ => tokio::io::copy_bidirectional(&mut acceptor.accept(client).await?, &mut upstream).await?,
    };
    Ok(())
}

/// A certificate authority.
struct Authority(Issuer<'static, KeyPair>);

impl Authority {
    /// A new authority and its certificate as PEM.
    fn new() -> (Self, String) {
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = parameters.self_signed(&key).unwrap().pem();
        (Self(Issuer::new(parameters, key)), certificate)
    }

    /// TLS with a new certificate for a host, which is valid or has expired.
    fn acceptor(&self, host: &str, is_valid: bool) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::new(vec![host.to_owned()]).unwrap();
        if !is_valid {
            parameters.not_after = rcgen::date_time_ymd(2020, 1, 1);
        }
        let certificate: CertificateDer<'static> = parameters.signed_by(&key, &self.0).unwrap().into();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}
