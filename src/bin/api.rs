//! The API Gateway function.
fn main() {}
