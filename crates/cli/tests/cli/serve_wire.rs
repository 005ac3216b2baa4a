//! `ordinate serve` on the open wire: requests that are stalled, cut, too large or not valid HTTP, as raw bytes.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::time::{Duration, Instant};

use rstest::rstest;

use crate::serve::Served;

const PREDICT: &str = "POST /predict HTTP/1.1\r\nHost: localhost\r\n";

/// A connection to a server; reading fails after 30 seconds.
pub(crate) fn connect(served: &Served) -> TcpStream {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, served.port())).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream
}

/// The bytes that the server sends until it closes the connection.
pub(crate) fn read_to_end(mut stream: &TcpStream) -> String {
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Err(error) if error.kind() == ErrorKind::WouldBlock => panic!("the connection is open after 30 seconds"),
        _ => String::from_utf8_lossy(&answer).into_owned(),
    }
}

fn send(served: &Served, request: &[u8]) -> String {
    let mut stream = connect(served);
    stream.write_all(request).unwrap();
    read_to_end(&stream)
}

/// A server with short timeouts.
fn impatient() -> Served {
    Served::start(&[
        ("HEADER_TIMEOUT_SECONDS", "0.4"),
        ("BODY_TIMEOUT_SECONDS", "0.5"),
        ("IDLE_TIMEOUT_SECONDS", "0.6"),
    ])
}

/// The status and, of the service's own errors, the code.
fn verdict(answer: &str) -> String {
    let status = answer.split(' ').nth(1).unwrap_or("closed");
    let code = answer.split_once(r#""code":""#).map(|(_, rest)| rest.split('"').next().unwrap());
    format!("{status} {}", code.unwrap_or_default()).trim().to_owned()
}

#[rstest]
#[case::a_chunk_size_that_is_not_hexadecimal("Transfer-Encoding: chunked\r\n\r\nzz\r\n", "400 incomplete_body")]
#[case::a_chunk_that_is_longer_than_its_size("Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n", "400 incomplete_body")]
#[case::a_chunk_size_that_overflows("Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n", "400 incomplete_body")]
#[case::another_coding_before_chunked(
    "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "501 unsupported_transfer_coding"
)]
#[case::another_coding_in_its_own_header(
    "Transfer-Encoding: br\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "501 unsupported_transfer_coding"
)]
#[case::chunked_twice("Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", "400 invalid_request")]
#[case::chunked_in_two_headers(
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "400 invalid_request"
)]
#[case::chunked_is_not_the_last_coding("Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", "400")]
#[case::a_negative_length("Content-Length: -1\r\n\r\n", "400")]
#[case::a_length_that_overflows("Content-Length: 99999999999999999999999\r\n\r\n", "400")]
#[case::two_lengths("Content-Length: 9\r\nContent-Length: 8\r\n\r\n{\"X\":[1]}", "400")]
#[case::a_second_host("Host: example.com\r\nContent-Length: 9\r\n\r\n{\"X\":[1]}", "400 invalid_request")]
#[case::a_nul_in_a_header("X-A: a\0b\r\nContent-Length: 9\r\n\r\n{\"X\":[1]}", "400")]
#[case::a_declared_length_above_the_limit("Content-Length: 7000000\r\n\r\n", "413 body_too_large")]
#[case::the_same_with_an_expectation("Expect: 100-continue\r\nContent-Length: 7000000\r\n\r\n", "413 body_too_large")]
#[case::trailers(
    "Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n9;a=b\r\n{\"X\":[1]}\r\n0\r\nA: b\r\n\r\n",
    "200"
)]
fn a_request_is_answered_by_its_framing(#[case] rest: &str, #[case] expected: &str) {
    let served = impatient();
    let answer = send(&served, format!("{PREDICT}{rest}").as_bytes());
    assert_eq!(verdict(&answer), expected, "{answer}");
}

#[rstest]
#[case::no_host("GET /health/live HTTP/1.1\r\n\r\n", "400 invalid_request")]
#[case::no_host_in_http_1_0("GET /health/live HTTP/1.0\r\n\r\n", "200")]
#[case::an_absolute_target(
    "GET http://localhost/health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "200"
)]
#[case::an_offer_of_http_2(
    "GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n",
    "200"
)]
#[case::tls("\u{16}\u{3}\u{1}\u{2}\r\n\r\n", "400")]
#[case::another_version("GET / HTTP/3.0\r\nHost: localhost\r\n\r\n", "400")]
fn a_request_line_is_answered_by_its_version(#[case] request: &str, #[case] expected: &str) {
    let answer = send(&impatient(), request.as_bytes());
    assert_eq!(verdict(&answer), expected, "{answer}");
}

