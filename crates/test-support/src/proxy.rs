//! A proxy in front of an S3 server that injects network faults. It accepts one request per connection, so that requests
//! can be counted.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

/// The fault that a request meets.
#[derive(Debug, Clone)]
pub enum Fault {
    /// No fault.
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
    /// The same in a response without headers with checksums.
    CorruptUnverifiedBody(usize),
    /// The header announces a length that differs by so many bytes from that of the body.
    Announce(isize),
    /// The body pauses after so many bytes, until [`Pause::resume`].
    PauseBody(usize, Pause),
    /// The server handles the request, and the connection is reset instead of its response.
    LoseResponse,
    /// The response is a 503 without a body.
    Busy,
    /// The response is this status with an error document of S3 that has this code.
    Respond(u16, &'static str),
}

/// A pause within a body.
#[derive(Debug, Clone, Default)]
pub struct Pause(Arc<(Notify, Notify)>);

impl Pause {
    /// Waits until the body pauses.
    pub async fn reached(&self) {
        self.0.0.notified().await;
    }

    /// Lets the body go on.
    pub fn resume(&self) {
        self.0.1.notify_one();
    }
}

/// A request that the proxy has read.
#[derive(Debug)]
pub struct Request {
    /// Its number, from 0.
    pub number: usize,
    /// The method.
    pub method: String,
    /// The path, with the query.
    pub target: String,
    /// The value of the header `Range`.
    pub range: Option<String>,
}

/// A running proxy, which stops with the runtime.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    counts: Arc<Counts>,
    is_open: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct Counts(Mutex<(Vec<String>, usize)>);

impl Counts {
    /// Records a request. Returns its number.
    fn count(&self, target: &str) -> usize {
        let targets = &mut self.0.lock().unwrap().0;
        targets.push(target.to_owned());
        targets.len() - 1
    }
}

impl Proxy {
    /// Starts a proxy in front of `server`. `fault` returns the fault of the n-th request, from 0.
    pub async fn start(server: SocketAddr, fault: impl Fn(usize) -> Fault + Send + Sync + 'static) -> Self {
        Self::start_with(server, move |request| fault(request.number)).await
    }

    /// Starts a proxy in front of `server`. `fault` returns the fault of a request.
    #[allow(clippy::unused_async, reason = "it needs a runtime")]
    pub async fn start_with(server: SocketAddr, fault: impl Fn(&Request) -> Fault + Send + Sync + 'static) -> Self {
        let listener = listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        let (is_open, open) = watch::channel(true);
        let proxy = Self { address: listener.local_addr().unwrap(), counts: Arc::default(), is_open };
        tokio::spawn(accept(listener, server, Arc::clone(&proxy.counts), Arc::new(fault), open));
        proxy
    }

    /// Closes the port and all connections: connections are refused.
    pub fn close(&self) {
        self.is_open.send_replace(false);
    }

    /// Opens the port again.
    pub fn open(&self) {
        self.is_open.send_replace(true);
    }

    /// The address of the proxy.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The number of requests so far.
    pub fn requests(&self) -> usize {
        self.counts.0.lock().unwrap().0.len()
    }

    /// The paths of the requests so far, with their queries.
    pub fn targets(&self) -> Vec<String> {
        self.counts.0.lock().unwrap().0.clone()
    }

    /// The number of body bytes sent to clients so far.
    pub fn body_bytes(&self) -> usize {
        self.counts.0.lock().unwrap().1
    }
}

type Choice = Arc<dyn Fn(&Request) -> Fault + Send + Sync>;

fn bind(address: SocketAddr) -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.bind(address).unwrap();
    socket
}

fn listen(address: SocketAddr) -> TcpListener {
    bind(address).listen(1024).unwrap()
}

async fn accept(
    mut listener: TcpListener,
    server: SocketAddr,
    counts: Arc<Counts>,
    fault: Choice,
    mut open: watch::Receiver<bool>,
) {
    let address = listener.local_addr().unwrap();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((client, _)) = accepted else { continue };
                let (counts, fault) = (Arc::clone(&counts), Arc::clone(&fault));
                // An error means that the client closed the connection.
                connections.spawn(async move { relay(client, server, &fault, &counts).await.ok() });
            }
            has_ended = async { open.wait_for(|open| !open).await.is_err() } => {
                if has_ended {
                    // The test has ended; its connections stay until the runtime does.
                    std::future::pending::<()>().await;
                }
                connections.abort_all();
                drop(listener);
                // Bound, so that nobody else gets the port, but not listening.
                let socket = bind(address);
                if open.wait_for(|open| *open).await.is_err() {
                    return;
                }
                listener = socket.listen(1024).unwrap();
            }
        }
    }
}

