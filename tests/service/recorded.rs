//! Requests as clients sent them, head and body: `tests/clients/*.py --record tests/wire` writes them.

use axum::body::Body;
use http::Request;
use ordinate_test_support::root;

/// All recorded requests of a client with their names, sorted by name.
pub(crate) fn recorded(client: &str) -> Vec<(String, Request<Body>)> {
    let directory = root().join("tests/wire").join(client);
    let mut paths: Vec<_> = std::fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "http"));
    paths.sort();
    assert!(!paths.is_empty(), "no requests in {}", directory.display());
    let named = |path: std::path::PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, parse(&std::fs::read(path).unwrap()))
    };
    paths.into_iter().map(named).collect()
}

/// The recorded request of a client with this name.
pub(crate) fn recorded_as(client: &str, name: &str) -> Request<Body> {
    parse(&std::fs::read(root().join("tests/wire").join(client).join(format!("{name}.http"))).unwrap())
}

fn parse(message: &[u8]) -> Request<Body> {
    let end = message.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let head = std::str::from_utf8(&message[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap().split(' ');
    let mut request = Request::builder().method(first.next().unwrap()).uri(first.next().unwrap());
    for line in lines {
        let (name, value) = line.split_once(':').unwrap();
        request = request.header(name, value.trim());
    }
    request.body(Body::from(message[end + 4..].to_vec())).unwrap()
}
