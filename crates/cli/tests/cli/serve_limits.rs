//! The limits of `ordinate serve`: connections, requests, memory of bodies, responses; and its metrics.

use std::io::Write;
use std::time::{Duration, Instant};

use crate::serve::Served;
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
    // Nothing reads the log while the test runs.
    let served = Served::start(&[("MAX_CONCURRENT_REQUESTS", "1"), ("MAX_ROWS", "9000000"), ("LOG_REQUESTS", "none")]);
    let large = format!(r#"{{"X":[1{}]}}"#, ",1".repeat(400_000));
    let is_ok = |answer: String| answer.starts_with("HTTP/1.1 200 ");
    let overloaded = std::thread::scope(|scope| {
        // A small request can come first.
        let first = scope.spawn(|| (0..100).map(|_| post(&served, &large)).any(is_ok));
        let mut overloaded = None;
        while !first.is_finished() {
            let answer = post(&served, r#"{"X":[1]}"#);
            if answer.starts_with("HTTP/1.1 503 ") {
                overloaded = Some(answer);
                assert!(is_live(&served));
            }
        }
        assert!(first.join().unwrap());
        overloaded.expect("a request while the large one is handled")
    });
    assert!(overloaded.contains(r#""code":"overloaded""#), "{overloaded}");
    assert!(overloaded.contains("retry-after: "), "{overloaded}");
}

#[test]
fn the_limit_of_a_response_is_a_setting_that_its_error_names() {
    let served = Served::start(&[("MAX_ANSWER_BYTES", "1000")]);
    let answer = post(&served, &format!(r#"{{"X":[1{}]}}"#, ",1".repeat(1000)));
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("1000 bytes (MAX_ANSWER_BYTES)"), "{answer}");
    let served = Served::start(&[("MAX_ROWS", "3000000")]);
    let answer = post(&served, &format!(r#"{{"X":[1{}]}}"#, ",1".repeat(2_000_000)));
    assert!(answer.starts_with("HTTP/1.1 200 "), "8 MB, more than Lambda can send: {}", &answer[..300]);
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
    ] {
        assert!(text.lines().any(|found| found.starts_with(name)), "{name} is not in:\n{text}");
    }
}