#[rstest]
#[case("a", 200)]
#[case("a:8080", 200)]
#[case("127.0.0.1", 200)]
#[case("[::1]:80", 200)]
#[case("", 200)]
#[case("a b", 400)]
#[case("a/b", 400)]
#[case("u@a", 400)]
#[case("a, b", 400)]
#[case("a:bc", 400)]
#[case("[::1", 400)]
fn the_host_is_a_host_with_an_optional_port(#[case] host: &str, #[case] status: u16) {
    for path in ["/health/live", "/metrics"] {
        let answer =
            send(&impatient(), format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").as_bytes());
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{path}: {answer}");
    }
}

#[test]
fn metrics_are_a_route_like_the_others() {
    let served = Served::start(&[("BASE_PATH", "/ml")]);
    for (request, expected) in [
        ("GET /metrics HTTP/1.1\r\n", "400 invalid_request"),
        ("GET /metrics HTTP/1.1\r\nHost: a\r\nHost: b\r\n", "400 invalid_request"),
        ("POST /metrics HTTP/1.1\r\nHost: a\r\n", "405 method_not_allowed"),
        ("GET /metrics/ HTTP/1.1\r\nHost: a\r\n", "200"),
        ("GET /ml/%6Detrics HTTP/1.1\r\nHost: a\r\n", "200"),
    ] {
        let answer = send(&served, format!("{request}Connection: close\r\n\r\n").as_bytes());
        assert_eq!(verdict(&answer), expected, "{request}: {answer}");
        assert!(answer.contains("x-request-id: "), "{answer}");
    }
}

#[test]
fn empty_lines_between_requests_are_ignored() {
    let served = impatient();
    let mut stream = connect(&served);
    stream.write_all(b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    stream.read_exact(&mut [0; 12]).unwrap();
    std::thread::sleep(Duration::from_millis(100));
    stream.write_all(b"\r\n").unwrap();
    assert!(!read_to_end(&stream).contains("408"), "the connection is idle");
}

#[test]
fn headers_have_a_limit() {
    let served = impatient();
    let with =
        |headers: &str| format!("GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n");
    assert_eq!(verdict(&send(&served, with(&format!("A: {}\r\n", "a".repeat(60_000))).as_bytes())), "200");
    assert_eq!(verdict(&send(&served, with(&format!("A: {}\r\n", "a".repeat(70_000))).as_bytes())), "431");
    assert_eq!(verdict(&send(&served, with(&"A: a\r\n".repeat(200)).as_bytes())), "431");
}

#[rstest]
#[case::nothing("", "closed")]
#[case::one_byte("P", "408")]
#[case::the_beginning_of_http_2("PRI * HT", "closed")]
#[case::half_a_header("POST /predict HTTP/1.1\r\nHost: a", "408")]
#[case::headers_without_their_end("POST /predict HTTP/1.1\r\nHost: a\r\n", "408")]
#[case::no_body("POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n", "408 request_timeout")]
#[case::half_a_body("POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{\"X\"", "408 request_timeout")]
#[case::half_a_chunk(
    "POST /predict HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
    "408 request_timeout"
)]
#[case::nothing_after_a_response("GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n", "200")]
fn a_client_that_stops_sending_is_disconnected(#[case] sent: &str, #[case] expected: &str) {
    let served = impatient();
    let started = Instant::now();
    let answer = send(&served, sent.as_bytes());
    assert_eq!(verdict(&answer), expected, "{answer}");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[test]
fn a_byte_at_a_time_does_not_extend_the_timeouts() {
    let served = impatient();
    for start in ["POST /predict HTTP/1.1\r\nA: ", "POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\n"] {
        let mut stream = connect(&served);
        stream.write_all(start.as_bytes()).unwrap();
        let started = Instant::now();
        while stream.write_all(b"1").is_ok() {
            std::thread::sleep(Duration::from_millis(50));
            assert!(started.elapsed() < Duration::from_secs(5), "{start:?}");
        }
    }
}

#[test]
fn errors_of_the_client_are_no_errors_of_the_service_in_the_log_and_the_metrics() {
    let mut served = impatient();
    for rest in [
        "Content-Length: 9\r\n\r\n{\"X\"",
        "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        "Content-Length: 7000000\r\n\r\n",
    ] {
        // Some clients are gone before the response is sent.
        let mut stream = connect(&served);
        stream.write_all(format!("{PREDICT}{rest}").as_bytes()).unwrap();
        drop(stream);
        send(&served, format!("{PREDICT}{rest}").as_bytes());
    }
    let half_closed = connect(&served);
    (&half_closed).write_all(format!("{PREDICT}Content-Length: 9\r\n\r\n{{\"X\"").as_bytes()).unwrap();
    half_closed.shutdown(Shutdown::Write).unwrap();
    assert_eq!(verdict(&read_to_end(&half_closed)), "400 incomplete_body");
    send(&served, b"GET /nowhere HTTP/1.1\r\n\r\n");
    let metrics = send(&served, b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    let requests: Vec<_> = metrics.lines().filter(|line| line.starts_with("ordinate_requests_total")).collect();
    assert!(requests.len() >= 3, "{metrics}");
    assert!(requests.iter().all(|line| line.contains(r#"status="4"#)), "{requests:?}");
    served.terminate();
    let (_, log) = served.wait();
    assert!(log.contains(r#""status":413"#) && log.contains(r#""code":"incomplete_body""#), "{log}");
    assert!(!log.contains(r#""level":"ERROR""#) && !log.contains(r#""level":"WARN""#), "{log}");
}

#[test]
fn a_client_that_sends_a_body_above_the_limit_can_read_why_it_is_refused() {
    let served = impatient();
    let mut stream = connect(&served);
    stream.write_all(format!("{PREDICT}Content-Length: 20000000\r\n\r\n").as_bytes()).unwrap();
    let part = vec![b' '; 100_000];
    for _ in 0..200 {
        stream.write_all(&part).expect("the server reads what it discards");
    }
    assert_eq!(verdict(&read_to_end(&stream)), "413 body_too_large");
}

#[test]
fn http_2_is_served_without_an_upgrade() {
    let served = Served::start(&[]);
    let url = format!("{}/predict", served.base);
    let output = std::process::Command::new("curl")
        .args([
            "--silent",
            "--http2-prior-knowledge",
            "--write-out",
            " %{http_version}",
            "--data",
            r#"{"X":[1]}"#,
            &url,
        ])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), r#"{"y":[3.0]} 2"#);
}
