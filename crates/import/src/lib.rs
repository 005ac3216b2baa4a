//! Models of other libraries as model files. An importer gets the objects of a fitted model as plain [`Value`]s, from
//! Python or from a file, and never runs any of their code.
//!
//! | module           | subject                                                                          |
//! | ---------------- | -------------------------------------------------------------------------------- |
//! | [`value`]        | the objects of a fitted model as plain values, and their JSON form               |
//! | [`mod@file`]     | files of fitted models: pickle, joblib and skops, without running them           |
//! | [`sklearn`]      | pipelines of scikit-learn                                                        |
//! | [`statsmodels`]  | results of statsmodels with a formula                                            |
//! | `expression`     | a column of a transformed table as a sum of products of features                 |
//! | [`draft`]        | from expressions to the model file                                               |
//! | `example_rows`   | golden rows of a model file that is made without data                            |
//! | `target`         | the name of the target of a model whose file has none                            |

pub mod draft;
mod error;
mod example_rows;
mod expression;
mod features;
pub mod file;
pub mod sklearn;
pub mod statsmodels;
mod target;
pub mod value;

pub use draft::{Column, Draft, Facts};
pub use error::ImportError;
pub use target::{USUAL_TARGET, default_target};
pub use value::Value;
