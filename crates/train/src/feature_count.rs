//! The number of features in a sentence.

use ordinate_model::artifact::Document;
use ordinate_model::wording::counted;

/// `3 features`, or `2 features and the exposure time`: an offset or exposure has no coefficient.
#[must_use]
pub fn feature_count(document: &Document) -> String {
    let offset = document.preprocess.offset.as_ref();
    let count = document.signature.width().saturating_sub(usize::from(offset.is_some()));
    let offset = offset.map(|offset| {
        let kind = if offset.log { "exposure" } else { "offset" };
        format!(" and the {kind} {}", offset.feature.escape_debug())
    });
    counted(count, "feature", "features") + &offset.unwrap_or_default()
}
