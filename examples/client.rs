//! Sends a request to a running server: `cargo run --example client -- http://localhost:9000`

use std::error::Error;

use serde_json::json;

fn main() -> Result<(), Box<dyn Error>> {
    let base = std::env::args().nth(1).unwrap_or("http://localhost:9000".into());
    let rows = json!({"X": [[5.1, 3.5, 1.4, 0.2]]});
    let mut answer =
        ureq::post(format!("{base}/models/iris/predict")).content_type("application/json").send(rows.to_string())?;
    println!("{}", answer.body_mut().read_to_string()?);
    Ok(())
}
