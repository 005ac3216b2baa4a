//! Faults: what a caller gets, and what is left in the bucket.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ordinate_test_support::proxy::{Fault, Pause, Proxy, Request};
use ordinate_test_support::s3_server::S3Server;

use crate::support::{Bench, table};

fn server() -> std::net::SocketAddr {
    S3Server::shared().address()
}

fn proxy(bench: &Bench, fault: impl Fn(&Request) -> Fault + Send + Sync + 'static) -> Proxy {
    bench.runtime.block_on(Proxy::start_with(server(), fault))
}

const LARGE_ROWS: usize = 40_000;

/// Rows whose predictions are an upload of several parts.
fn large() -> (String, String) {
    table(LARGE_ROWS, &"a long note ".repeat(40))
}

#[test]
fn requests_that_are_too_frequent_are_repeated() {
    let bench = Bench::new();
    let (input, expected) = table(1000, "a");
    bench.put("a.csv", input);
    let count = AtomicUsize::new(0);
    let proxy = proxy(&bench, move |_| match count.fetch_add(1, Ordering::Relaxed) % 2 {
        0 => Fault::Respond(503, "SlowDown"),
        _ => Fault::None,
    });
    let function = bench.function_at(proxy.address(), |_| {});
    assert_eq!(bench.score(&function, "a.csv").unwrap()["outcome"], "written");
    assert_eq!(bench.text(&bench.out("a.csv")), expected);
}

#[test]
fn a_body_that_is_cut_off_is_read_again() {
    let bench = Bench::new();
    let (input, expected) = table(2000, "a");
    bench.put("a.csv", input);
    let count = AtomicUsize::new(0);
    let proxy = proxy(&bench, move |request| {
        let is_body = request.method == "GET" && count.fetch_add(1, Ordering::Relaxed) == 1;
        if is_body { Fault::CutBody(1000) } else { Fault::None }
    });
    let function = bench.function_at(proxy.address(), |_| {});
    assert_eq!(bench.score(&function, "a.csv").unwrap()["outcome"], "written");
    assert_eq!(bench.text(&bench.out("a.csv")), expected);
}

#[test]
fn a_crash_between_parts_leaves_nothing_after_the_next_delivery() {
    let bench = Bench::new();
    let (input, expected) = large();
    bench.put("a.csv", input);
    let (proxy, crashed) = {
        let crashed = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&crashed);
        // After the first part, nothing reaches S3 any more, as if the process had ended.
        let proxy = proxy(&bench, move |request| {
            let is_part = request.method == "PUT" && request.target.contains("partNumber=2");
            if is_part || seen.load(Ordering::Relaxed) > 0 {
                seen.fetch_add(1, Ordering::Relaxed);
                return Fault::Respond(400, "Crashed");
            }
            Fault::None
        });
        (proxy, crashed)
    };
    bench.score(&bench.function_at(proxy.address(), |_| {}), "a.csv").unwrap_err();
    assert!(crashed.load(Ordering::Relaxed) > 0);
    assert_eq!((bench.get(&bench.out("a.csv")), bench.uploads()), (None, 1));
    assert_eq!(bench.score(&bench.function(), "a.csv").unwrap()["outcome"], "written");
    assert!(bench.text(&bench.out("a.csv")) == expected);
    assert_eq!(bench.uploads(), 0);
}

#[test]
fn an_error_aborts_the_upload() {
    let bench = Bench::new();
    let (mut input, _) = large();
    input.push_str("1,\"never closed\n");
    input.push_str(&"1,2\n".repeat(5_000_000));
    bench.put("a.csv", input);
    let error = bench.score(&bench.function(), "a.csv").unwrap_err();
    assert!(error.to_string().contains("line 40002: the row that begins here is longer"), "{error}");
    assert_eq!((bench.get(&bench.out("a.csv")), bench.uploads()), (None, 0));
}

#[test]
fn the_time_of_the_function_is_not_exceeded() {
    let bench = Bench::new();
    bench.put("a.csv", large().0);
    let function = bench.function();
    let started = std::time::Instant::now();
    let error = function.handle(&bench.event(&["a.csv"]), Duration::from_millis(300)).unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(20));
    assert!(error.to_string().contains("the function's time ends after"), "{error}");
    assert!(error.to_string().contains("help: start the state machine"), "{error}");
    assert_eq!((bench.get(&bench.out("a.csv")), bench.uploads()), (None, 0));
}

#[test]
fn an_object_that_is_replaced_while_it_is_read_is_a_transient_error() {
    let bench = Bench::new();
    let (input, _) = large();
    bench.put("a.csv", input.clone());
    let pause = Pause::default();
    let paused = pause.clone();
    // The last of the three ranges is requested only after the first one has been read.
    let proxy = proxy(&bench, move |request| {
        let is_first = request.target.contains("a.csv") && request.range.as_deref() == Some("bytes=0-8388607");
        if is_first { Fault::PauseBody(1000, paused.clone()) } else { Fault::None }
    });
    let function = bench.function_at(proxy.address(), |_| {});
    let error = std::thread::scope(|scope| {
        let scored = scope.spawn(|| bench.score(&function, "a.csv"));
        bench.runtime.block_on(pause.reached());
        bench.put("a.csv", format!("{input}1,one more\n"));
        pause.resume();
        scored.join().unwrap().unwrap_err()
    });
    assert!(error.to_string().contains("the object was replaced while it was read; nothing was written"), "{error}");
    assert_eq!(error.kind(), "Ordinate.Transient");
    assert_eq!((bench.get(&bench.out("a.csv")), bench.uploads()), (None, 0));
    assert_eq!(bench.score(&bench.function(), "a.csv").unwrap()["rows"], LARGE_ROWS + 1);
}

#[test]
fn of_two_deliveries_at_once_one_writes() {
    let bench = Bench::new();
    for (name, (input, expected)) in [("small.csv", table(100, "a")), ("large.csv", large())] {
        bench.put(name, input);
        let functions = [bench.function(), bench.function()];
        let outcomes: Vec<String> = std::thread::scope(|scope| {
            let threads = functions.each_ref().map(|function| scope.spawn(|| bench.score(function, name)));
            threads.map(|thread| thread.join().unwrap().unwrap()["outcome"].as_str().unwrap().to_owned()).to_vec()
        });
        let written = outcomes.iter().filter(|outcome| *outcome == "written").count();
        assert_eq!((written, outcomes.len()), (1, 2), "{outcomes:?}");
        assert!(bench.text(&bench.out(name)) == expected);
    }
    assert_eq!(bench.uploads(), 0);
}

#[test]
fn a_lost_answer_to_a_write_is_no_error() {
    let bench = Bench::new();
    for (name, (input, expected)) in [("small.csv", table(100, "a")), ("large.csv", large())] {
        bench.put(name, input);
        let lost = AtomicUsize::new(0);
        let is_write = move |request: &Request| match name {
            "small.csv" => request.method == "PUT",
            _ => request.method == "POST" && request.target.contains("uploadId="),
        };
        let proxy = proxy(&bench, move |request| {
            let is_lost = is_write(request) && lost.fetch_add(1, Ordering::Relaxed) == 0;
            if is_lost { Fault::LoseResponse } else { Fault::None }
        });
        let function = bench.function_at(proxy.address(), |_| {});
        bench.score(&function, name).unwrap();
        assert!(bench.text(&bench.out(name)) == expected);
    }
    assert_eq!(bench.uploads(), 0);
}
