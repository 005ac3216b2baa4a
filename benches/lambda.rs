//! Cold and warm times of the function as it ships. This program implements Lambda's Runtime API, starts the binary, and
//! measures its responses. The lower bound is a minimal function, which is this program started with `--floor`: a loop
//! over one socket.
//!
//! `make bench` builds the function and runs this program. Times are medians; ratios refer to the lower bound of the run.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const COLD_STARTS: usize = 30;
const WARM_REQUESTS: usize = 2_000;

fn main() {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some("--floor") => floor(&std::env::var("AWS_LAMBDA_RUNTIME_API").unwrap()),
        _ => compare(),
    }
}

fn compare() {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/lambda/api/bootstrap");
    let function = std::env::var_os("ORDINATE_BOOTSTRAP").map_or(default, PathBuf::from);
    assert!(function.exists(), "{} does not exist: run `make bench`", function.display());
    let size = std::fs::metadata(&function).unwrap().len();
    println!("{}: {size} bytes; {COLD_STARTS} cold starts, {WARM_REQUESTS} warm requests each", function.display());

    let this_program = std::env::current_exe().unwrap();
    let candidates: [(&str, &Path, &[&str]); 2] = [
        ("lower bound: loop over one socket", &this_program, &["--floor"]),
        ("ordinate, line, four rows", &function, &[]),
    ];
    // Alternating, so that changes in the speed of the machine affect both.
    let mut cold = [(); 2].map(|()| Vec::new());
    let mut warm = [(); 2].map(|()| Vec::new());
    for round in 0..COLD_STARTS {
        for (index, (_, program, arguments)) in candidates.iter().enumerate() {
            let requests = if round < 2 { WARM_REQUESTS / 2 } else { 0 };
            let (first, rest) = measure(Command::new(program).args(*arguments), requests);
            cold[index].push(first);
            warm[index].extend(rest);
        }
    }
    println!("{:34} {:>12} {:>8} {:>12} {:>8}", "", "cold ms", "ratio", "warm µs", "ratio");
    let (cold_floor, warm_floor) = (median(&mut cold[0]), median(&mut warm[0]));
    for (index, (name, ..)) in candidates.iter().enumerate() {
        let (cold, warm) = (median(&mut cold[index]), median(&mut warm[index]));
        println!(
            "{name:34} {:12.2} {:8.2} {:12.0} {:8.2}",
            cold.as_secs_f64() * 1e3,
            cold.as_secs_f64() / cold_floor.as_secs_f64(),
            warm.as_secs_f64() * 1e6,
            warm.as_secs_f64() / warm_floor.as_secs_f64(),
        );
    }
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// Starts a function and invokes it once, then `requests` times. Returns the time from the start of the process to the first
/// response, and the times from event to response of the others.
fn measure(command: &mut Command, requests: usize) -> (Duration, Vec<Duration>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    command
        .env_clear()
        .env("AWS_LAMBDA_RUNTIME_API", listener.local_addr().unwrap().to_string())
        .env("AWS_LAMBDA_FUNCTION_NAME", "api")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
        .stdout(Stdio::null());
    let captured = Path::new(env!("CARGO_MANIFEST_DIR")).join("events/v2.json");
    let event = std::fs::read_to_string(captured).unwrap();
    let spawned = Instant::now();
    let function = Reaped(command.spawn().expect("the function starts"));
    // The function may use one connection for all calls, or a new one for each.
    let mut connection = accept(&listener);
    let mut first = None;
    let mut rest = Vec::with_capacity(requests);
    let mut handed_out = spawned;
    while rest.len() < requests || first.is_none() {
        let Some((line, body)) = read_message(&mut connection) else {
            connection = accept(&listener);
            continue;
        };
        if line.starts_with("GET ") {
            handed_out = Instant::now();
            let head = "HTTP/1.1 200 OK\r\nlambda-runtime-aws-request-id: 1\r\nlambda-runtime-deadline-ms: 9999999999999\r\n\
                        lambda-runtime-invoked-function-arn: arn:aws:lambda:eu-west-1:123456789012:function:api\r\n\
                        content-type: application/json";
            respond(&mut connection, head, &event);
        } else {
            assert!(line.contains("/response") && body.contains("[3.0,5.0,7.0,9.0]"), "{line}: {body}");
            match first {
                None => first = Some(spawned.elapsed()),
                Some(_) => rest.push(handed_out.elapsed()),
            }
            respond(&mut connection, "HTTP/1.1 202 Accepted\r\ncontent-type: application/json", "{\"status\":\"OK\"}");
        }
    }
    drop(function);
    (first.unwrap(), rest)
}

struct Reaped(Child);

impl Drop for Reaped {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

fn accept(listener: &TcpListener) -> BufReader<TcpStream> {
    let (stream, _) = listener.accept().unwrap();
    stream.set_nodelay(true).unwrap();
    BufReader::new(stream)
}

fn respond(connection: &mut BufReader<TcpStream>, head: &str, body: &str) {
    let message = format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    connection.get_mut().write_all(message.as_bytes()).unwrap();
}

/// The first line and the body of a message, with a length or chunked; `None` at the end of the connection.
fn read_message(connection: &mut BufReader<TcpStream>) -> Option<(String, String)> {
    let mut first = String::new();
    if connection.read_line(&mut first).ok()? == 0 {
        return None;
    }
    let (mut length, mut chunked) = (0, false);
    loop {
        let mut header = String::new();
        connection.read_line(&mut header).unwrap();
        let header = header.to_ascii_lowercase();
        if header.trim().is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        chunked |= header.starts_with("transfer-encoding:") && header.contains("chunked");
    }
    let mut body = Vec::new();
    if chunked {
        loop {
            let mut size = String::new();
            connection.read_line(&mut size).unwrap();
            let size = usize::from_str_radix(size.trim(), 16).unwrap();
            let mut chunk = vec![0; size + 2];
            connection.read_exact(&mut chunk).unwrap();
            body.extend_from_slice(&chunk[..size]);
            if size == 0 {
                break;
            }
        }
    } else {
        body.resize(length, 0);
        connection.read_exact(&mut body).unwrap();
    }
    Some((first, String::from_utf8(body).unwrap()))
}

/// Responds to all events with a constant.
fn floor(runtime_api: &str) {
    let stream = TcpStream::connect(runtime_api).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut connection = BufReader::new(stream);
    loop {
        let next = "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nhost: runtime\r\n\r\n";
        if connection.get_mut().write_all(next.as_bytes()).is_err() || read_message(&mut connection).is_none() {
            return;
        }
        let response = r#"{"statusCode":200,"body":"{\"y\":[3.0,5.0,7.0,9.0]}"}"#;
        let head = "POST /2018-06-01/runtime/invocation/1/response HTTP/1.1\r\nhost: runtime";
        respond(&mut connection, head, response);
        if read_message(&mut connection).is_none() {
            return;
        }
    }
}
