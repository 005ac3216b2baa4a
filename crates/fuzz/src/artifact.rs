//! Model files.
//!
//! - A model that is accepted, written again, is the same model with the same checksum.
//! - A model with damaged parts but a valid checksum is an error, or it predicts: never a panic or an error of the
//!   service.

use ordinate_model::Model;
use ordinate_model::artifact::Document;
use serde_json::json;

use crate::service::{application, post_to};

/// Checks a file.
pub(crate) fn check(file: &[u8]) -> bool {
    match Model::from_json(file) {
        Ok(model) => {
            let text = model.document().to_json().unwrap();
            let again = Model::from_json(text.as_bytes()).unwrap();
            assert_eq!((again.checksum(), again.document()), (model.checksum(), model.document()));
        }
        Err(error) => {
            let message = error.to_string();
            assert!(!message.is_empty() && message.len() < 20_000, "{message}");
        }
    }
    check_sealed(file)
}

/// Checks the same file with the checksum of its content. Returns whether it is a model.
fn check_sealed(file: &[u8]) -> bool {
    let Ok(document) = serde_json::from_slice::<Document>(file) else { return false };
    let version = document.version.clone();
    let Ok(sealed) = document.with_version(version) else { return false };
    let text = sealed.to_json().unwrap();
    let Ok(model) = Model::from_json(text.as_bytes()) else { return false };
    let name = model.name().to_owned();
    let golden = &model.document().golden;
    let service = application(vec![text.into_bytes()]);
    let path = |query: &str| format!("/models/{name}/predict{query}");
    for query in ["", "?interval=0.9", "?explain=true", "?probabilities=true"] {
        let response = post_to(&service, &path(query), &[], json!({"X": golden.x}).to_string().as_bytes());
        if query.is_empty() && !golden.x.is_empty() && !model.signature().features().is_empty() {
            assert_eq!(response.status, 200, "golden rows can be predicted: {}", response.text());
        }
    }
    for body in [json!({"X": [[1]]}), json!({"X": [[1e308, -1e308]]}), json!({"X": [[null, "a", true]]})] {
        post_to(&service, &path(""), &[], body.to_string().as_bytes());
    }
    true
}
