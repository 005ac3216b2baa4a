//! A bucket of inputs and outputs, and the function that scores them with the bundled model `line`, y = 2x + 1.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_sdk_s3::Client;
use ordinate::config::Environment;
use ordinate::source::ModelUri;
use ordinate::source::catalog::Catalog;
use ordinate::source::s3::S3Settings;
use ordinate_batch::columns::Columns;
use ordinate_batch::function::{BatchSettings, Function, FunctionError};
use ordinate_model::Model;
use ordinate_table::FileOptions;
use ordinate_test_support::s3_server::{S3Server, credentials};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

pub(crate) const BUCKET: &str = "batch";

/// The time of an invocation.
pub(crate) const TIME: Duration = Duration::from_mins(5);

/// The inputs and outputs of one test.
pub(crate) struct Bench {
    pub(crate) runtime: Runtime,
    pub(crate) client: Client,
    folder: String,
}

impl Bench {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let client = S3Server::shared().administrator();
        Self { runtime, client, folder: format!("test-{}/", COUNT.fetch_add(1, Ordering::Relaxed)) }
    }

    /// The key of an input.
    pub(crate) fn key(&self, name: &str) -> String {
        format!("{}in/{name}", self.folder)
    }

    /// The key of the output of an input.
    pub(crate) fn out(&self, name: &str) -> String {
        format!("{}out/{}", self.folder, self.key(name))
    }

    pub(crate) fn put(&self, name: &str, content: impl Into<Vec<u8>>) {
        self.runtime.block_on(S3Server::shared().put(BUCKET, &self.key(name), content));
    }

    /// The content and metadata of an object.
    pub(crate) fn get(&self, key: &str) -> Option<Vec<u8>> {
        self.runtime.block_on(async {
            let found = self.client.get_object().bucket(BUCKET).key(key).send().await.ok()?;
            Some(found.body.collect().await.unwrap().to_vec())
        })
    }

    pub(crate) fn text(&self, key: &str) -> String {
        String::from_utf8(self.get(key).unwrap_or_else(|| panic!("{key} does not exist"))).unwrap()
    }

    /// The tag of an object, which a write changes.
    pub(crate) fn modified(&self, key: &str) -> aws_sdk_s3::primitives::DateTime {
        self.runtime.block_on(async {
            *self.client.head_object().bucket(BUCKET).key(key).send().await.unwrap().last_modified().unwrap()
        })
    }

    /// The keys below the folder of the test.
    pub(crate) fn keys(&self) -> Vec<String> {
        self.runtime.block_on(async {
            let request = self.client.list_objects_v2().bucket(BUCKET).prefix(&self.folder);
            let listed = request.send().await.unwrap();
            let keys = listed.contents().iter().filter_map(|object| object.key());
            keys.map(|key| key.strip_prefix(&self.folder).unwrap().to_owned()).collect()
        })
    }

    /// The uploads below the folder that are not complete.
    pub(crate) fn uploads(&self) -> usize {
        self.runtime.block_on(async {
            let request = self.client.list_multipart_uploads().bucket(BUCKET).prefix(&self.folder);
            request.send().await.unwrap().uploads().len()
        })
    }

    /// The model of the functions.
    pub(crate) fn model(&self) -> Arc<Model> {
        self.runtime.block_on(Catalog::bundled(Some("line")).unwrap().default_model()).unwrap()
    }

    pub(crate) fn function(&self) -> Function {
        self.function_at(S3Server::shared().address(), |_| {})
    }

    /// A function that reaches the server at this address.
    pub(crate) fn function_at(&self, address: SocketAddr, change: impl FnOnce(&mut BatchSettings)) -> Function {
        self.function_with(Catalog::bundled(Some("line")).unwrap(), address, change)
    }

    /// A function with the models of this environment.
    pub(crate) fn function_of(&self, environment: &[(&str, &str)]) -> Function {
        let find = |name: &str| environment.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        let catalog = Environment(find).config().unwrap().catalog;
        self.function_with(catalog, S3Server::shared().address(), |_| {})
    }

    fn function_with(
        &self,
        catalog: impl Into<Arc<Catalog>>,
        address: SocketAddr,
        change: impl FnOnce(&mut BatchSettings),
    ) -> Function {
        let output = format!("s3://{BUCKET}/{}out/", self.folder);
        let Ok(ModelUri::S3Folder(output)) = output.parse() else { panic!("{output}") };
        let mut settings = BatchSettings {
            output,
            columns: Columns::default(),
            options: FileOptions::default(),
            part_bytes: 1 << 20,
            spool_bytes: 1 << 30,
            threads: 1,
            captured: None,
            service: "batch".to_owned(),
            log_level: "INFO".to_owned(),
        };
        change(&mut settings);
        let s3 = S3Settings {
            endpoint_url: Some(format!("http://{address}")),
            credentials: Some(credentials("administrator", "administrator-secret")),
            ..S3Settings::default()
        };
        Function::new(settings, catalog.into(), s3, self.runtime.handle().clone()).unwrap()
    }

    /// An event of S3 for these inputs.
    pub(crate) fn event(&self, names: &[&str]) -> Value {
        let record = |name: &&str| {
            json!({"eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
                "s3": {"bucket": {"name": BUCKET}, "object": {"key": self.key(name)}}})
        };
        json!({"Records": names.iter().map(record).collect::<Vec<_>>()})
    }

    /// Scores an input by an event.
    pub(crate) fn score(&self, function: &Function, name: &str) -> Result<Value, FunctionError> {
        function.handle(&self.event(&[name]), TIME).map(|answer| answer["objects"][0].clone())
    }
}

/// A table with so many rows, and its predictions. Debug builds are slow, so rows are long where bytes count.
pub(crate) fn table(rows: usize, note: &str) -> (String, String) {
    use std::fmt::Write as _;
    let (mut input, mut output) = ("x,note\n".to_owned(), "x,note,prediction\n".to_owned());
    for x in 0..rows {
        writeln!(input, "{x},{note}{x}").unwrap();
        writeln!(output, "{x},{note}{x},{}.0", 2 * x + 1).unwrap();
    }
    (input, output)
}
