//! A model in S3, and the models whose keys have the same prefix.
//!
//! The SDK retries requests without a response. This module adds: a retry of the whole GET if the body was cut off or
//! does not match its checksum, a limit on the length of the body, and a time limit for all of it, since the SDK's time
//! limits do not apply to the body.

mod client;
mod error;

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use bytes::{Bytes, BytesMut};
use ordinate_model::identity::{SHORT_DIGEST, short_digest};
use ordinate_model::wording::shorten;
use tokio::sync::OnceCell;

pub use aws_sdk_s3::config::Credentials;
pub use error::from_sdk;

use super::{BoxFuture, Content, Listing, MAX_MODEL_BYTES, ModelFolder, ModelSource, ObjectLocation, SourceError, Tag};

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

/// Time limits, in increasing order, and a limit of attempts. With the defaults, a fetch ends within 7.5 s whatever the
/// server does.
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
    /// Attempts of the SDK for a request without a response, with a 5xx response, or that is too frequent for S3.
    pub attempts: u32,
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
            attempts: 3,
        }
    }
}

/// The client for a bucket, which is made by the first request and kept.
#[derive(Debug)]
pub struct S3Client {
    settings: S3Settings,
    client: OnceCell<Client>,
}

impl S3Client {
    /// Does not connect. `location` is for the error.
    ///
    /// # Errors
    /// [`SourceError::Misconfigured`] if the settings are incomplete or invalid.
    pub fn new(location: &ObjectLocation, settings: S3Settings) -> Result<Self, SourceError> {
        client::check(&settings, client::HAS_CHAIN)
            .map_err(|reason| SourceError::Misconfigured { location: location.to_string(), reason })?;
        Ok(Self { settings, client: OnceCell::new() })
    }

    /// The SDK's client.
    pub async fn get(&self) -> &Client {
        self.client.get_or_init(|| client::connect(&self.settings)).await
    }

    /// Runs this within the time limit for a whole fetch.
    ///
    /// # Errors
    /// [`SourceError::Timeout`], or the error of `work`.
    pub async fn limited<T, E: From<SourceError>>(
        &self,
        location: &ObjectLocation,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let limit = self.settings.limits.total;
        let timeout = |_| SourceError::Timeout { location: location.to_string(), limit: Some(limit), source: None };
        tokio::time::timeout(limit, work).await.map_err(timeout)?
    }
}

/// An object in S3.
#[derive(Debug)]
pub struct S3Source {
    location: ObjectLocation,
    client: Arc<S3Client>,
}

impl S3Source {
    /// The object at this location. Does not connect.
    ///
    /// # Errors
    /// [`SourceError::Misconfigured`] if the settings are incomplete or invalid.
    pub fn new(location: ObjectLocation, settings: S3Settings) -> Result<Self, SourceError> {
        let client = Arc::new(S3Client::new(&location, settings)?);
        Ok(Self { location, client })
    }

    async fn get(&self, known: Option<&Tag>) -> Result<Option<Content>, SourceError> {
        let client = self.client.get().await;
        let mut failed = 0;
        loop {
            let Some(response) = self.request(client, known).await? else { return Ok(None) };
            let tag = Tag(response.e_tag().unwrap_or_default().to_owned());
            match self.body(response).await {
                Err(error) if error.is_transient() && failed < BODY_RETRIES => {
                    failed += 1;
                    tracing::debug!(location = %self.location, %error, failed, "retrying the GET of the object");
                    tokio::time::sleep(BODY_RETRY_PAUSE * failed).await;
                }
                outcome => return Ok(Some(Content { bytes: outcome?, tag })),
            }
        }
    }

