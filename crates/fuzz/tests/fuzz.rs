//! Runs the fuzz targets: for a second each in `cargo test`, longer with `make test-fuzz`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use bolero::TypeGenerator;
use ordinate_fuzz::{TARGETS, corpus};

/// A change of the bytes of a seed.
#[derive(Debug, Clone, Copy, TypeGenerator)]
enum Mutation {
    Flip { at: u32, bit: u8 },
    Set { at: u32, byte: u8 },
    Delete { at: u32, length: u8 },
    Repeat { at: u32, length: u8, times: u8 },
    Insert { at: u32, token: u8 },
    Replace { at: u32, token: u8 },
    Copy { at: u32, seed: u8, from: u32, length: u8 },
}

/// A file of the corpus with changes.
#[derive(Debug, Clone, TypeGenerator)]
struct Input {
    seed: u8,
    mutations: [Mutation; 6],
    /// The first of them apply.
    count: u8,
}

/// Texts with a meaning somewhere.
const TOKENS: [&str; 44] = [
    "null",
    "true",
    "NaN",
    "Infinity",
    "-0",
    "0",
    "1",
    "9007199254740993",
    "1e999",
    "1e-999",
    "5e-324",
    "0.1",
    "1E5",
    "12345678901234567000",
    "-9223372036854775809",
    "18446744073709551616",
    "\"\"",
    "\"x\"",
    "\"X\"",
    "\\ud800",
    "\\u0000",
    "é",
    "\u{feff}",
    "\u{2028}",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    ";",
    "\t",
    "\n",
    "\r\n",
    "\"",
    "'",
    "\0",
    "\u{ff}",
    "%",
    "/../",
    "s3://",
    "file:///",
    "\"shape\":[-1,1]",
    "\"parameters\":{\"binary_data_size\":8}",
];

impl Input {
    fn bytes(&self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let pick = |seed: u8| &seeds[usize::from(seed) % seeds.len()];
        let mut bytes = pick(self.seed).clone();
        for mutation in self.mutations.iter().take(usize::from(self.count) % (self.mutations.len() + 1)) {
            let place = |at: u32| at as usize % (bytes.len() + 1);
            let range = |at: u32, length: u8| place(at)..bytes.len().min(place(at) + usize::from(length));
            match *mutation {
                Mutation::Flip { at, bit } => {
                    let at = place(at);
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte ^= 1 << (bit % 8);
                    }
                }
                Mutation::Set { at, byte } => {
                    let at = place(at);
                    if let Some(old) = bytes.get_mut(at) {
                        *old = byte;
                    }
                }
                Mutation::Delete { at, length } => drop(bytes.drain(range(at, length % 32)).count()),
                Mutation::Repeat { at, length, times } => {
                    let part = bytes[range(at, length)].repeat(usize::from(times % 8));
                    let at = place(at);
                    bytes.splice(at..at, part);
                }
                Mutation::Insert { at, token } => {
                    let at = place(at);
                    bytes.splice(at..at, TOKENS[usize::from(token) % TOKENS.len()].bytes());
                }
                Mutation::Replace { at, token } => {
                    let at = place(at);
                    replace(&mut bytes, at, token);
                }
                Mutation::Copy { at, seed, from, length } => {
                    let other = pick(seed);
                    let from = from as usize % (other.len() + 1);
                    let part = other[from..other.len().min(from + usize::from(length))].to_vec();
                    let at = place(at);
                    bytes.splice(at..at, part);
                }
            }
        }
        bytes
    }
}

/// Replaces the word or number at this place.
fn replace(bytes: &mut Vec<u8>, at: usize, token: u8) {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'+');
    let start = at - bytes[..at].iter().rev().take_while(|byte| is_word(byte)).count();
    let end = at + bytes[at..].iter().take_while(|byte| is_word(byte)).count();
    bytes.splice(start..end, TOKENS[usize::from(token) % TOKENS.len()].bytes());
}

/// The time for each target.
fn seconds() -> u64 {
    std::env::var("FUZZ_SECONDS").ok().map_or(1, |seconds| seconds.parse().unwrap())
}

fn fuzz(name: &'static str) {
    let target = TARGETS.iter().find(|target| target.name == name).unwrap();
    let seeds = corpus(name);
    let (runs, accepted) = (AtomicU64::new(0), AtomicU64::new(0));
    let check = |bytes: &[u8]| {
        runs.fetch_add(1, Relaxed);
        accepted.fetch_add((target.check)(bytes).into(), Relaxed);
    };
    for seed in &seeds {
        check(seed);
    }
    if std::env::var_os("BOLERO_LIBFUZZER_ARGS").is_some() {
        // The fuzzer, which ends the process, mutates the bytes of its corpus itself.
        bolero::check!(name = name).for_each(|bytes| check(bytes));
    }
    let started = Instant::now();
    bolero::check!(name = name)
        .with_iterations(usize::MAX)
        .with_test_time(Duration::from_secs(seconds()))
        .with_type::<Input>()
        .for_each(|input| check(&input.bytes(&seeds)));
    let seconds = started.elapsed().as_secs();
    println!("{name}: {} executions, {} accepted, {seconds} s", runs.into_inner(), accepted.into_inner());
}

macro_rules! targets {
    ($($name:ident),*) => {$(
        #[test]
        fn $name() {
            fuzz(stringify!($name));
        }
    )*};
}

targets!(artifact, json, csv, tensor, npy, uri, event, alias, import);
