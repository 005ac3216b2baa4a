//! Writes captured requests to files or S3 objects in the background, a few megabytes or a minute at a time.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use ordinate::config::{ConfigError, Environment};
use ordinate::http::server::capture::CaptureSink;
use ordinate::source::ModelUri;
use ordinate::source::file::LocalFolder;
use ordinate::source::s3::S3Folder;
use ordinate_releases::{Condition, PutError, WritableFolder};
use tokio::sync::Notify;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};

/// Lines that wait for the writer; further ones are dropped.
const WAITING_LINES: usize = 1024;

/// The bytes of a file, apart from its last line.
const FILE_BYTES: usize = 4 << 20;

/// The longest time until lines are written.
const FILE_TIME: Duration = Duration::from_mins(1);

/// Attempts to write a file.
const ATTEMPTS: u32 = 3;

/// The pause between two attempts.
const PAUSE: Duration = Duration::from_secs(2);

/// The sink of the service; lines are dropped if the writer is slower than the requests.
#[derive(Debug)]
struct Queue(Sender<Vec<u8>>);

impl CaptureSink for Queue {
    fn write(&self, line: Vec<u8>) -> bool {
        match self.0.try_send(line) {
            Ok(()) => true,
            Err(TrySendError::Full(_) | TrySendError::Closed(_)) => false,
        }
    }
}

/// The folder of `CAPTURE_URI`; `None` if it is not set.
///
/// # Errors
/// [`ConfigError`] for anything but a folder.
pub(super) fn folder(
    environment: &Environment<impl Fn(&str) -> Option<String>>,
) -> Result<Option<Box<dyn WritableFolder>>, ConfigError> {
    let folder = |value: &str| -> Result<Box<dyn WritableFolder>, String> {
        match ModelUri::locate(value) {
            Ok(ModelUri::Folder(path)) => Ok(Box::new(LocalFolder::new(path))),
            Ok(ModelUri::S3Folder(location)) => match S3Folder::new(location, environment.s3()) {
                Ok(folder) => Ok(Box::new(folder)),
                Err(error) => Err(error.to_string()),
            },
            _ => Err("expected a folder such as captured/ or s3://bucket/captured/".to_owned()),
        }
    };
    environment.parse("CAPTURE_URI", folder)
}

/// The writer in the background.
pub(super) struct Writer {
    task: JoinHandle<()>,
    stop: Arc<Notify>,
}

impl Writer {
    /// Writes the lines that wait, for at most this time.
    pub(super) async fn finish(self, limit: Duration) {
        self.stop.notify_one();
        if timeout(limit, self.task).await.is_err() {
            tracing::error!("captured requests are lost: they could not be written in time");
        }
    }
}

/// Starts the writer.
pub(super) fn start(folder: Box<dyn WritableFolder>) -> (Arc<dyn CaptureSink>, Writer) {
    let (sender, lines) = channel(WAITING_LINES);
    let stop = Arc::new(Notify::new());
    let task = tokio::spawn(write_all(folder, Lines { lines, stop: stop.clone() }));
    (Arc::new(Queue(sender)), Writer { task, stop })
}

/// The lines, until the writer is stopped.
struct Lines {
    lines: Receiver<Vec<u8>>,
    stop: Arc<Notify>,
}

impl Lines {
    async fn next(&mut self) -> Option<Vec<u8>> {
        tokio::select! {
            biased;
            line = self.lines.recv() => line,
            () = self.stop.notified() => {
                self.lines.close();
                self.lines.recv().await
            }
        }
    }
}

async fn write_all(folder: Box<dyn WritableFolder>, mut lines: Lines) {
    while let Some(mut file) = lines.next().await {
        let end = Instant::now() + FILE_TIME;
        while file.len() < FILE_BYTES {
            // Either the time is over, or no more lines can come.
            let Ok(Some(line)) = timeout_at(end, lines.next()).await else { break };
            file.extend_from_slice(&line);
        }
        write(folder.as_ref(), file.into()).await;
    }
}

async fn write(folder: &dyn WritableFolder, lines: Bytes) {
    let now = Timestamp::now();
    let name = format!("{}/{}-{}.jsonl", now.strftime("%Y-%m-%d"), now.strftime("%H%M%S"), uuid::Uuid::new_v4());
    let mut attempt = 1;
    loop {
        match folder.put(&name, lines.clone(), Condition::Absent).await {
            // The name is new: the file is that of an earlier attempt.
            Ok(()) | Err(PutError::Conflict) => return,
            Err(error) if attempt == ATTEMPTS => {
                tracing::error!(%error, file = name, bytes = lines.len(), "captured requests are lost");
                return;
            }
            Err(error) => tracing::warn!(%error, file = name, "cannot write captured requests"),
        }
        attempt += 1;
        tokio::time::sleep(PAUSE).await;
    }
}
