//! Hostile files. Each of them ends in an error, and none runs: a canary file would be there.
//!
//! Most would run `touch canary` in Python's `pickle.load`. `docs/PYTHON.md` has the table.

use std::fs;
use std::io::Write;
use std::time::{Duration, Instant};

use flate2::write::{DeflateEncoder, GzEncoder};
use flate2::{Compression, Crc};

use super::LINE;
use crate::support::{complained, file_names, run, succeeded};

const COMMAND: &str = "touch canary";

/// A text in protocol 4.
fn word(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).unwrap();
    [&[0x8c, length], text.as_bytes()].concat()
}

/// A name in protocol 4.
fn global(module: &str, name: &str) -> Vec<u8> {
    [word(module), word(name), vec![0x93]].concat()
}

fn pickle(parts: &[&[u8]]) -> Vec<u8> {
    [b"\x80\x04", parts.concat().as_slice(), b"."].concat()
}

/// A call of a function with one text.
fn call(module: &str, name: &str, argument: &str) -> Vec<u8> {
    pickle(&[&global(module, name), &word(argument), b"\x85R"])
}

/// A pipeline whose steps are a value.
fn pipeline(steps: &[u8]) -> Vec<u8> {
    pickle(&[&global("sklearn.pipeline", "Pipeline"), b")\x81}", &word("steps"), steps, b"sb"])
}

/// A wrapper of joblib for an array of objects, whose pickle follows.
fn joblib(inner: &[u8]) -> Vec<u8> {
    let dtype =
        [&global("numpy", "dtype"), word("O8").as_slice(), b"\x89\x88\x87R(K\x03", &word("|"), b"NNNJ\xff\xff\xff\xff"]
            .concat();
    let dtype = [&dtype, b"J\xff\xff\xff\xffK?tb".as_slice()].concat();
    let wrapper = [
        &global("joblib.numpy_pickle", "NumpyArrayWrapper"),
        b")\x81}(".as_slice(),
        &word("subclass"),
        &global("numpy", "ndarray"),
        &word("shape"),
        b"K\x01\x85",
        &word("order"),
        &word("C"),
        &word("dtype"),
        &dtype,
        b"ub",
        inner,
    ];
    pickle(&[&wrapper.concat()])
}

/// A zip archive of members: name, content, and whether it is deflated.
fn zip(members: &[(&str, &[u8], bool)]) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for (name, content, deflate) in members {
        let mut crc = Crc::new();
        crc.update(content);
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(content).unwrap();
        let data = if *deflate { encoder.finish().unwrap() } else { content.to_vec() };
        let size = |length: usize| u32::try_from(length).unwrap().to_le_bytes();
        let method = [if *deflate { 8 } else { 0 }, 0];
        let fields = [
            &[20, 0, 0, 0][..],
            &method,
            &[0; 4],
            &crc.sum().to_le_bytes(),
            &size(data.len()),
            &size(content.len()),
            &u16::try_from(name.len()).unwrap().to_le_bytes(),
            &[0, 0],
        ]
        .concat();
        let start = size(file.len());
        file.extend([b"PK\x03\x04", fields.as_slice(), name.as_bytes(), &data].concat());
        directory.extend([b"PK\x01\x02\x14\0", fields.as_slice(), &[0; 10], &start, name.as_bytes()].concat());
    }
    let count = u16::try_from(members.len()).unwrap().to_le_bytes();
    let [start, size] = [file.len(), directory.len()].map(|length| u32::try_from(length).unwrap().to_le_bytes());
    let end = [b"PK\x05\x06\0\0\0\0", count.as_slice(), &count, &size, &start, &[0, 0]].concat();
    [file, directory, end].concat()
}

fn skops(schema: &str) -> Vec<u8> {
    zip(&[("schema.json", schema.as_bytes(), false)])
}

