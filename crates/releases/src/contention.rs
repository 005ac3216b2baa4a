//! Trying again after somebody else has changed the catalog.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::error::ReleaseError;
use crate::folder::Refusal;

/// How long a publisher tries again. Of those that write at the same time, one succeeds, so this is the time of many.
const PATIENCE: Duration = Duration::from_mins(5);

/// How long a publisher tries again when a service refuses a write although its condition holds. That may be another
/// write that was undone meanwhile, but not for long.
const REFUSAL_PATIENCE: Duration = Duration::from_secs(15);

/// How many refusals in a row are not reported.
const SILENT_REFUSALS: u32 = 4;

/// The limits of the longest pause: at first, and after many attempts.
const PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(2));

/// The attempts of one publisher to be the next who writes a file.
#[derive(Debug)]
pub(crate) struct Contention {
    location: String,
    /// Prints a note for the user.
    notify: fn(&str),
    started: Instant,
    patience: Duration,
    longest: Duration,
    /// The number of the last attempts that were refused, and the time of the first of them.
    refused: (u32, Instant),
    refusal_patience: Duration,
}

impl Contention {
    /// No attempt has failed yet.
    pub(crate) fn new(location: String, notify: fn(&str)) -> Self {
        let started = Instant::now();
        let (patience, refusal_patience) = (PATIENCE, REFUSAL_PATIENCE);
        Self { location, notify, started, patience, longest: PAUSES.0, refused: (0, started), refusal_patience }
    }

    /// Waits after an attempt that failed, for a random time, so that the others do not try again at the same moment.
    ///
    /// # Errors
    /// [`ReleaseError::Contended`] after five minutes, and [`ReleaseError::Refused`] earlier if the service refuses all
    /// attempts.
    pub(crate) async fn pause(&mut self, refusal: Option<Refusal>) -> Result<(), ReleaseError> {
        match refusal {
            None => self.refused.0 = 0,
            Some(refusal) => self.count_refusal(refusal)?,
        }
        if self.started.elapsed() > self.patience {
            return Err(ReleaseError::Contended { location: self.location.clone(), waited: self.patience });
        }
        // The last digits of a random UUID are random bits.
        let random = f64::from(u32::from_be_bytes(*Uuid::new_v4().as_bytes().last_chunk().unwrap_or(&[0; 4])));
        sleep(self.longest.mul_f64(random / f64::from(u32::MAX))).await;
        self.longest = PAUSES.1.min(self.longest * 2);
        Ok(())
    }

    /// Counts an attempt that was refused, and reports the refusal if others came before it.
    fn count_refusal(&mut self, refusal: Refusal) -> Result<(), ReleaseError> {
        let (count, since) = &mut self.refused;
        if *count == 0 {
            *since = Instant::now();
        }
        *count += 1;
        if *count > SILENT_REFUSALS && since.elapsed() > self.refusal_patience {
            return Err(ReleaseError::Refused(refusal));
        }
        if *count == SILENT_REFUSALS + 1 {
            (self.notify)(&format!("{refusal}; trying again for {:?}", self.refusal_patience));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pauses until the error; the attempt of a number is refused or not.
    fn paused(others: &mut Contention, refusal: impl Fn(usize) -> Option<Refusal>) -> ReleaseError {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            for attempt in 0.. {
                if let Err(error) = others.pause(refusal(attempt)).await {
                    return error;
                }
            }
            unreachable!()
        })
    }

    #[test]
    fn refusals_end_pauses_only_in_a_row() {
        let patience = Duration::from_millis(400);
        let begin = || Contention {
            patience,
            refusal_patience: Duration::from_millis(50),
            ..Contention::new("s3://models/price/".to_owned(), |_| {})
        };
        let refusal = || Refusal { location: "s3://models/price/1.json".to_owned(), is_new: true };
        let error = paused(&mut begin(), |attempt| (attempt % 4 != 0).then(refusal));
        assert!(matches!(error, ReleaseError::Contended { .. }), "{error}");
        let mut refused = begin();
        let error = paused(&mut refused, |_| Some(refusal()));
        assert!(refused.started.elapsed() < patience, "{refused:?}");
        assert!(error.to_string().starts_with("s3://models/price/1.json: the service refuses to create"), "{error}");
    }

    #[test]
    fn pauses_end_with_an_error_that_names_the_place() {
        let patience = Duration::from_millis(100);
        let mut others = Contention { patience, ..Contention::new("file:///models/price/".to_owned(), |_| {}) };
        let error = paused(&mut others, |_| None);
        assert!(others.started.elapsed() > patience && others.longest > PAUSES.0, "{others:?}");
        let message = "file:///models/price/: others changed it for 100ms without a pause; nothing was changed";
        assert_eq!(error.to_string(), message);
    }
}
