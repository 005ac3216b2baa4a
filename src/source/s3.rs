//! A model in S3, by a lean client.
//!
//! The SDK retries a request that was not answered. What it does not cover is covered here: a body that breaks off or
//! fails its checksum (the whole GET is repeated), a body without end (length cap), and a server that drips (one time
//! limit over everything).

mod client;
mod error;

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use bytes::{Bytes, BytesMut};
use tokio::sync::OnceCell;

pub use aws_sdk_s3::config::Credentials;

use super::{BoxFuture, MAX_MODEL_BYTES, ModelSource, ObjectLocation, SourceError};

/// How often a GET is repeated whose body broke off or was damaged.
const BODY_RETRIES: u32 = 2;

/// The pause before such a repetition: long enough for a connection that is going down to be gone.
const BODY_RETRY_PAUSE: Duration = Duration::from_millis(50);

/// How to reach S3. Plain values: nothing here reads the environment.
#[derive(Debug, Clone, Default)]
pub struct S3Settings {
    /// The region. Required with given credentials, unless there is an endpoint (then `us-east-1`).
    pub region: Option<String>,
    /// An S3 of one's own, `http://` or `https://`: addressed by path style, trusted by the machine's roots. Without it,
    /// AWS: trusted by the roots of Amazon that are embedded.
    pub endpoint_url: Option<String>,
    /// The credentials. Without them the SDK's default chain looks for some (cargo feature `aws-config`).
    pub credentials: Option<Credentials>,
    /// The time limits.
    pub limits: TimeLimits,
}

/// Time limits, from the inside out. The defaults fit behind an API: whatever the server does, a load ends in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeLimits {
    /// To connect.
    pub connect: Duration,
    /// From the request to the first byte, and between two bytes of the body.
    pub read: Duration,
    /// One attempt, to the head of the answer.
    pub attempt: Duration,
    /// The SDK's attempts together, to the head of the answer.
    pub operation: Duration,
    /// Everything: requests, bodies, checksums, repetitions.
    pub total: Duration,
}

impl Default for TimeLimits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(1),
            read: Duration::from_secs(2),
            attempt: Duration::from_millis(2_500),
            operation: Duration::from_secs(5),
            // Just below the catalog's limit, so that the error that names the object is the one that is told.
            total: Duration::from_millis(7_500),
        }
    }
}

/// One object in S3. The client is made by the first fetch and kept.
#[derive(Debug)]
pub struct S3Source {
    location: ObjectLocation,
    settings: S3Settings,
    client: OnceCell<Client>,
}

impl S3Source {
    /// This object, reached by these settings. Connects to nothing yet.
    ///
    /// # Errors
    /// [`SourceError::Misconfigured`] when the settings cannot work.
    pub fn new(location: ObjectLocation, settings: S3Settings) -> Result<Self, SourceError> {
        client::check(&settings)
            .map_err(|reason| SourceError::Misconfigured { location: location.to_string(), reason })?;
        Ok(Self { location, settings, client: OnceCell::new() })
    }

    async fn get(&self) -> Result<Bytes, SourceError> {
        let client = self.client.get_or_init(|| client::connect(&self.settings)).await;
        let mut failed = 0;
        loop {
            let answer = self.request(client).await?;
            match self.body(answer).await {
                Err(error) if error.is_transient() && failed < BODY_RETRIES => {
                    failed += 1;
                    tracing::debug!(location = %self.location, %error, failed, "asking again for the whole object");
                    tokio::time::sleep(BODY_RETRY_PAUSE * failed).await;
                }
                outcome => return outcome,
            }
        }
    }

    async fn request(&self, client: &Client) -> Result<GetObjectOutput, SourceError> {
        let request = client.get_object().bucket(self.location.bucket()).key(self.location.key());
        request.send().await.map_err(|error| error::from_sdk(self.describe(), error))
    }

    async fn body(&self, answer: GetObjectOutput) -> Result<Bytes, SourceError> {
        let too_large = || SourceError::TooLarge { location: self.describe(), limit: MAX_MODEL_BYTES };
        let announced = answer.content_length().and_then(|length| u64::try_from(length).ok()).unwrap_or_default();
        if announced > MAX_MODEL_BYTES {
            return Err(too_large());
        }
        match collect(answer.body, announced, MAX_MODEL_BYTES).await {
            Ok(Some(bytes)) => Ok(bytes),
            Ok(None) => Err(too_large()),
            Err(error) => Err(error::from_body(self.describe(), error)),
        }
    }
}

impl ModelSource for S3Source {
    fn describe(&self) -> String {
        self.location.to_string()
    }

    fn fetch(&self) -> BoxFuture<'_, Result<Bytes, SourceError>> {
        Box::pin(async move {
            let limit = self.settings.limits.total;
            let timeout = |_| SourceError::Timeout { location: self.describe(), limit: Some(limit), source: None };
            tokio::time::timeout(limit, self.get()).await.map_err(timeout)?
        })
    }
}

/// The whole body, or `None` as soon as there are more than `limit` bytes, whatever was `announced`.
async fn collect(
    mut body: ByteStream,
    announced: u64,
    limit: u64,
) -> Result<Option<Bytes>, aws_sdk_s3::primitives::ByteStreamError> {
    // The header is a hint, and memory is taken as bytes come in.
    let mut bytes = BytesMut::with_capacity(usize::try_from(announced.min(1 << 20)).unwrap_or_default());
    while let Some(chunk) = body.try_next().await? {
        bytes.extend_from_slice(&chunk);
        if u64::try_from(bytes.len()).map_or(true, |length| length > limit) {
            return Ok(None);
        }
    }
    Ok(Some(bytes.freeze()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_cap_holds_whatever_the_header_announced() {
        for announced in [0, 3, 11, u64::MAX] {
            let body = || ByteStream::from_static(b"ten bytes.");
            assert_eq!(collect(body(), announced, 10).await.unwrap().unwrap(), "ten bytes.");
            assert_eq!(collect(body(), announced, 9).await.unwrap(), None);
        }
    }

    #[test]
    fn each_limit_leaves_room_for_the_next() {
        let limits = TimeLimits::default();
        assert!(limits.connect < limits.read && limits.read < limits.attempt && limits.attempt < limits.operation);
        assert!(limits.operation < limits.total && limits.total < crate::source::catalog::LOAD_TIMEOUT);
    }

    #[test]
    fn no_secret_is_in_what_is_logged() {
        let credentials = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI", Some("session-token".into()), None, "test");
        let settings =
            S3Settings { region: Some("eu-west-1".into()), credentials: Some(credentials), ..S3Settings::default() };
        let Ok(super::super::ModelUri::S3(location)) = "s3://models/line.json".parse() else { panic!() };
        let source = S3Source::new(location, settings).unwrap();
        let told = format!("{source:?} {}", source.describe());
        assert!(!told.contains("wJalrXUtnFEMI") && !told.contains("session-token"), "{told}");
    }
}