/// The attacks by name, each with a part of the message.
fn attacks() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let system = call("posix", "system", COMMAND);
    let value = &system[2..system.len() - 1];
    let hidden = pickle(&[&global("sklearn.pipeline", "Pipeline"), b")\x81}", &word("memory"), value, b"sb"]);
    let object = [global("subprocess", "Popen"), word(COMMAND), b"\x85\x81".to_vec()].concat();
    let code = "__import__('os').system('touch canary')";
    // Forty lists, each of them twice the one before.
    let doubled = |level: u8| [&b"0](h"[..], &[level], b"h", &[level], b"eq", &[level + 1]].concat();
    let memo_bomb = [b"]q\0".to_vec(), (0..40).flat_map(doubled).collect()].concat();
    let deep = [vec![b')'; 1], [0x85].repeat(100_000)].concat();
    let recursive = b"]q\0h\0a".to_vec();
    let huge = (1_u64 << 60).to_le_bytes();
    let wrong_array = [
        global("numpy._core.multiarray", "_reconstruct"),
        global("numpy", "ndarray"),
        b"K\0\x85C\x01b\x87R(K\x01\x8a\x08".to_vec(),
        huge.to_vec(),
        b"\x85".to_vec(),
        global("numpy", "dtype"),
        word("U0"),
        b"\x89\x88\x87R\x89C\0tb".to_vec(),
    ]
    .concat();
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(&vec![0; 300 << 20]).unwrap();
    let method = r#"{"__class__": "system", "__module__": "os", "__loader__": "FunctionNode"}"#;
    let partial = r#"{"__class__": "partial", "__module__": "functools", "__loader__": "PartialNode", "content": {}}"#;
    let listed = "is not part of a scikit-learn model that can be imported; nothing was run";
    vec![
        ("os.system", system.clone(), listed),
        ("builtins.eval", call("builtins", "eval", code), listed),
        ("builtins.exec of Python 2", [b"c__builtin__\nexecfile\n(V", COMMAND.as_bytes(), b"\ntR."].concat(), listed),
        ("subprocess.Popen", call("subprocess", "Popen", COMMAND), listed),
        (
            "getattr chain",
            pickle(&[&global("builtins", "getattr"), &global("sklearn.pipeline", "Pipeline"), &word("fit"), b"\x86R"]),
            listed,
        ),
        ("operator.attrgetter", call("operator", "attrgetter", "system"), listed),
        ("functools.partial", call("functools", "partial", COMMAND), listed),
        ("numpy.load", call("numpy", "load", "canary.npy"), listed),
        ("joblib.load", call("joblib", "load", "canary"), listed),
        ("dotted name", call("sklearn.utils._joblib", "os.system", COMMAND), listed),
        ("module of a listed class", call("sklearn.pipeline", "os", COMMAND), listed),
        (
            "STACK_GLOBAL with names from the memo",
            pickle(&[&word("posix"), b"q\x01", &word("system"), b"q\x0200h\x01h\x02\x93", &word(COMMAND), b"\x85R"]),
            listed,
        ),
        (
            "STACK_GLOBAL with a computed name",
            pickle(&[
                &global("_codecs", "encode"),
                &word("posix"),
                &word("latin1"),
                b"\x86R",
                &word("system"),
                b"\x93",
            ]),
            "the name of a class is not a text",
        ),
        ("INST", [b"(V", COMMAND.as_bytes(), b"\niposix\nsystem\n."].concat(), listed),
        ("OBJ", [b"(cposix\nsystem\nV", COMMAND.as_bytes(), b"\no."].concat(), listed),
        ("NEWOBJ_EX", pickle(&[&global("subprocess", "Popen"), &word(COMMAND), b"\x85}\x92"]), listed),
        ("a listed function is called", call("numpy", "log", "1"), "it calls numpy.log"),
        ("state of a class", pickle(&[&global("sklearn.pipeline", "Pipeline"), b"}b"]), "without attributes"),
        ("call of an object", pickle(&[&global("sklearn.pipeline", "Pipeline"), b")\x81)R"]), "not a class is called"),
        ("in an attribute that is not read", hidden, listed),
        (
            "object that is dropped",
            pickle(&[&global("sklearn.pipeline", "Pipeline"), b")\x81}", &word("steps"), &object, b"0]sb"]),
            listed,
        ),
        ("function in the steps", pipeline(&[b"]".as_slice(), &global("posix", "system"), b"a"].concat()), listed),
        ("object in the steps", pipeline(&object), listed),
        ("second pickle after the first", [pipeline(b"]"), system.clone()].concat(), "bytes follow the end"),
        ("pickle in an array of joblib", joblib(&system), listed),
        ("joblib file in a joblib file", joblib(&joblib(b"")), "a joblib file in a joblib file"),
        ("persistent id", b"\x80\x04Vcanary\nQ.".to_vec(), "a persistent id"),
        ("extension code", b"\x80\x04\x82\x01.".to_vec(), "an extension code"),
        ("buffer outside of the file", b"\x80\x05\x97.".to_vec(), "a buffer outside"),
        ("memo bomb", pipeline(&memo_bomb), "values of parts that others share"),
        ("recursive list", pipeline(&recursive), "levels of nested values"),
        ("deep nesting", pipeline(&deep), "levels of nested values"),
        ("text of 2^60 bytes", [b"\x80\x04\x8d".as_slice(), &huge, b"x."].concat(), "the file ends"),
        ("bytes of 2^60 bytes", [b"\x80\x04\x8e".as_slice(), &huge, b"x."].concat(), "the file ends"),
        ("frame of 2^60 bytes", [b"\x80\x04\x95".as_slice(), &huge, b"x."].concat(), "longer than the file"),
        ("integer of -1 bytes", b"\x80\x04\x8b\xff\xff\xff\xff.".to_vec(), "a negative length"),
        ("array of 2^60 empty texts", pipeline(&wrong_array), "the file has more than 16777216 values"),
        ("gzip bomb", gzip.finish().unwrap(), "256 MiB after decompression"),
        ("zip bomb", zip(&[("schema.json", &vec![b' '; 64 << 20], true)]), "32 MiB after decompression"),
        ("path in a zip archive", zip(&[("../canary", b"", false), ("schema.json", b"{}", false)]), "has a path"),
        ("function in skops", skops(method), listed),
        ("partial in skops", skops(partial), "functools.partial (PartialNode) is not read"),
        ("deep schema", skops(&"[".repeat(100_000)), "recursion limit"),
    ]
}

