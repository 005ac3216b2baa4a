//! A model in S3.
//!
//! The SDK retries requests without a response. This module adds: a retry of the whole GET if the body was cut off or
//! does not match its checksum, a limit on the length of the body, and a time limit for all of it, since the SDK's time
//! limits do not apply to the body.

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

/// Retries of a GET whose body was cut off or corrupted.
const BODY_RETRIES: u32 = 2;

/// The pause before the first retry; a failing connection is closed by then.
const BODY_RETRY_PAUSE: Duration = Duration::from_millis(50);

/// How to connect to S3. Reads no environment variables.
#[derive(Debug, Clone, Default)]
pub struct S3Settings {
    /// The region. Required with `credentials`; with `endpoint_url` the default is `us-east-1`.
    pub region: Option<String>,
    /// The `http://` or `https://` URL of another S3 server, for path-style requests; its certificate is verified with
    /// the certificates of the operating system. Without it, AWS is used and verified with the embedded Amazon
    /// certificates.
    pub endpoint_url: Option<String>,
    /// Without credentials, the SDK's default chain is used (cargo feature `aws-config`).
    pub credentials: Option<Credentials>,
    /// Time limits of a fetch.
    pub limits: TimeLimits,
}

/// Time limits, in increasing order. With the defaults, a fetch ends within 7.5 s whatever the server does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeLimits {
    /// Establishing a connection.
    pub connect: Duration,
    /// From the request to the first byte of the response, and between two bytes of the body.
    pub read: Duration,
    /// One attempt, up to the head of the response.
    pub attempt: Duration,
    /// All attempts of the SDK together, up to the head of the response.
    pub operation: Duration,
    /// The whole fetch, including bodies and retries.
    pub total: Duration,
}

impl Default for TimeLimits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(1),
            read: Duration::from_secs(2),
            attempt: Duration::from_millis(2_500),
            operation: Duration::from_secs(5),
            // Less than the catalog's limit, so that the error that is reported names the object.
            total: Duration::from_millis(7_500),
        }
    }
}

/// An object in S3. The first fetch creates the client, which is kept.
#[derive(Debug)]
pub struct S3Source {
    location: ObjectLocation,
    settings: S3Settings,
    client: OnceCell<Client>,
}

impl S3Source {
    /// The object at this location. Does not connect.
    ///
    /// # Errors
    /// [`SourceError::Misconfigured`] if the settings are incomplete or invalid.
    pub fn new(location: ObjectLocation, settings: S3Settings) -> Result<Self, SourceError> {
        client::check(&settings)
            .map_err(|reason| SourceError::Misconfigured { location: location.to_string(), reason })?;
        Ok(Self { location, settings, client: OnceCell::new() })
    }

    async fn get(&self) -> Result<Bytes, SourceError> {
        let client = self.client.get_or_init(|| client::connect(&self.settings)).await;
        let mut failed = 0;
        loop {
            let response = self.request(client).await?;
            match self.body(response).await {
                Err(error) if error.is_transient() && failed < BODY_RETRIES => {
                    failed += 1;
                    tracing::debug!(location = %self.location, %error, failed, "retrying the GET of the object");
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

    async fn body(&self, response: GetObjectOutput) -> Result<Bytes, SourceError> {
        let too_large = || SourceError::TooLarge { location: self.describe(), limit: MAX_MODEL_BYTES };
        let announced = response.content_length().and_then(|length| u64::try_from(length).ok()).unwrap_or_default();
        if announced > MAX_MODEL_BYTES {
            return Err(too_large());
        }
        match collect(response.body, announced, MAX_MODEL_BYTES).await {
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

/// The complete body, or `None` as soon as it exceeds `limit` bytes; `announced` is its length according to the header.
async fn collect(
    mut body: ByteStream,
    announced: u64,
    limit: u64,
) -> Result<Option<Bytes>, aws_sdk_s3::primitives::ByteStreamError> {
    // The header may be wrong, so no more than 1 MiB is reserved for it.
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
    async fn the_limit_applies_whatever_length_the_header_announces() {
        for announced in [0, 3, 11, u64::MAX] {
            let body = || ByteStream::from_static(b"ten bytes.");
            assert_eq!(collect(body(), announced, 10).await.unwrap().unwrap(), "ten bytes.");
            assert_eq!(collect(body(), announced, 9).await.unwrap(), None);
        }
    }

    #[test]
    fn time_limits_increase_up_to_the_limit_of_the_catalog() {
        let limits = TimeLimits::default();
        assert!(limits.connect < limits.read && limits.read < limits.attempt && limits.attempt < limits.operation);
        assert!(limits.operation < limits.total && limits.total < crate::source::catalog::LOAD_TIMEOUT);
    }

    #[test]
    fn log_output_contains_no_secret() {
        let credentials = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI", Some("session-token".into()), None, "test");
        let settings =
            S3Settings { region: Some("eu-west-1".into()), credentials: Some(credentials), ..S3Settings::default() };
        let Ok(super::super::ModelUri::S3(location)) = "s3://models/line.json".parse() else { panic!() };
        let source = S3Source::new(location, settings).unwrap();
        let text = format!("{source:?} {}", source.describe());
        assert!(!text.contains("wJalrXUtnFEMI") && !text.contains("session-token"), "{text}");
    }
}
