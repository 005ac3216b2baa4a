//! The columns that training uses, and their roles.

use ordinate_model::suggestion::most_similar;

use super::{DataError, Header, NamedColumn, Purpose};

/// The columns to use.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// The column to predict.
    pub target: String,
    /// The columns to predict from, in this order; all others if empty.
    pub features: Vec<String>,
    /// Columns to leave out, of the data or of the design, which are named as in the model.
    pub exclude: Vec<String>,
    /// The column of the weights of the rows.
    pub weights: Option<String>,
    /// The column of a term without a coefficient. It is read with the features.
    pub offset: Option<OffsetColumn>,
}

/// A column that is added to the score of a generalised linear model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OffsetColumn {
    /// The column.
    pub name: String,
    /// Whether it is an exposure, whose logarithm is added.
    pub log: bool,
}

impl OffsetColumn {
    /// The option that names it.
    #[must_use]
    pub fn option(&self) -> &'static str {
        if self.log { "--exposure" } else { "--offset" }
    }

    /// Its role in messages.
    #[must_use]
    pub fn role(&self) -> &'static str {
        if self.log { "the exposure" } else { "the offset" }
    }

    /// The use of the column in messages.
    #[must_use]
    pub fn purpose(&self) -> Purpose {
        if self.log { Purpose::Exposure } else { Purpose::Offset }
    }
}

impl Selection {
    /// The columns to read: the features, then the target, then the weights. The index of the rows is a feature only if
    /// it is named.
    ///
    /// # Errors
    /// [`DataError`] when a column does not exist or has two roles, or no feature is left.
    pub(crate) fn names(
        &self,
        header: &[String],
        index: &[String],
        header_location: &Header,
    ) -> Result<Vec<String>, DataError> {
        let target = &self.target;
        let excluded = self.exclude.iter().filter(|name| !may_be_term(name));
        let offset = self.offset.as_ref().map(|offset| &offset.name);
        for name in [target].into_iter().chain(&self.weights).chain(offset).chain(excluded).chain(&self.features) {
            find(header, name, header_location)?;
        }
        let option = self.offset.as_ref().map_or("", OffsetColumn::option);
        let of_offset = self.offset.as_ref().map_or("", OffsetColumn::role);
        let roles = [(Some(target), "the target"), (self.weights.as_ref(), "the weights"), (offset, of_offset)];
        for (name, role) in roles {
            if let Some(column) = name.filter(|name| self.features.contains(name)) {
                return Err(DataError::TwoRoles { column: column.clone(), role });
            }
        }
        if self.weights.as_ref() == Some(target) {
            return Err(DataError::TargetWeighs { column: target.clone() });
        }
        if let Some(column) = offset.filter(|name| *name == target || self.weights.as_ref() == Some(name)) {
            let role = if column == target { "target" } else { "weights" };
            return Err(DataError::OffsetHasRole { column: column.clone(), role, offset: of_offset, option });
        }
        let of_offset = self.offset.as_ref().map_or(Purpose::Offset, OffsetColumn::purpose);
        let purposes = [(Some(target), Purpose::Target), (self.weights.as_ref(), Purpose::Weight), (offset, of_offset)];
        for (name, purpose) in purposes {
            if let Some(name) = name.filter(|name| self.exclude.contains(name)) {
                return Err(DataError::ExcludedRole { column: NamedColumn { name: name.as_str().into(), purpose } });
            }
        }
        let wanted = if self.features.is_empty() { header } else { &self.features };
        let mut names: Vec<String> = Vec::new();
        for name in wanted {
            if offset == Some(name) {
                names.push(name.clone());
                continue;
            }
            let is_other = name == target || self.weights.as_ref() == Some(name);
            let is_index = self.features.is_empty() && index.contains(name);
            if !is_other && !is_index && !self.exclude.contains(name) && !names.contains(name) {
                names.push(name.clone());
            }
        }
        if !names.iter().any(|name| offset != Some(name)) {
            let advice = if self.exclude.is_empty() {
                "add columns to the data that predict it: target, weights, offset and exposure do not"
            } else {
                "remove columns from --exclude, or add columns to the data that predict it"
            };
            return Err(DataError::NoFeatures { path: header_location.path.clone(), target: target.clone(), advice });
        }
        if let Some(offset) = offset.filter(|offset| !names.contains(offset)) {
            names.push(offset.clone());
        }
        names.push(target.clone());
        names.extend(self.weights.clone());
        Ok(names)
    }
}

impl Selection {
    /// The columns that the header must have.
    pub(super) fn known(&self) -> Vec<String> {
        let offset = self.offset.as_ref().map(|offset| &offset.name);
        [&self.target].into_iter().chain(&self.weights).chain(offset).chain(&self.features).cloned().collect()
    }

    /// The excluded columns of the design.
    pub(crate) fn excluded_terms(&self, header: &[String]) -> Vec<String> {
        // The terms of a column that is left out as a whole are left out with it.
        let is_of = |term: &str, column: &String| {
            term.strip_prefix(column.as_str()).is_some_and(|rest| rest.starts_with(['^', '=', ':', '.']))
        };
        let columns = || self.exclude.iter().filter(|name| header.contains(name));
        let is_left_out = |term: &&String| columns().any(|column| is_of(term, column));
        self.exclude.iter().filter(|name| !header.contains(name) && !is_left_out(name)).cloned().collect()
    }
}

/// Whether a name may be that of a power, a level or a product. Which of them exist is known after the survey.
fn may_be_term(name: &str) -> bool {
    name.contains(['^', '=', ':', '.'])
}

/// The position of a name in the header.
pub(crate) fn find(header: &[String], name: &str, location: &Header) -> Result<usize, DataError> {
    header.iter().position(|column| column == name).ok_or_else(|| DataError::NoSuchColumn {
        header: location.clone(),
        needed_by: None,
        missing: vec![(name.to_owned(), most_similar(name, header).map(str::to_owned))],
        columns: header.to_vec(),
    })
}