#[test]
fn hostile_files_are_refused_and_nothing_runs() {
    let attacks = attacks();
    assert!(attacks.len() >= 12);
    for (name, content, expected) in attacks {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("model.pkl"), content).unwrap();
        let started = Instant::now();
        let output = run(&folder, "import model.pkl --features x --out model.json");
        let message = complained(&output);
        assert!(message.contains(expected) && message.contains("\nhelp: "), "{name}: {message}");
        assert!(started.elapsed() < Duration::from_secs(30), "{name}: {:?}", started.elapsed());
        // Neither the canary nor a model nor a member of an archive.
        let files: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(files, ["model.pkl"], "{name}");
        assert!(!folder.path().join("../canary").exists(), "{name}");
    }
}

#[test]
fn an_object_that_is_not_used_does_not_run() {
    let popen = format!("Vmemory\ncsubprocess\nPopen\n(V{COMMAND}\nt");
    let content = [LINE.strip_suffix("sb.").unwrap().as_bytes(), b"s", popen.as_bytes(), b"\x81sb."].concat();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("line.pkl"), content).unwrap();
    let output = run(&folder, "import line.pkl --features x --out line.json");
    let note = "note: predictions do not need subprocess.Popen in the file: not read, and nothing was run\n";
    assert!(succeeded(&output).contains(note), "{}", succeeded(&output));
    assert_eq!(file_names(&folder), ["line.json", "line.pkl"]);
}
