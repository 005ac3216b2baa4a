//! `ordinate serve` and clients that read slowly or not at all, or stall on a connection that has served a request.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use rstest::rstest;
use socket2::{Domain, Socket, Type};

use crate::serve::Served;
use crate::serve_wire::{connect, read_to_end};

const LIVE: &[u8] = b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n";

/// A request whose response has 1,100 bytes a row.
pub(crate) fn explained(rows: usize) -> Vec<u8> {
    let row = format!("[1{}]", ",1".repeat(29));
    let body = format!(r#"{{"X":[{row}{}],"explain":true}}"#, format!(",{row}").repeat(rows - 1));
    let head = "POST /models/breast-cancer/predict HTTP/1.1\r\nHost: a\r\nConnection: close\r\n";
    format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// Connects with a small receive buffer, so that the server notices early that its client does not read.
fn connect_unbuffered(served: &Served) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(32 * 1024).unwrap();
    socket.connect(&SocketAddr::from((Ipv4Addr::LOCALHOST, served.port())).into()).unwrap();
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream
}

/// Whether a response has as many bytes as it declares.
fn is_complete(response: &str) -> bool {
    let (head, body) = response.split_once("\r\n\r\n").unwrap_or_default();
    let declared = head.split_once("content-length: ").map(|(_, rest)| rest.split("\r\n").next().unwrap());
    declared.is_some_and(|length| length.parse::<usize>().unwrap() == body.len())
}

/// Sends a small request and reads its response, and waits until the connection has been idle for a while.
fn serve_one(mut stream: &TcpStream) {
    stream.write_all(LIVE).unwrap();
    let mut response = Vec::new();
    while !response.ends_with(br#"{"live":true}"#) {
        let mut part = [0; 512];
        let count = stream.read(&mut part).unwrap();
        response.extend_from_slice(&part[..count]);
    }
    std::thread::sleep(Duration::from_secs(1));
}

#[test]
fn headers_that_stall_after_a_response_have_the_timeout_of_headers() {
    let served = Served::start(&[("HEADER_TIMEOUT_SECONDS", "0.4"), ("IDLE_TIMEOUT_SECONDS", "20")]);
    let mut stream = connect(&served);
    serve_one(&stream);
    let started = Instant::now();
    stream.write_all(b"P").unwrap();
    assert!(read_to_end(&stream).starts_with("HTTP/1.1 408 "));
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
}

/// Waits until the server has closed a connection whose client does not read, and returns the bytes that arrived.
fn read_after_disconnection(served: &Served, mut stream: &TcpStream) -> usize {
    let is_open = || served.metric("ordinate_connections") > 1;
    let started = Instant::now();
    while is_open() {
        assert!(started.elapsed() < Duration::from_secs(15), "the connection is open");
        std::thread::sleep(Duration::from_millis(100));
    }
    let mut received = Vec::new();
    let _ = stream.read_to_end(&mut received);
    received.len()
}

#[rstest]
#[case::on_a_new_connection(false)]
#[case::after_another_response(true)]
fn a_client_that_does_not_read_its_response_is_disconnected(#[case] served_before: bool) {
    let served = Served::start(&[("RESPONSE_TIMEOUT_SECONDS", "1"), ("IDLE_TIMEOUT_SECONDS", "60")]);
    let mut stream = connect_unbuffered(&served);
    if served_before {
        serve_one(&stream);
    }
    stream.write_all(&explained(5000)).unwrap();
    while served.metric("ordinate_response_memory_bytes") == 0 {
        std::thread::sleep(Duration::from_millis(50));
    }
    let received = read_after_disconnection(&served, &stream);
    assert!(received < 5_000_000, "{received} bytes");
}

#[test]
fn a_client_that_reads_a_little_now_and_then_is_disconnected() {
    let served = Served::start(&[("RESPONSE_TIMEOUT_SECONDS", "1"), ("IDLE_TIMEOUT_SECONDS", "60")]);
    let mut stream = connect_unbuffered(&served);
    stream.write_all(&explained(5000)).unwrap();
    let mut part = [0; 1];
    stream.read_exact(&mut part).unwrap();
    let started = Instant::now();
    while served.metric("ordinate_connections") > 1 {
        let _ = stream.read(&mut [0; 4 * 1024]);
        std::thread::sleep(Duration::from_millis(500));
        assert!(started.elapsed() < Duration::from_secs(25), "the connection is open");
    }
}

#[test]
fn a_client_that_reads_slowly_but_steadily_gets_its_whole_response() {
    let served = Served::start(&[("RESPONSE_TIMEOUT_SECONDS", "0.5")]);
    let mut stream = connect(&served);
    stream.write_all(&explained(9000)).unwrap();
    let mut response = Vec::new();
    let mut part = vec![0; 64 * 1024];
    loop {
        let count = stream.read(&mut part).unwrap();
        if count == 0 {
            break;
        }
        response.extend_from_slice(&part[..count]);
        // 1.3 MB in a second: the third of the largest send buffer, after which Linux reports progress, takes a second.
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(response.len() > 9_000_000 && is_complete(&String::from_utf8(response).unwrap()));
}

#[test]
fn a_connection_that_is_sending_its_response_does_not_make_room_for_another() {
    let served = Served::start(&[("MAX_CONNECTIONS", "2")]);
    let mut stream = connect_unbuffered(&served);
    stream.write_all(&explained(5000)).unwrap();
    stream.peek(&mut [0]).unwrap();
    let others: Vec<_> = (0..10).map(|_| connect(&served)).collect();
    std::thread::sleep(Duration::from_millis(300));
    assert!(is_complete(&read_to_end(&stream)));
    drop(others);
}

#[test]
fn responses_that_are_not_read_share_a_limit_of_memory() {
    let served = Served::start(&[("RESPONSE_MEMORY_BYTES", "3000000"), ("RESPONSE_TIMEOUT_SECONDS", "60")]);
    let mut unread = connect_unbuffered(&served);
    unread.write_all(&explained(4000)).unwrap();
    unread.peek(&mut [0]).unwrap();
    let mut stream = connect(&served);
    stream.write_all(&explained(1)).unwrap();
    let refused = read_to_end(&stream);
    assert!(refused.starts_with("HTTP/1.1 503 ") && refused.contains("retry-after: 5"), "{refused}");
    assert!(refused.contains("RESPONSE_MEMORY_BYTES"), "{refused}");
    serve_one(&connect(&served));
    // The client that does not read is disconnected earlier than at other times.
    read_after_disconnection(&served, &unread);
    let mut stream = connect(&served);
    stream.write_all(&explained(1)).unwrap();
    assert!(read_to_end(&stream).starts_with("HTTP/1.1 200 "));
}
