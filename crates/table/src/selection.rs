//! Which columns are used, and as what.

use super::{DataError, Header, NamedColumn, Purpose};

/// The columns asked for.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// The column to be predicted.
    pub target: String,
    /// The columns to predict it from, in this order; all others when empty.
    pub features: Vec<String>,
    /// Columns to leave out: of the data, or of the design by the names that its columns have in the model.
    pub exclude: Vec<String>,
    /// The column that says how much a row counts.
    pub weights: Option<String>,
}

impl Selection {
    /// The names that are read: the features, then the target, then the weights. The index of the rows is a feature only
    /// where it is asked for.
    ///
    /// # Errors
    /// [`DataError`] when a column is not there, has two roles, or no feature is left.
    pub(crate) fn names(&self, header: &[String], index: &[String], place: &Header) -> Result<Vec<String>, DataError> {
        let target = &self.target;
        let excluded = self.exclude.iter().filter(|name| !may_be_term(name));
        for name in [target].into_iter().chain(&self.weights).chain(excluded).chain(&self.features) {
            find(header, name, place)?;
        }
        let roles = [(Some(target), "the target"), (self.weights.as_ref(), "the weights")];
        for (name, role) in roles {
            if let Some(column) = name.filter(|name| self.features.contains(name)) {
                return Err(DataError::TwoRoles { column: column.clone(), role });
            }
        }
        if self.weights.as_ref() == Some(target) {
            return Err(DataError::TargetWeighs { column: target.clone() });
        }
        for (name, purpose) in [(Some(target), Purpose::Target), (self.weights.as_ref(), Purpose::Weight)] {
            if let Some(name) = name.filter(|name| self.exclude.contains(name)) {
                return Err(DataError::ExcludedRole { column: NamedColumn { name: name.as_str().into(), purpose } });
            }
        }
        let wanted = if self.features.is_empty() { header } else { &self.features };
        let mut names: Vec<String> = Vec::new();
        for name in wanted {
            let is_other = name == target || self.weights.as_ref() == Some(name);
            let is_index = self.features.is_empty() && index.contains(name);
            if !is_other && !is_index && !self.exclude.contains(name) && !names.contains(name) {
                names.push(name.clone());
            }
        }
        if names.is_empty() {
            return Err(DataError::NoFeatures { path: place.path.clone(), target: target.clone() });
        }
        names.push(target.clone());
        names.extend(self.weights.clone());
        Ok(names)
    }
}

impl Selection {
    /// The columns that must be there.
    pub(super) fn known(&self) -> Vec<&String> {
        [&self.target].into_iter().chain(&self.weights).chain(&self.features).collect()
    }

    /// What is left out of the design, rather than of the data.
    pub(crate) fn excluded_terms(&self, header: &[String]) -> Vec<String> {
        self.exclude.iter().filter(|name| !header.contains(name)).cloned().collect()
    }
}

/// Whether a name can be that of a power, a level or a product. Which there are is known after the survey.
fn may_be_term(name: &str) -> bool {
    name.contains(['^', '=', ':'])
}

/// Of several names the one that is most like another, if one is.
pub fn nearest<'n>(names: impl IntoIterator<Item = &'n String>, name: &str) -> Option<String> {
    let wanted = name.to_lowercase();
    let similar = |known: &'n String| (strsim::jaro_winkler(&known.to_lowercase(), &wanted), known);
    let nearest = names.into_iter().map(similar).max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(score, _)| *score > 0.7);
    nearest.map(|(_, known)| known.clone())
}

/// The place of a name in the header.
pub(crate) fn find(header: &[String], name: &str, place: &Header) -> Result<usize, DataError> {
    header.iter().position(|column| column == name).ok_or_else(|| DataError::NoSuchColumn {
        header: place.clone(),
        name: name.to_owned(),
        nearest: nearest(header, name),
        columns: header.to_vec(),
    })
}