    /// The head of the response, or `None` if the object has the tag `known`.
    async fn request(&self, client: &Client, known: Option<&Tag>) -> Result<Option<GetObjectOutput>, SourceError> {
        // A server without ETags has an empty tag.
        let known = known.map(|tag| tag.0.clone()).filter(|tag| !tag.is_empty());
        let request = client.get_object().bucket(self.location.bucket()).key(self.location.key());
        match request.set_if_none_match(known).send().await {
            Ok(response) => Ok(Some(response)),
            Err(error) if error.raw_response().is_some_and(|raw| raw.status().as_u16() == 304) => Ok(None),
            Err(error) => Err(error::from_sdk(self.describe(), error::GET, error)),
        }
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

    fn fetch_changed<'a>(&'a self, known: Option<&'a Tag>) -> BoxFuture<'a, Result<Option<Content>, SourceError>> {
        Box::pin(self.client.limited(&self.location, self.get(known)))
    }
}

/// The objects whose keys start with a prefix.
#[derive(Debug, Clone)]
pub struct S3Folder {
    location: ObjectLocation,
    client: Arc<S3Client>,
}

impl S3Folder {
    /// The objects below this location, whose key is empty or ends with a slash. Does not connect.
    ///
    /// # Errors
    /// [`SourceError::Misconfigured`] if the settings are incomplete or invalid.
    pub fn new(location: ObjectLocation, settings: S3Settings) -> Result<Self, SourceError> {
        let client = Arc::new(S3Client::new(&location, settings)?);
        Ok(Self { location, client })
    }

    /// The location of the object at a path below the folder.
    #[must_use]
    pub fn location(&self, path: &str) -> ObjectLocation {
        self.location.join(path)
    }

    /// The client for its objects.
    #[must_use]
    pub fn client(&self) -> &S3Client {
        &self.client
    }

    async fn list_objects(&self, path: &str, after: Option<&str>, most: usize) -> Result<Listing, SourceError> {
        let folder = self.location(path);
        let prefix = folder.key();
        // S3 returns at most 1,000 names.
        let max_keys = i32::try_from(most.clamp(1, 1_000)).unwrap_or(1_000);
        let unknown = || SourceError::UnknownPage { after: shorten(after.unwrap_or_default()) };
        let token = after.map(|after| token_of(after, &folder).ok_or_else(unknown)).transpose()?;
        let request = self.client.get().await.list_objects_v2().bucket(folder.bucket()).prefix(prefix).delimiter("/");
        let response = request.set_continuation_token(token.map(str::to_owned)).max_keys(max_keys).send().await;
        let response = response.map_err(|error| error::from_sdk(folder.to_string(), "s3:ListBucket", error))?;
        let files = response.contents().iter().filter_map(|object| object.key());
        let folders = response.common_prefixes().iter().filter_map(|common| common.prefix());
        let mut names: Vec<String> =
            files.chain(folders).filter_map(|key| key.strip_prefix(prefix)).map(str::to_owned).collect();
        // The folder itself can be an object.
        names.retain(|name| !name.is_empty());
        names.sort();
        Ok(Listing { names, next: response.next_continuation_token().map(|token| after_token(token, &folder)) })
    }
}

impl ModelFolder for S3Folder {
    fn describe(&self) -> String {
        self.location.to_string()
    }

    fn file(&self, path: &str) -> Box<dyn ModelSource> {
        Box::new(S3Source { location: self.location(path), client: self.client.clone() })
    }

    fn list<'a>(
        &'a self,
        path: &'a str,
        after: Option<&'a str>,
        most: usize,
    ) -> BoxFuture<'a, Result<Listing, SourceError>> {
        Box::pin(self.client.limited(&self.location, self.list_objects(path, after, most)))
    }
}

/// The `after` of a page: a token of S3 behind the start of a digest, since some servers accept any text as a token.
fn after_token(token: &str, folder: &ObjectLocation) -> String {
    format!("{}{token}", short_digest(&format!("{folder}\n{token}")))
}

/// The token of S3 in an `after`; `None` if it is not that of a page of this folder.
fn token_of<'a>(after: &'a str, folder: &ObjectLocation) -> Option<&'a str> {
    let token = after.get(SHORT_DIGEST..)?;
    (after_token(token, folder) == after).then_some(token)
}

/// The complete body, or `None` as soon as it exceeds `limit` bytes; `announced` is its length according to the header.
async fn collect(
    mut body: ByteStream,
    announced: u64,
    limit: u64,
) -> Result<Option<Bytes>, aws_sdk_s3::primitives::ByteStreamError> {
    // Growing takes up to twice the length. The header may be wrong, but memory that is not written is not used.
    let mut bytes = BytesMut::with_capacity(usize::try_from(announced.min(limit)).unwrap_or_default());
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
