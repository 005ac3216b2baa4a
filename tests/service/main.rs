//! The service in process: requests in, responses out. The page and its documentation are opened in Chromium.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod answers;
mod capture;
mod content_types;
mod documentation;
mod http;
mod openapi;
mod page;
mod protocols;
mod recorded;
mod resilience;
mod wrong_calls;

/// The first row of `model/diabetes.csv`.
const DIABETES: [f64; 10] = [59.0, 2.0, 32.1, 101.0, 157.0, 93.2, 38.0, 4.0, 4.8598, 87.0];
