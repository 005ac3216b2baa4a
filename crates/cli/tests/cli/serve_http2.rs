//! `ordinate serve` and clients of HTTP/2: idle, stalled, or with frames as they like.

use std::future::poll_fn;
use std::io::{Read, Write};
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::client::{Builder, SendRequest};
use h2::{Reason, RecvStream};
use http::Request;
use tokio::net::TcpStream;

use crate::serve::Served;
use crate::serve_clients::explained;
use crate::serve_wire::{connect, read_to_end};

/// The connection preface (RFC 9113 §3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A frame (RFC 9113 §4.1).
fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    [&[0, 0, length, kind, flags, 0, 0, 0, stream], payload].concat()
}

/// `GET` of a path in HPACK, from the static table (RFC 7541, appendix A).
fn get(stream: u8, path: &str) -> Vec<u8> {
    let path = [&[0x04, u8::try_from(path.len()).unwrap()], path.as_bytes()].concat();
    frame(1, 5, stream, &[&[0x82, 0x86, 0x41, 1, b'a'], path.as_slice()].concat())
}

/// Connects with an initial window of each stream; 65,535 bytes by default.
async fn connected(served: &Served, window: u32) -> SendRequest<Bytes> {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, served.port())).await.unwrap();
    let (sender, connection) =
        Builder::new().initial_window_size(window).enable_push(false).handshake(stream).await.unwrap();
    tokio::spawn(connection);
    sender.ready().await.unwrap()
}

/// Sends a request, and returns the body of its response.
async fn request(sender: &mut SendRequest<Bytes>, path: &str) -> RecvStream {
    let request = Request::get(format!("http://a{path}")).body(()).unwrap();
    let response = sender.send_request(request, true).unwrap().0.await.unwrap();
    assert_eq!(response.status(), 200);
    response.into_body()
}

async fn read(mut body: RecvStream) -> Result<usize, h2::Error> {
    let mut length = 0;
    while let Some(part) = body.data().await.transpose()? {
        length += part.len();
        body.flow_control().release_capacity(part.len())?;
    }
    Ok(length)
}

#[tokio::test]
async fn a_client_that_does_not_open_its_window_is_disconnected() {
    let served = Served::start(&[("RESPONSE_TIMEOUT_SECONDS", "0.5"), ("IDLE_TIMEOUT_SECONDS", "60")]);
    for window in [0, 1, 100] {
        let mut sender = connected(&served, window).await;
        let body = request(&mut sender, "/openapi.json").await;
        let started = Instant::now();
        let ended = async {
            while served.metric("ordinate_connections") > 1 {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), ended).await.expect("the connection is open");
        assert!(started.elapsed() > Duration::from_millis(400), "{:?}", started.elapsed());
        drop(body);
    }
}

#[tokio::test]
async fn idle_connections_make_room_although_they_exchange_frames() {
    let served = Served::start(&[("MAX_CONNECTIONS", "4")]);
    let mut idle = Vec::new();
    for _ in 0..10 {
        let mut sender = connected(&served, 65_535).await;
        read(request(&mut sender, "/health/live").await).await.unwrap();
        // The acknowledgement of the settings, and WINDOW_UPDATE, arrive after the response.
        tokio::time::sleep(Duration::from_millis(100)).await;
        idle.push(sender);
    }
    assert_eq!(served.metric("ordinate_connections_refused_total"), 0);
    assert!(served.metric("ordinate_connections_idle") >= 3, "all but that of this request");
}

#[test]
fn the_beginning_of_http_2_can_arrive_in_parts() {
    let served = Served::start(&[("HEADER_TIMEOUT_SECONDS", "0.5")]);
    let mut stream = connect(&served);
    stream.set_nodelay(true).unwrap();
    for part in [&PREFACE[..2], &PREFACE[2..20], &[&PREFACE[20..], &frame(4, 0, 0, &[])].concat()] {
        stream.write_all(part).unwrap();
        std::thread::sleep(Duration::from_millis(50));
    }
    stream.write_all(&get(1, "/health/live")).unwrap();
    std::thread::sleep(Duration::from_secs(1));
    // A response of HTTP/1.1 for headers that did not arrive would follow the answer.
    stream.write_all(&get(3, "/health/live")).unwrap();
    let mut received = Vec::new();
    let started = Instant::now();
    while received.windows(13).filter(|part| part == br#"{"live":true}"#).count() < 2 {
        let mut part = [0; 4096];
        let count = stream.read(&mut part).unwrap();
        assert!(count > 0 && started.elapsed() < Duration::from_secs(10), "{}", String::from_utf8_lossy(&received));
        received.extend_from_slice(&part[..count]);
    }
    assert!(!String::from_utf8_lossy(&received).contains("HTTP/1.1"));
}

