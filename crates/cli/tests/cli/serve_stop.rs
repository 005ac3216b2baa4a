//! How `ordinate serve` stops: it answers what it has received, within a limit.

use std::fs;
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::serve::Served;
use crate::serve_clients::explained;
use crate::serve_wire::{connect, read_to_end};

const REQUEST: &[u8] = b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{\"X\":[1]}";

#[test]
fn requests_that_were_received_are_answered_and_then_it_stops() {
    let mut served = Served::start(&[]);
    let streams: Vec<TcpStream> = (0..200)
        .map(|_| {
            let mut stream = connect(&served);
            stream.write_all(REQUEST).unwrap();
            stream
        })
        .collect();
    let idle = connect(&served);
    let started = Instant::now();
    served.terminate();
    for stream in &streams {
        let answer = read_to_end(stream);
        assert!(answer.ends_with(r#"{"y":[3.0]}"#), "{answer:?}");
    }
    assert_eq!(read_to_end(&idle), "");
    let (status, _) = served.wait();
    assert!(status.success() && started.elapsed() < Duration::from_secs(8), "{status} {:?}", started.elapsed());
}

#[test]
fn a_body_that_arrives_after_the_signal_is_answered_and_its_connection_is_closed() {
    let mut served = Served::start(&[]);
    let mut stream = connect(&served);
    let (start, end) = REQUEST.split_at(REQUEST.len() - 3);
    stream.write_all(start).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    served.terminate();
    std::thread::sleep(Duration::from_millis(200));
    assert!(TcpStream::connect(stream.peer_addr().unwrap()).is_err(), "it accepts no connections");
    stream.write_all(end).unwrap();
    let answer = read_to_end(&stream);
    assert!(answer.ends_with(r#"{"y":[3.0]}"#) && answer.contains("connection: close"), "{answer:?}");
    assert!(served.wait().0.success());
}

#[test]
fn stalled_requests_do_not_keep_it_from_stopping() {
    let mut served = Served::start(&[("DRAIN_SECONDS", "1")]);
    let mut stream = connect(&served);
    stream.write_all(b"POST /predict HTTP/1.1\r\nHost: a\r\n").unwrap();
    std::thread::sleep(Duration::from_millis(100));
    let started = Instant::now();
    served.terminate();
    let (status, log) = served.wait();
    assert!(status.success() && started.elapsed() < Duration::from_secs(5), "{status} {:?}", started.elapsed());
    assert!(log.contains("DRAIN_SECONDS"), "{log}");
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let mut served = Served::start(&[("DRAIN_SECONDS", "60")]);
    let mut stream = connect(&served);
    stream.write_all(b"POST /predict HTTP/1.1\r\nHost: a\r\n").unwrap();
    std::thread::sleep(Duration::from_millis(100));
    let started = Instant::now();
    served.terminate();
    std::thread::sleep(Duration::from_millis(300));
    served.terminate();
    let (status, _) = served.wait();
    assert_eq!((status.code(), status.signal()), (Some(143), None));
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[test]
fn a_request_that_is_computed_does_not_keep_it_from_stopping() {
    let mut served = Served::start(&[("DRAIN_SECONDS", "0.2"), ("LOG_REQUESTS", "none")]);
    let mut stream = connect(&served);
    stream.write_all(&explained(9000)).unwrap();
    while served.metric("ordinate_requests_in_flight") < 2 {
        std::thread::sleep(Duration::from_millis(10));
    }
    let started = Instant::now();
    served.terminate();
    let (status, _) = served.wait();
    assert!(status.success() && started.elapsed() < Duration::from_millis(1500), "{status} {:?}", started.elapsed());
}

#[test]
fn process_1_of_a_container_stops_while_it_loads_its_models() {
    // It accepts connections and never answers.
    let storage = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let endpoint = format!("http://{}", storage.local_addr().unwrap());
    let mut container = Command::new("unshare")
        .args(["--user", "--map-root-user", "--pid", "--fork", "--kill-child", env!("CARGO_BIN_EXE_ordinate")])
        .args(["serve", "s3://bucket/model.json", "--port", "0"])
        .envs([("AWS_ENDPOINT_URL_S3", endpoint.as_str()), ("AWS_REGION", "eu-west-1")])
        .envs([("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b")])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let _connection = storage.accept().unwrap();
    let children = format!("/proc/{0}/task/{0}/children", container.id());
    let process_1 = fs::read_to_string(children).unwrap();
    let started = Instant::now();
    assert!(Command::new("kill").arg(process_1.trim()).status().unwrap().success());
    let status = container.wait().unwrap();
    assert!(status.success() && started.elapsed() < Duration::from_secs(3), "{status} {:?}", started.elapsed());
}
