//! `ordinate`, the command line.
fn main() {}