#[test]
fn a_method_of_http_1_that_begins_like_http_2_is_a_method() {
    let served = Served::start(&[("HEADER_TIMEOUT_SECONDS", "0.5")]);
    let mut stream = connect(&served);
    stream.write_all(b"PRI / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    let mut answer = vec![0; 64 * 1024];
    assert!(stream.read(&mut answer).unwrap() > 0 && answer.starts_with(b"HTTP/1.1 405 "));
    std::thread::sleep(Duration::from_millis(100));
    stream.write_all(b"G").unwrap();
    let answer = read_to_end(&stream);
    assert!(answer.contains("HTTP/1.1 408 "), "{answer}");
}

#[tokio::test]
async fn a_cancelled_request_counts_until_its_work_ends() {
    let served = Served::start(&[("LOG_REQUESTS", "none")]);
    let request = explained(5000);
    let head = request.windows(4).position(|part| part == b"\r\n\r\n").unwrap() + 4;
    let body = Bytes::from(request).slice(head..);
    let mut sender = connected(&served, 65_535).await;
    let request = Request::post("http://a/models/breast-cancer/predict").body(()).unwrap();
    let (response, mut stream) = sender.send_request(request, false).unwrap();
    stream.send_data(body, true).unwrap();
    while served.metric("ordinate_body_memory_bytes") < 300_000 || served.metric("ordinate_requests_in_flight") < 2 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    stream.send_reset(Reason::CANCEL);
    drop(response);
    tokio::time::sleep(Duration::from_millis(100)).await;
    // One for the cancelled request, whose body is still in memory, and one for this request.
    assert_eq!(served.metric("ordinate_requests_in_flight"), 2);
    assert!(served.metric("ordinate_body_memory_bytes") > 300_000);
}

#[tokio::test]
async fn a_response_is_sent_completely_after_the_signal_to_stop() {
    let mut served = Served::start(&[]);
    let mut sender = connected(&served, 65_535).await;
    let body = request(&mut sender, "/openapi.json").await;
    served.terminate();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(read(body).await.unwrap() > 100_000, "more than the window");
    poll_fn(|context| sender.poll_ready(context)).await.expect_err("the connection ends");
    assert!(served.wait().0.success());
}

#[tokio::test]
async fn stalled_bodies_of_http_2_share_the_limit_of_memory() {
    let served = Served::start(&[("BODY_MEMORY_BYTES", "8000000")]);
    served.metric("ordinate_connections");
    let before = served.memory();
    let mut stalled = Vec::new();
    for _ in 0..100 {
        let mut sender = connected(&served, 65_535).await;
        for _ in 0..3 {
            let request = Request::post("http://a/predict").header("content-length", 3_000_000).body(()).unwrap();
            let (response, mut stream) = sender.send_request(request, false).unwrap();
            stream.send_data(Bytes::from(vec![b' '; 2_900_000]), false).unwrap();
            stalled.push((response, stream));
        }
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let growth = served.memory().saturating_sub(before);
    assert!(growth < 40_000_000, "{growth} bytes for {} stalled bodies", stalled.len());
}

#[tokio::test]
async fn many_header_lines_are_an_error_as_in_http_1() {
    let served = Served::start(&[]);
    let mut sender = connected(&served, 65_535).await;
    for (lines, status) in [(100, 200), (101, 431)] {
        let mut request = Request::post("http://a/predict").body(()).unwrap();
        for _ in 0..lines {
            request.headers_mut().append("a", http::HeaderValue::from_static("1"));
        }
        // The response does not wait for the body of a request with a fault.
        let (response, mut body) = sender.send_request(request, false).unwrap();
        if status == 200 {
            body.send_data(Bytes::from_static(b"{\"X\":[1]}"), true).unwrap();
        }
        assert_eq!(response.await.unwrap().status(), status, "{lines} lines");
    }
}
