//! The checksum of a model: SHA-256 of its canonical form (RFC 8785), of which only the small parts are in memory.

use std::io::{self, BufWriter, Write};

use indexmap::IndexMap;
use serde::Serialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::artifact::Document;
use crate::estimator::Coefficients;
use crate::identity::Checksum;

/// The parts of a document that grow with the number of columns times another number.
#[derive(Default)]
struct Large {
    /// `inference.r`
    r: Vec<Vec<f64>>,
    /// `estimator.coefficients` of a regressor.
    coefficients: IndexMap<String, f64>,
    /// `estimator.coefficients` of a classifier.
    lists: IndexMap<String, Vec<f64>>,
}

impl Large {
    /// Swaps the parts with those of the document.
    fn swap(&mut self, document: &mut Document) {
        if let Some(inference) = &mut document.inference {
            std::mem::swap(&mut self.r, &mut inference.r);
        }
        match &mut document.estimator {
            Coefficients::Logistic(model) => std::mem::swap(&mut self.lists, &mut model.coefficients),
            Coefficients::Linear(model)
            | Coefficients::Ridge(model)
            | Coefficients::Lasso(model)
            | Coefficients::ElasticNet(model)
            | Coefficients::Poisson(model)
            | Coefficients::Gamma(model) => std::mem::swap(&mut self.coefficients, &mut model.coefficients),
        }
    }
}

impl Document {
    /// SHA-256 of the canonical form without `created` and `sha256`.
    pub(crate) fn checksum(&mut self) -> Result<Checksum, serde_json::Error> {
        let (created, sha256) = (std::mem::take(&mut self.created), self.sha256.take());
        let mut large = Large::default();
        large.swap(self);
        let small = serde_json_canonicalizer::to_vec(self);
        large.swap(self);
        let checksum = small.and_then(|small| digest(&small, self));
        self.created = created;
        self.sha256 = sha256;
        checksum
    }
}

type Out = BufWriter<Hasher>;
type Outcome = Result<(), serde_json::Error>;

/// Hashes what is written.
struct Hasher(Sha256);

impl Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The digest of the canonical form: `small`, with the large parts of the document, which it lacks.
fn digest(small: &[u8], document: &Document) -> Result<Checksum, serde_json::Error> {
    let mut out = BufWriter::with_capacity(1 << 16, Hasher(Sha256::new()));
    let members: IndexMap<String, &RawValue> = serde_json::from_slice(small)?;
    let r = document.inference.as_ref().map(|inference| &inference.r).filter(|r| !r.is_empty());
    object(&mut out, &members, |out, key, value| match (key, r) {
        ("estimator", _) => object(out, &parse(value)?, |out, key, value| match (key, &document.estimator) {
            ("coefficients", Coefficients::Logistic(model)) => sorted(out, &model.coefficients),
            (
                "coefficients",
                Coefficients::Linear(model)
                | Coefficients::Ridge(model)
                | Coefficients::Lasso(model)
                | Coefficients::ElasticNet(model)
                | Coefficients::Poisson(model)
                | Coefficients::Gamma(model),
            ) => sorted(out, &model.coefficients),
            _ => text(out, value),
        }),
        ("inference", Some(r)) => {
            let mut members = parse(value)?;
            members.insert("r".to_owned(), RawValue::NULL);
            // The names are ASCII, whose order is that of UTF-16 code units.
            members.sort_unstable_keys();
            object(out, &members, |out, key, value| {
                if key == "r" { serde_json_canonicalizer::to_writer(r, out) } else { text(out, value) }
            })
        }
        _ => text(out, value),
    })?;
    let hasher = out.into_inner().map_err(|error| serde_json::Error::io(error.into_error()))?;
    Ok(Checksum::from_digest(hasher.0.finalize().as_ref()))
}

fn parse(object: &RawValue) -> Result<IndexMap<String, &RawValue>, serde_json::Error> {
    serde_json::from_str(object.get())
}

/// Writes a canonical text.
fn text(out: &mut Out, value: &RawValue) -> Outcome {
    out.write_all(value.get().as_bytes()).map_err(serde_json::Error::io)
}

/// Writes an object whose members are in order.
fn object(
    out: &mut Out,
    members: &IndexMap<String, &RawValue>,
    write: impl Fn(&mut Out, &str, &RawValue) -> Outcome,
) -> Outcome {
    let mut start = b'{';
    for (key, value) in members {
        name(out, start, key)?;
        write(out, key, value)?;
        start = b',';
    }
    out.write_all(b"}").map_err(serde_json::Error::io)
}

/// Writes a map in the order of RFC 8785: that of the UTF-16 code units of the keys.
fn sorted<T: Serialize>(out: &mut Out, map: &IndexMap<String, T>) -> Outcome {
    let mut members: Vec<_> = map.iter().collect();
    members.sort_unstable_by(|(one, _), (other, _)| one.encode_utf16().cmp(other.encode_utf16()));
    let mut start = b'{';
    if members.is_empty() {
        out.write_all(b"{").map_err(serde_json::Error::io)?;
    }
    for (key, value) in members {
        name(out, start, key)?;
        serde_json_canonicalizer::to_writer(value, out)?;
        start = b',';
    }
    out.write_all(b"}").map_err(serde_json::Error::io)
}

/// Writes the start of a member.
fn name(out: &mut Out, start: u8, key: &str) -> Outcome {
    out.write_all(&[start]).map_err(serde_json::Error::io)?;
    serde_json_canonicalizer::to_writer(&key, out)?;
    out.write_all(b":").map_err(serde_json::Error::io)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The checksum by way of the whole text.
    fn of_text(document: &Document) -> Checksum {
        let bare = Document { created: String::new(), sha256: None, ..document.clone() };
        Checksum::compute(&serde_json_canonicalizer::to_vec(&bare).unwrap())
    }

    #[test]
    fn the_checksum_is_that_of_the_canonical_text() {
        for name in ["line", "diabetes", "iris", "breast-cancer"] {
            let file = std::fs::read(format!("{}/../../model/{name}.json", env!("CARGO_MANIFEST_DIR"))).unwrap();
            let mut document: Document = serde_json::from_slice(&file).unwrap();
            let before = document.clone();
            assert_eq!(document.checksum().unwrap(), of_text(&document), "{name}");
            assert_eq!(document, before);
            // Names that UTF-8 and UTF-16 order differently, and that are escaped.
            for key in ["\u{10000}", "\u{ffff}", "a\"b\n", "é", "A", ""] {
                match &mut document.estimator {
                    Coefficients::Logistic(model) => drop(model.coefficients.insert(key.to_owned(), vec![1e21, -0.5])),
                    Coefficients::Linear(model) | Coefficients::Ridge(model) => {
                        model.coefficients.insert(key.to_owned(), 1e-7);
                    }
                    _ => {}
                }
            }
            if let Some(inference) = &mut document.inference {
                inference.r = vec![vec![1.0, 5e-324], vec![f64::MAX]];
            }
            assert_eq!(document.checksum().unwrap(), of_text(&document), "{name}");
            document.inference = None;
            assert_eq!(document.checksum().unwrap(), of_text(&document), "{name}");
        }
    }
}
