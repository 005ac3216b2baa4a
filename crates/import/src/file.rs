//! Files of fitted models: pickles (protocols 0–5), joblib files and skops files of scikit-learn. Nothing in a file is run.
//!
//! A file becomes a graph of plain nodes, by an interpreter of pickle's opcodes or from the JSON schema of skops. A name of
//! a class or function is never looked up or called, and remains a name; one that is not in a closed list ends the import
//! where it is called or used. Time and memory are bounded: see `graph`.
//!
//! | module        | subject                                                                    |
//! | ------------- | -------------------------------------------------------------------------- |
//! | `compression` | the format of a file by its first bytes, and compressed files              |
//! | `graph`       | the objects of a file, with references between them, and the limits        |
//! | `globals`     | the closed list of classes and functions                                   |
//! | `pickle`      | the interpreter of opcodes                                                 |
//! | `skops`       | the schema and the arrays of a skops file                                  |
//! | `array`       | arrays of numpy                                                            |
//! | `plain`       | from the graph to [`Value`]s                                               |

mod array;
mod compression;
mod error;
mod globals;
mod graph;
mod pickle;
mod plain;
mod skops;

use crate::value::Value;
use compression::Content;
pub use error::FileError;
use graph::Graph;

/// The most bytes of a file, and of its decompressed content.
pub const MAX_BYTES: usize = 256 << 20;

/// A fitted estimator of scikit-learn in a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// Its objects.
    pub estimator: Value,
    /// The class of the estimator.
    pub class: String,
    /// The version of scikit-learn that wrote the file, if it contains it.
    pub version: Option<String>,
    /// The names of the columns that it was fitted to, if they had names.
    pub names: Option<Vec<String>>,
    /// The number of columns that it was fitted to, if the file contains it.
    pub width: Option<usize>,
    /// The classes and functions that the import does not know, in attributes that it does not read.
    pub unused: Vec<String>,
}

/// Reads the fitted estimator in a file.
///
/// # Errors
/// [`FileError`]
pub fn read(file: &[u8]) -> Result<Fitted, FileError> {
    let mut graph = Graph::default();
    match compression::content(file)? {
        Content::Pickle(content) => {
            let root = pickle::load(&content, &mut graph)?;
            plain::fitted(&graph, root)
        }
        Content::Skops => {
            let root = skops::load(file, &mut graph)?;
            plain::fitted(&graph, root)
        }
    }
}
