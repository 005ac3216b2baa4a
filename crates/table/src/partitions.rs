//! Partitions: columns whose values are in the names of folders, as Hive, Spark and pyarrow write them.

use std::path::Path;

use percent_encoding::percent_decode_str;

/// The value of rows without a value.
const MISSING: &str = "__HIVE_DEFAULT_PARTITION__";

/// A column that has one value in all rows of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Partition {
    pub(super) name: String,
    /// The value; empty if it is missing.
    pub(super) value: String,
}

/// The partitions of a file in folders such as `year=2024/month=1`.
pub(super) fn partitions(path: &Path) -> Vec<Partition> {
    let folders = path.parent().into_iter().flat_map(Path::components);
    let partition = |folder: &str| {
        let (name, value) = folder.split_once('=')?;
        let decoded = |text: &str| percent_decode_str(text).decode_utf8().ok().map(|text| text.trim().to_owned());
        let value = if value == MISSING { "" } else { value };
        Some(Partition { name: decoded(name).filter(|name| !name.is_empty())?, value: decoded(value)? })
    };
    let mut partitions: Vec<Partition> = Vec::new();
    for found in folders.filter_map(|folder| partition(folder.as_os_str().to_str()?)) {
        // The innermost folder of a name counts.
        partitions.retain(|partition| partition.name != found.name);
        partitions.push(found);
    }
    partitions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_name_a_column_and_its_value() {
        let found = |path: &str| -> Vec<(String, String)> {
            partitions(Path::new(path)).into_iter().map(|Partition { name, value }| (name, value)).collect()
        };
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(found("data/g=a/part=1.parquet"), [pair("g", "a")]);
        assert_eq!(
            found("/d/year=2024/city=S%C3%A3o%20Paulo/f.csv"),
            [pair("year", "2024"), pair("city", "São Paulo")]
        );
        assert_eq!(found("g=__HIVE_DEFAULT_PARTITION__/f.csv"), [pair("g", "")]);
        assert_eq!(found("a=1/b/a=2/f.csv"), [pair("a", "2")]);
        assert_eq!(found("=1/x/f.csv"), []);
        assert_eq!(found("g=a"), []);
    }
}
