//! The name of the target of a model whose file has none.

use std::collections::HashSet;

/// The name of a target that no feature prevents.
pub const USUAL_TARGET: &str = "y";

/// The first of `y`, `target`, `prediction`, `target_2`, `target_3`, … that is not among `names`, those of the features.
pub fn default_target<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    let names: HashSet<&str> = names.into_iter().collect();
    let numbered = (2_u64..).map(|number| format!("target_{number}"));
    let mut tried = [USUAL_TARGET, "target", "prediction"].map(str::to_owned).into_iter().chain(numbered);
    tried.find(|name| !names.contains(name.as_str())).unwrap_or_default()
}
