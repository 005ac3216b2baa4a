//! A proxy that injects network faults. It accepts one request per connection, so that requests can be counted.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The fault that a request meets.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    None,
    /// The connection is reset before the response.
    Reset,
    /// There is no response.
    Stall,
    /// The connection is closed after so many bytes of the body.
    CutBody(usize),
    /// The body stops after so many bytes, and the connection stays open.
    StallBody(usize),
    /// The body is sent byte by byte, with this pause after each.
    DripBody(Duration),
    /// One bit of this byte of the body is flipped.
    CorruptBody(usize),
    /// The response is a 503.
    Busy,
}

/// A running proxy, which stops with the runtime.
pub(crate) struct Proxy {
    address: SocketAddr,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    requests: AtomicUsize,
    body_bytes: AtomicUsize,
}

impl Proxy {
    /// Starts a proxy in front of `server`. `fault` returns the fault of the n-th request, from 0.
    pub(crate) async fn start(server: SocketAddr, fault: impl Fn(usize) -> Fault + Send + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let proxy = Self { address: listener.local_addr().unwrap(), counts: Arc::default() };
        let counts = Arc::clone(&proxy.counts);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let counts = Arc::clone(&counts);
                let fault = fault(counts.requests.fetch_add(1, Ordering::SeqCst));
                // An error means that the client closed the connection.
                tokio::spawn(async move {
                    relay(client, server, fault, &counts).await.ok();
                });
            }
        });
        proxy
    }

    /// The address of the proxy.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The number of requests so far.
    pub(crate) fn requests(&self) -> usize {
        self.counts.requests.load(Ordering::SeqCst)
    }

    /// The number of body bytes sent to clients so far.
    pub(crate) fn body_bytes(&self) -> usize {
        self.counts.body_bytes.load(Ordering::SeqCst)
    }
}

async fn relay(mut client: TcpStream, server: SocketAddr, fault: Fault, counts: &Counts) -> std::io::Result<()> {
    let mut request = read_head(&mut client).await?;
    match fault {
        Fault::Reset => return client.set_zero_linger(),
        Fault::Stall => std::future::pending().await,
        Fault::Busy => return client.write_all(b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\n\r\n").await,
        _ => {}
    }
    // The signature does not cover this header, which makes the server close the connection after the response.
    request.truncate(request.len() - 2);
    request.extend_from_slice(b"Connection: close\r\n\r\n");
    let mut upstream = TcpStream::connect(server).await?;
    upstream.write_all(&request).await?;

    let head = read_head(&mut upstream).await?;
    client.write_all(&head).await?;
    let mut sent = 0;
    let mut chunk = vec![0; 16 * 1024];
    loop {
        let length = upstream.read(&mut chunk).await?;
        if length == 0 {
            return client.shutdown().await;
        }
        let mut body = &mut chunk[..length];
        match fault {
            Fault::CutBody(after) | Fault::StallBody(after) if sent + length > after => {
                body = &mut body[..after - sent];
            }
            Fault::CorruptBody(position) if (sent..sent + length).contains(&position) => body[position - sent] ^= 1,
            _ => {}
        }
        if let Fault::DripBody(pause) = fault {
            for byte in body.iter() {
                client.write_all(&[*byte]).await?;
                tokio::time::sleep(pause).await;
            }
        } else {
            client.write_all(body).await?;
        }
        sent += body.len();
        counts.body_bytes.fetch_add(body.len(), Ordering::SeqCst);
        match fault {
            Fault::CutBody(after) if sent == after => return client.shutdown().await,
            Fault::StallBody(after) if sent == after => std::future::pending().await,
            _ => {}
        }
    }
}

/// Reads a head up to and including the empty line.
async fn read_head(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    Ok(head)
}
