//! The models compiled into the program: `sam build` ships the bootstrap file and nothing beside it.

use bytes::Bytes;

use super::{BoxFuture, ModelSource, SourceError};

/// The gallery: names and files, in the order they are listed. The first is the default.
const GALLERY: &[(&str, &[u8])] = &[
    ("line", include_bytes!("../../model/line.json")),
    ("diabetes", include_bytes!("../../model/diabetes.json")),
    ("iris", include_bytes!("../../model/iris.json")),
    ("breast-cancer", include_bytes!("../../model/breast-cancer.json")),
];

/// The whole gallery, in the order it is listed; the first is the default model.
pub fn gallery() -> impl Iterator<Item = BundledSource> {
    GALLERY.iter().map(|&(name, bytes)| BundledSource { name, bytes })
}

/// One model of the gallery. Fetching it copies nothing and cannot fail.
#[derive(Clone, Copy)]
pub struct BundledSource {
    name: &'static str,
    bytes: &'static [u8],
}

impl BundledSource {
    /// The name it is served under, which its file says too.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }
}

impl std::fmt::Debug for BundledSource {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_tuple("BundledSource").field(&self.name).finish()
    }
}

impl ModelSource for BundledSource {
    fn describe(&self) -> String {
        format!("bundled:{}", self.name)
    }

    fn fetch(&self) -> BoxFuture<'_, Result<Bytes, SourceError>> {
        Box::pin(std::future::ready(Ok(Bytes::from_static(self.bytes))))
    }
}
