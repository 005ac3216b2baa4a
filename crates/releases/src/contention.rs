//! Trying again after somebody else has changed the catalog.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::error::ReleaseError;

/// How long a publisher tries again. Of those that write at the same time, one succeeds, so this is the time of many.
const PATIENCE: Duration = Duration::from_mins(5);

/// The limits of the longest pause: at first, and after many attempts.
const PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(2));

/// The attempts of one publisher to be the next who writes a file.
#[derive(Debug)]
pub(crate) struct Contention {
    location: String,
    started: Instant,
    patience: Duration,
    longest: Duration,
}

impl Contention {
    /// No attempt has failed yet.
    pub(crate) fn new(location: String) -> Self {
        Self { location, started: Instant::now(), patience: PATIENCE, longest: PAUSES.0 }
    }

    /// Waits after an attempt that failed, for a random time, so that the others do not try again at the same moment.
    ///
    /// # Errors
    /// [`ReleaseError::Contended`] after five minutes.
    pub(crate) async fn pause(&mut self) -> Result<(), ReleaseError> {
        if self.started.elapsed() > self.patience {
            return Err(ReleaseError::Contended { location: self.location.clone(), waited: self.patience });
        }
        // The last digits of a random UUID are random bits.
        let random = f64::from(u32::from_be_bytes(*Uuid::new_v4().as_bytes().last_chunk().unwrap_or(&[0; 4])));
        sleep(self.longest.mul_f64(random / f64::from(u32::MAX))).await;
        self.longest = PAUSES.1.min(self.longest * 2);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_end_with_an_error_that_names_the_place() {
        let patience = Duration::from_millis(100);
        let mut others = Contention { patience, ..Contention::new("file:///models/price/".to_owned()) };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let error = runtime.block_on(async {
            loop {
                if let Err(error) = others.pause().await {
                    return error;
                }
            }
        });
        assert!(others.started.elapsed() > patience && others.longest > PAUSES.0, "{others:?}");
        let message = "file:///models/price/: others changed it for 100ms without a pause; nothing was changed";
        assert_eq!(error.to_string(), message);
    }
}
