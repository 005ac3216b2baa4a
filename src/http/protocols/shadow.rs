//! The comparison of a prediction with that of the version of the alias `shadow`, within a time budget. It changes
//! neither the answer nor its status.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::http::application::Application;
use crate::http::server::observer::{ShadowRecord, ShadowSkip};
use ordinate_model::answer::Predictor;
use ordinate_model::frame::{Frame, Translation};
use ordinate_model::{Answer, Model, PredictedRow, Wanted};

/// The values of a frame that are predicted between two looks at the clock.
const VALUES_AT_ONCE: usize = 1 << 14;

/// The version that the answer to a request is compared with.
pub(crate) struct Shadow {
    model: Result<Arc<Model>, ShadowSkip>,
    /// The time left for the comparison.
    left: Duration,
}

impl Shadow {
    /// The shadow of the model of a request; `None` without an alias `shadow`, or if it is the same version.
    pub(crate) async fn find(application: &Application, live: &Model) -> Option<Self> {
        let budget = application.shadow_budget;
        if budget.is_zero() {
            return None;
        }
        let started = Instant::now();
        let name = &live.document().name;
        let model = match tokio::time::timeout(budget, application.catalog.shadow(name)).await {
            Ok(Ok(None)) => return None,
            Ok(Ok(Some(model))) if model.version() == live.version() => return None,
            Ok(Ok(Some(model))) => Ok(model),
            Ok(Err(_)) => Err(ShadowSkip::Unavailable),
            Err(_) => Err(ShadowSkip::Loading),
        };
        Some(Self { model, left: budget.saturating_sub(started.elapsed()) })
    }

    /// Predicts the rows of a request that was answered, and compares as many of them as there is time for.
    pub(crate) fn compare(self, live: &Model, frame: &Frame<'_>, answer: &Answer<'_>) -> ShadowRecord {
        let shadow = match self.model {
            Ok(shadow) => shadow,
            Err(skip) => return ShadowRecord { skip: Some(skip), ..ShadowRecord::default() },
        };
        let version = Some(shadow.version().to_owned());
        let mut record = ShadowRecord { version, ..ShadowRecord::default() };
        let deadline = Instant::now() + self.left;
        let work = AssertUnwindSafe(|| compare(live, &shadow, frame, answer, deadline, &mut record));
        if let Err(skip) = catch_unwind(work).unwrap_or(Err(ShadowSkip::Failed)) {
            record.skip = Some(skip);
        }
        record
    }
}

/// Compares the rows; the error is why some of them are left out.
fn compare(
    live: &Model,
    shadow: &Model,
    frame: &Frame<'_>,
    answer: &Answer<'_>,
    deadline: Instant,
    record: &mut ShadowRecord,
) -> Result<(), ShadowSkip> {
    if live.document().task != shadow.document().task || live.classes() != shadow.classes() {
        return Err(ShadowSkip::Incompatible);
    }
    let translation = Translation::new(live.signature(), shadow.signature()).ok_or(ShadowSkip::Incompatible)?;
    let predictor = shadow.predictor(&Wanted::default()).map_err(|_| ShadowSkip::Failed)?;
    let rows = Rows { frame, translation, predictor };
    let (mut outcome, mut live_rows, mut start) = (Ok(()), answer.rows(), 0);
    let at_once = (VALUES_AT_ONCE / live.signature().width().max(1)).max(1);
    while start < frame.rows() {
        let end = frame.rows().min(start + at_once);
        let live: Vec<_> = live_rows.by_ref().take(end - start).collect();
        if !rows.compare(start..end, &live, deadline, record)? {
            // One of them is the reason, so each on its own.
            for (row, live) in (start..end).zip(live.chunks(1)) {
                if !rows.compare(row..row + 1, live, deadline, record)? {
                    outcome = Err(ShadowSkip::Rejected);
                }
            }
        }
        start = end;
    }
    outcome
}

/// The rows of a request, and how to predict them with the shadow.
struct Rows<'r> {
    frame: &'r Frame<'r>,
    translation: Translation<'r>,
    predictor: Predictor<'r>,
}

impl Rows<'_> {
    /// Compares rows with the predictions that were returned for them, and returns whether the shadow can predict them.
    fn compare(
        &self,
        rows: Range<usize>,
        live: &[PredictedRow<'_>],
        deadline: Instant,
        record: &mut ShadowRecord,
    ) -> Result<bool, ShadowSkip> {
        if Instant::now() >= deadline {
            return Err(ShadowSkip::Budget);
        }
        let Ok(frame) = self.translation.translate(self.frame, rows) else { return Ok(false) };
        let Ok(answer) = self.predictor.answer(&frame) else { return Ok(false) };
        live.iter().zip(answer.rows()).for_each(|(live, shadow)| record.add(*live, shadow));
        Ok(true)
    }
}
