//! The models compiled into the program, since `sam build` ships only the file `bootstrap`.

use bytes::Bytes;

use super::{BoxFuture, Content, Listing, ModelFolder, ModelSource, SourceError, Tag};

/// Names and files in the order of `GET /models`. The first is the default model.
const BUNDLED: &[(&str, &[u8])] = &[
    ("line", include_bytes!("../../model/line.json")),
    ("diabetes", include_bytes!("../../model/diabetes.json")),
    ("iris", include_bytes!("../../model/iris.json")),
    ("breast-cancer", include_bytes!("../../model/breast-cancer.json")),
];

/// The alias `live` of every bundled model, which has one version.
const LIVE: &[u8] = br#"{"version":"1","history":[{"version":"1","at":"2026-11-01T00:00:00Z"}]}"#;

/// The names of the bundled models in the order of `GET /models`; the first is the default model.
pub fn names() -> impl Iterator<Item = &'static str> {
    BUNDLED.iter().map(|(name, _)| *name)
}

/// The bundled models as a folder: `{name}/1.json` and `{name}/aliases/live.json`.
#[derive(Debug, Clone, Copy)]
pub struct BundledFolder;

impl ModelFolder for BundledFolder {
    fn describe(&self) -> String {
        "bundled:".into()
    }

    fn file(&self, path: &str) -> Box<dyn ModelSource> {
        let model = |name: &str| BUNDLED.iter().find(|(known, _)| *known == name).map(|(_, bytes)| *bytes);
        let bytes = match path.split_once('/') {
            Some((name, "1.json")) => model(name),
            Some((name, "aliases/live.json")) => model(name).map(|_| LIVE),
            _ => None,
        };
        Box::new(BundledSource { path: path.to_owned(), bytes })
    }

    fn list<'a>(
        &'a self,
        path: &'a str,
        after: Option<&'a str>,
        most: usize,
    ) -> BoxFuture<'a, Result<Listing, SourceError>> {
        let is_model = |name: &str| names().any(|known| Some(known) == name.strip_suffix('/'));
        let all: Vec<String> = match path.strip_suffix("aliases/") {
            _ if path.is_empty() => names().map(|name| format!("{name}/")).collect(),
            Some(name) if is_model(name) => vec!["live.json".into()],
            None if is_model(path) => vec!["1.json".into(), "aliases/".into()],
            Some(_) | None => Vec::new(),
        };
        Box::pin(std::future::ready(Listing::page(&all, after, most)))
    }
}

/// A bundled file. Fetching it copies nothing.
struct BundledSource {
    path: String,
    bytes: Option<&'static [u8]>,
}

impl std::fmt::Debug for BundledSource {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_tuple("BundledSource").field(&self.path).finish()
    }
}

impl ModelSource for BundledSource {
    fn describe(&self) -> String {
        format!("bundled:{}", self.path.trim_end_matches("/1.json"))
    }

    fn fetch_changed<'a>(&'a self, known: Option<&'a Tag>) -> BoxFuture<'a, Result<Option<Content>, SourceError>> {
        let content = match self.bytes {
            None => Err(SourceError::NotFound {
                location: self.describe(),
                reason: "no such bundled file".into(),
                source: None,
            }),
            Some(_) if known.is_some() => Ok(None),
            Some(bytes) => Ok(Some(Content { bytes: Bytes::from_static(bytes), tag: Tag("bundled".into()) })),
        };
        Box::pin(std::future::ready(content))
    }
}