async fn relay(mut client: TcpStream, server: SocketAddr, fault: &Choice, counts: &Counts) -> std::io::Result<()> {
    let mut request = read_head(&mut client).await?;
    let text = String::from_utf8_lossy(&request).into_owned();
    let mut line = text.split(' ').map(str::to_owned);
    let (method, target) = (line.next().unwrap_or_default(), line.next().unwrap_or_default());
    let number = counts.count(&target);
    let range =
        text.lines().filter_map(|line| line.split_once(':')).find(|(name, _)| name.eq_ignore_ascii_case("range"));
    let range = range.map(|(_, value)| value.trim().to_owned());
    let fault = fault(&Request { number, method, target, range });
    match fault {
        Fault::Reset => return client.set_zero_linger(),
        Fault::Stall => std::future::pending().await,
        Fault::Busy => return client.write_all(b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\n\r\n").await,
        Fault::Respond(status, code) => return respond(&mut client, status, code).await,
        _ => {}
    }
    // The signature does not cover this header, which makes the server close the connection after the response.
    request.truncate(request.len() - 2);
    request.extend_from_slice(b"Connection: close\r\n\r\n");
    let socket = TcpSocket::new_v4()?;
    // Small, so that the server has not sent a large object before a pause.
    socket.set_recv_buffer_size(16 * 1024)?;
    let mut upstream = socket.connect(server).await?;
    upstream.write_all(&request).await?;
    tokio::io::copy(&mut (&mut client).take(body_length(&text)), &mut upstream).await?;

    let head = read_head(&mut upstream).await?;
    if let Fault::LoseResponse = fault {
        return client.set_zero_linger();
    }
    client.write_all(&changed_head(&head, &fault)).await?;
    relay_body(&mut client, &mut upstream, &fault, counts).await
}

/// The length of the body of a request.
fn body_length(head: &str) -> u64 {
    let lines = head.split("\r\n").filter_map(|line| line.split_once(':'));
    let mut lengths = lines.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    lengths.next().map_or(0, |(_, value)| value.trim().parse().unwrap())
}

/// Answers with an error document of S3.
async fn respond(client: &mut TcpStream, status: u16, code: &str) -> std::io::Result<()> {
    let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>injected</Message></Error>");
    let length = body.len();
    let head = format!("HTTP/1.1 {status} Injected\r\nContent-Type: application/xml\r\nContent-Length: {length}\r\n");
    client.write_all(format!("{head}Connection: close\r\n\r\n{body}").as_bytes()).await
}

/// The head of the response with another length or without checksums.
fn changed_head(head: &[u8], fault: &Fault) -> Vec<u8> {
    let text = String::from_utf8_lossy(head);
    let changed = |line: &str| {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        match fault {
            Fault::CorruptUnverifiedBody(_) if name.to_ascii_lowercase().starts_with("x-amz-checksum") => None,
            Fault::Announce(more) if name.eq_ignore_ascii_case("content-length") => {
                let length: usize = value.trim().parse().unwrap();
                Some(format!("{name}: {}\r\n", length.saturating_add_signed(*more)))
            }
            _ => Some(format!("{line}\r\n")),
        }
    };
    text.split_terminator("\r\n").filter_map(changed).collect::<String>().into_bytes()
}

async fn relay_body(
    client: &mut TcpStream,
    upstream: &mut TcpStream,
    fault: &Fault,
    counts: &Counts,
) -> std::io::Result<()> {
    let mut sent = 0;
    let mut chunk = vec![0; 16 * 1024];
    loop {
        let length = upstream.read(&mut chunk).await?;
        if length == 0 {
            return client.shutdown().await;
        }
        let mut body = &mut chunk[..length];
        match fault {
            Fault::CutBody(after) | Fault::StallBody(after) if sent + length > *after => {
                body = &mut body[..*after - sent];
            }
            Fault::CorruptBody(position) | Fault::CorruptUnverifiedBody(position)
                if (sent..sent + length).contains(position) =>
            {
                body[*position - sent] ^= 1;
            }
            Fault::PauseBody(after, pause) if (sent..sent + length).contains(after) => {
                pause.0.0.notify_one();
                pause.0.1.notified().await;
            }
            _ => {}
        }
        if let Fault::DripBody(pause) = fault {
            for byte in body.iter() {
                client.write_all(&[*byte]).await?;
                tokio::time::sleep(*pause).await;
            }
        } else {
            client.write_all(body).await?;
        }
        sent += body.len();
        counts.0.lock().unwrap().1 += body.len();
        match fault {
            Fault::CutBody(after) if sent == *after => return client.shutdown().await,
            Fault::StallBody(after) if sent == *after => std::future::pending().await,
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
