//! The models compiled into the program, since `sam build` ships only the file `bootstrap`.

use bytes::Bytes;

use super::{BoxFuture, ModelSource, SourceError};

/// Names and files in the order of `GET /models`. The first is the default model.
const BUNDLED: &[(&str, &[u8])] = &[
    ("line", include_bytes!("../../model/line.json")),
    ("diabetes", include_bytes!("../../model/diabetes.json")),
    ("iris", include_bytes!("../../model/iris.json")),
    ("breast-cancer", include_bytes!("../../model/breast-cancer.json")),
];

/// All bundled models in the order of `GET /models`; the first is the default model.
pub fn sources() -> impl Iterator<Item = BundledSource> {
    BUNDLED.iter().map(|&(name, bytes)| BundledSource { name, bytes })
}

/// A bundled model. Fetching it copies nothing and cannot fail.
#[derive(Clone, Copy)]
pub struct BundledSource {
    name: &'static str,
    bytes: &'static [u8],
}

impl BundledSource {
    /// The name in routes, which is also the name in the file.
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
