//! The limits of `ordinate serve`: connections, requests, memory of bodies, responses; and its metrics.

use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::serve::Served;
use crate::serve_clients::explained;
use crate::serve_wire::{connect, read_to_end};

const LIVE: &[u8] = b"GET /health/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

fn post(served: &Served, body: &str) -> String {
    let mut stream = connect(served);
    let head =
        format!("POST /predict HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body.as_bytes()).unwrap();
    read_to_end(&stream)
}

fn is_live(served: &Served) -> bool {
    let mut stream = connect(served);
    stream.write_all(LIVE).unwrap();
    read_to_end(&stream).starts_with("HTTP/1.1 200 ")
}

#[test]
fn above_the_limit_idle_connections_make_room_and_the_log_has_one_line() {
    let mut served = Served::start(&[("MAX_CONNECTIONS", "20")]);
    let idle: Vec<_> = (0..100).map(|_| connect(&served)).collect();
    assert!(is_live(&served));
    assert_eq!(read_to_end(&idle[0]), "", "the oldest is closed");
    served.terminate();
    let (_, log) = served.wait();
    assert_eq!(log.matches("MAX_CONNECTIONS").count(), 1, "{log}");
}

#[test]
fn above_the_limit_a_connection_is_refused_if_no_other_is_idle() {
    let served = Served::start(&[("MAX_CONNECTIONS", "5")]);
    let start = b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{";
    let busy: Vec<_> = (0..5)
        .map(|_| {
            let mut stream = connect(&served);
            stream.write_all(start).unwrap();
            stream
        })
        .collect();
    let refused = (0..100).find_map(|_| {
        std::thread::sleep(Duration::from_millis(50));
        let mut stream = connect(&served);
        stream.write_all(LIVE).unwrap();
        Some(read_to_end(&stream)).filter(|answer| answer.starts_with("HTTP/1.1 503 "))
    });
    assert!(refused.expect("refused").contains("retry-after: 1"));
    for mut stream in busy {
        stream.write_all(b"\"X\":[1]}").unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        assert!(read_to_end(&stream).starts_with("HTTP/1.1 200 "), "a busy connection is not closed");
    }
}

#[test]
fn stalled_bodies_share_a_limit_of_memory_and_do_not_starve_others() {
    let limit = "8000000";
    let served = Served::start(&[("BODY_MEMORY_BYTES", limit)]);
    assert!(is_live(&served));
    let before = served.memory();
    let body = format!(r#"{{"X":[1{}]}}"#, " ".repeat(3_000_000));
    let head = format!("POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", body.len() + 1);
    let mut stalled = Vec::new();
    for _ in 0..40 {
        let stream = connect(&served);
        stream.set_write_timeout(Some(Duration::from_millis(20))).unwrap();
        (&stream).write_all(head.as_bytes()).unwrap();
        // All but the last byte, as far as the server accepts it.
        let _ = (&stream).write_all(body.as_bytes());
        stalled.push(stream);
    }
    let started = Instant::now();
    let answer = post(&served, &body);
    assert!(answer.ends_with(r#"{"y":[3.0]}"#), "{answer}");
    assert!(started.elapsed() < Duration::from_mins(1), "{:?}", started.elapsed());
    let growth = served.memory().saturating_sub(before);
    assert!(growth < 40_000_000, "{growth} bytes for {} stalled bodies", stalled.len());
}

#[test]
fn above_the_limit_of_requests_the_answer_is_a_503_but_health_is_answered() {
    let served = Served::start(&[
        ("MAX_CONCURRENT_REQUESTS", "1"),
        ("LOG_REQUESTS", "none"),
        ("CORS_ALLOW_ORIGINS", "https://example.com"),
        ("AIP_HEALTH_ROUTE", "/alive"),
        ("BASE_PATH", "/ml"),
    ]);
    let get = |path: &str| {
        let mut stream = connect(&served);
        let head = "HTTP/1.1\r\nHost: a\r\nOrigin: https://example.com\r\nConnection: close";
        stream.write_all(format!("GET {path} {head}\r\n\r\n").as_bytes()).unwrap();
        read_to_end(&stream)
    };
    // A small request that is handled when the large body is complete would be the one; so no other is sent until then.
    let large = (1..10).find_map(|attempt| {
        let mut large = connect(&served);
        large.write_all(&explained(50_000)).unwrap();
        std::thread::sleep(Duration::from_millis(500) * attempt);
        get("/models").starts_with("HTTP/1.1 503 ").then_some(large)
    });
    assert!(large.is_some());
    for path in [
        "/",
        "/health/live",
        "/ml/health/ready",
        "/health",
        "/ping",
        "/vertex/health",
        "/alive",
        "/v2/health/live",
        "/v2/health/ready",
        "/metrics",
    ] {
        let answer = get(path);
        assert!(answer.starts_with("HTTP/1.1 200 "), "{path}: {answer}");
    }
    for path in ["/models", "/models/metrics"] {
        let answer = get(path);
        assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains(r#""code":"overloaded""#), "{path}: {answer}");
        assert!(answer.contains("retry-after: 5"), "{answer}");
        // Without it, a browser would report an error of CORS.
        assert!(answer.contains("access-control-allow-origin: https://example.com"), "{answer}");
    }
}

#[test]
fn a_body_that_gets_no_memory_is_not_the_fault_of_its_client() {
    let served = Served::start(&[("BODY_MEMORY_BYTES", "6291456"), ("BODY_TIMEOUT_SECONDS", "2")]);
    let part = format!("8000\r\n{}\r\n", " ".repeat(0x8000));
    let answer = post_beside(&served, &chunked(&served), part.as_bytes());
    let is_answered = answer.starts_with("HTTP/1.1 200 ") || answer.contains(r#""code":"overloaded""#);
    assert!(is_answered, "{answer}");
}

#[test]
fn a_body_that_trickles_loses_its_memory_to_others() {
    // Within this time, nothing else ends the body.
    let served = Served::start(&[("BODY_MEMORY_BYTES", "6291456"), ("BODY_TIMEOUT_SECONDS", "600")]);
    let trickling = chunked(&served);
    let answer = post_beside(&served, &trickling, b"1\r\n \r\n");
    assert!(answer.ends_with(r#"{"y":[3.0]}"#), "{answer}");
    let answer = read_to_end(&trickling);
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("BODY_MEMORY_BYTES"), "{answer}");
}

/// The start of a body of unknown length, which reserves the limit of bodies.
fn chunked(served: &Served) -> TcpStream {
    let mut stream = connect(served);
    stream.write_all(b"POST /predict HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n").unwrap();
    stream.write_all(format!("5000\r\n{}\r\n", " ".repeat(0x5000)).as_bytes()).unwrap();
    while served.metric("ordinate_body_memory_bytes") == 0 {
        std::thread::sleep(Duration::from_millis(10));
    }
    stream
}

/// The response to a request while another one sends `part` of its body ten times per second.
fn post_beside(served: &Served, mut other: &TcpStream, part: &[u8]) -> String {
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_done.load(Ordering::Relaxed) && other.write_all(part).is_ok() {
                std::thread::sleep(Duration::from_millis(100));
            }
        });
        let answer = post(served, &format!(r#"{{"X":[1{}]}}"#, " ".repeat(20_000)));
        is_done.store(true, Ordering::Relaxed);
        answer
    })
}

#[test]
fn settings_of_any_size_are_usable() {
    let most = usize::MAX.to_string();
    let served = Served::start(&[
        ("MAX_CONCURRENT_REQUESTS", &most),
        ("MAX_CONNECTIONS", &most),
        ("MAX_BODY_BYTES", &most),
        ("RESPONSE_MEMORY_BYTES", &most),
    ]);
    let mut stream = connect(&served);
    stream.write_all(b"POST /predict HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n").unwrap();
    stream.write_all(format!("7000\r\n{}\r\n", " ".repeat(0x7000)).as_bytes()).unwrap();
    let answer = read_to_end(&stream);
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("BODY_MEMORY_BYTES"), "{answer}");
    assert!(is_live(&served));
}

#[test]
fn compressed_bodies_do_not_delay_others() {
    // Decompressed, 5 MB; decoding them needs seconds in this build, on as many threads as there are processors.
    let served = Served::start(&[("MAX_ROWS", "9000000"), ("LOG_REQUESTS", "none")]);
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(format!(r#"{{"X":[1{}]}}"#, ",1".repeat(500_000)).as_bytes()).unwrap();
    let body = encoder.finish().unwrap();
    assert!(body.len() < 16_000, "small, and not counted as memory: {}", body.len());
    let compressed: Vec<_> = (0..8)
        .map(|_| {
            let mut stream = connect(&served);
            let head = "POST /predict HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nConnection: close\r\n";
            stream.write_all(format!("{head}Content-Length: {}\r\n\r\n", body.len()).as_bytes()).unwrap();
            stream.write_all(&body).unwrap();
            stream
        })
        .collect();
    std::thread::sleep(Duration::from_millis(100));
    let started = Instant::now();
    assert!(is_live(&served));
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    for stream in compressed {
        assert!(read_to_end(&stream).starts_with("HTTP/1.1 200 "));
    }
}

#[test]
fn the_limit_of_a_response_is_a_setting_that_its_error_names() {
    let served = Served::start(&[("MAX_ANSWER_BYTES", "1000")]);
    let answer = post(&served, &format!(r#"{{"X":[1{}]}}"#, ",1".repeat(1000)));
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("1000 bytes (MAX_ANSWER_BYTES)"), "{answer}");
    let served = Served::start(&[]);
    let mut stream = connect(&served);
    stream.write_all(&explained(7000)).unwrap();
    let answer = read_to_end(&stream);
    let is_large = answer.len() > 7_000_000;
    assert!(answer.starts_with("HTTP/1.1 200 ") && is_large, "more than Lambda can send: {}", &answer[..300]);
}

#[test]
fn the_log_of_requests_is_a_setting() {
    for (setting, ok, failed) in [("all", 1, 1), ("errors", 0, 1), ("none", 0, 0)] {
        let mut served = Served::start(&[("LOG_REQUESTS", setting)]);
        post(&served, r#"{"X":[1]}"#);
        post(&served, r#"{"Z":[1]}"#);
        served.terminate();
        let (_, log) = served.wait();
        let count = |status: &str| log.lines().filter(|line| line.contains(status)).count();
        assert_eq!((count(r#""status":200"#), count(r#""status":422"#)), (ok, failed), "{setting}: {log}");
    }
}

#[test]
fn metrics_count_requests_rows_warnings_loads_and_connections() {
    let served = Served::start(&[]);
    post(&served, r#"{"X":[1,2,1000]}"#);
    post(&served, r#"{"X":["a"]}"#);
    for path in ["/a", "/b", "/c"] {
        let mut stream = connect(&served);
        stream.write_all(format!("BREW {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").as_bytes()).unwrap();
        read_to_end(&stream);
    }
    let mut stream = connect(&served);
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
    let text = read_to_end(&stream);
    for line in [
        "content-type: application/openmetrics-text; version=1.0.0; charset=utf-8",
        r#"ordinate_requests_total{method="POST",route="/predict",status="200"} 1"#,
        r#"ordinate_requests_total{method="POST",route="/predict",status="422"} 1"#,
        r#"ordinate_requests_total{method="other",route="unknown",status="404"} 3"#,
        r#"ordinate_request_duration_seconds_count{route="/predict"} 2"#,
        r#"ordinate_errors_total{code="invalid_value"} 1"#,
        r#"ordinate_rows_total{model="line",version="1"} 3"#,
        r#"ordinate_warnings_total{model="line",version="1",code="outside_range"} 1"#,
        r#"ordinate_model_loads_total{outcome="ok"} 1"#,
        "ordinate_requests_in_flight 1",
        "# EOF",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in:\n{text}");
    }
    for name in [
        "ordinate_model_info{model=\"line\"",
        "ordinate_connections ",
        "process_cpu_seconds_total ",
        "process_resident_memory_bytes ",
        "process_open_fds ",
        "process_max_fds ",
        "process_start_time_seconds 1",
    ] {
        assert!(text.lines().any(|found| found.starts_with(name)), "{name} is not in:\n{text}");
    }
}
