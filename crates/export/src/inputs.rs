//! The features as SQL: the value of each column of the table, and the condition that the model accepts it.

use ordinate_model::cell::Cell;
use ordinate_model::signature::{Feature, FeatureType, OTHER_LEVEL, Signature, UNKNOWN_LEVEL, UnknownPolicy};

use crate::dialect::Dialect;
use crate::error::ExportError;

/// The missing-value markers of texts, in lower case; see `ordinate_model::field::is_missing`.
const MARKERS: [&str; 6] = ["", "na", "n/a", "nan", "null", "none"];

/// A feature of a model in a dialect.
pub(crate) struct Input<'m> {
    pub(crate) feature: &'m Feature,
    pub(crate) dialect: Dialect,
    /// The quoted name.
    column: String,
    /// The value in a frame of a missing value, if one is accepted.
    missing: Option<f64>,
    /// The value in a frame of an unknown category, if one is accepted.
    unknown: Option<f64>,
    /// The largest magnitude of a number with which no step of the computation overflows.
    pub(crate) limit: f64,
}

/// A state of a category or a boolean, which determines all columns of the design that have no other feature.
pub(crate) struct State {
    /// The value in a frame.
    pub(crate) value: f64,
    pub(crate) is_missing: bool,
}

impl<'m> Input<'m> {
    /// The features of a signature, in its order.
    ///
    /// # Errors
    /// [`ExportError`] for a name or level that the dialect cannot write.
    pub(crate) fn all(signature: &'m Signature, dialect: Dialect) -> Result<Vec<Self>, ExportError> {
        signature.features().iter().map(|feature| Self::new(feature, dialect)).collect()
    }

    fn new(feature: &'m Feature, dialect: Dialect) -> Result<Self, ExportError> {
        let place = || format!("feature {:?}", feature.name);
        let fault = |place, character, help| ExportError::Text { place, dialect, character, help };
        if let Some(character) = dialect.not_in_names(&feature.name) {
            let help = "rename the column in the training data, or choose another dialect";
            return Err(fault(place(), character, help));
        }
        let texts = feature.levels.iter().chain(&feature.reading.missing);
        for text in texts {
            if text.contains('\0') {
                let help = "replace the character in the training data";
                return Err(fault(format!("{}, category {text:?}", place()), '\0', help));
            }
        }
        let unknown = match feature.unknown {
            _ if feature.kind != FeatureType::String => None,
            UnknownPolicy::Reject => None,
            UnknownPolicy::Ignore => Some(UNKNOWN_LEVEL),
            UnknownPolicy::Other => Some(level_position(feature, OTHER_LEVEL)),
        };
        Ok(Self {
            feature,
            dialect,
            column: dialect.identifier(&feature.name),
            missing: feature.accept(Cell::Missing).ok(),
            unknown,
            limit: f64::INFINITY,
        })
    }

    fn is_string(&self) -> bool {
        self.feature.kind == FeatureType::String
    }

    /// Whether the feature has few states: it is a category or a boolean.
    pub(crate) fn is_discrete(&self) -> bool {
        matches!(self.feature.kind, FeatureType::String | FeatureType::Boolean)
    }

    /// The condition that makes the prediction NULL unless it holds: the model accepts the value.
    pub(crate) fn guard(&self) -> Option<String> {
        match self.feature.kind {
            FeatureType::Double | FeatureType::Long => Some(self.number_guard()),
            FeatureType::Date => Some(self.dialect.is_moment(&self.moment())),
            FeatureType::Boolean => self.boolean_guard(),
            FeatureType::String => self.text_guard(),
        }
    }

    fn number_guard(&self) -> String {
        let (dialect, value) = (self.dialect, self.number());
        let mut conditions = Vec::new();
        if self.missing.is_none() {
            conditions.extend(dialect.is_number(&self.column));
        }
        conditions.push(format!("ABS({value}) <= {}", dialect.number(self.limit)));
        if self.feature.kind == FeatureType::Long {
            conditions.push(dialect.is_whole(&value));
        }
        if self.feature.positive {
            conditions.push(format!("{value} > {}", dialect.number(0.0)));
        }
        if let Some(minimum) = self.feature.minimum {
            conditions.push(format!("{value} >= {}", dialect.number(minimum)));
        }
        conditions.join(" AND ")
    }

    fn boolean_guard(&self) -> Option<String> {
        let column = &self.column;
        let value = match (self.dialect, self.missing) {
            (Dialect::Sqlite, None) => Some(format!("{column} IN (0, 1)")),
            (Dialect::Sqlite, Some(_)) => Some(format!("({column} IS NULL OR {column} IN (0, 1))")),
            (_, None) => Some(format!("{column} IS NOT NULL")),
            (_, Some(_)) => None,
        };
        let conditions: Vec<String> = self.dialect.is_boolean(column).into_iter().chain(value).collect();
        (!conditions.is_empty()).then(|| conditions.join(" AND "))
    }

    fn text_guard(&self) -> Option<String> {
        match (self.missing, self.unknown) {
            (Some(_), Some(_)) => None,
            (None, None) => Some(self.is_level()),
            (Some(_), None) => Some(format!("({} OR {})", self.is_level(), self.is_missing())),
            (None, Some(_)) => Some(format!("({} OR NOT {})", self.is_level(), self.is_missing())),
        }
    }

    /// `"colour" IN ('blue', 'red')`.
    fn is_level(&self) -> String {
        let levels: Vec<String> = self.feature.levels.iter().map(|level| self.dialect.string(level)).collect();
        format!("{} IN ({})", self.dialect.text(&self.column), levels.join(", "))
    }

    /// The condition that a category, boolean or date is missing, if it is not a level.
    fn is_missing(&self) -> String {
        match (self.feature.kind, self.dialect) {
            (FeatureType::String, _) | (FeatureType::Date, Dialect::Sqlite) => self.is_missing_text(),
            _ => format!("{} IS NULL", self.column),
        }
    }

    fn is_missing_text(&self) -> String {
        let trimmed = self.dialect.trimmed(&self.column);
        let list = |texts: &mut dyn Iterator<Item = &str>| {
            texts.map(|text| self.dialect.string(text)).collect::<Vec<_>>().join(", ")
        };
        let own = &self.feature.reading.missing;
        let own = if own.is_empty() {
            String::new()
        } else {
            format!(" OR {trimmed} IN ({})", list(&mut own.iter().map(String::as_str)))
        };
        format!("({} IS NULL OR LOWER({trimmed}) IN ({}){own})", self.column, list(&mut MARKERS.into_iter()))
    }

    /// The number as a double, with the imputed value in the place of NULL, NaN and infinity.
    pub(crate) fn number(&self) -> String {
        let (dialect, column) = (self.dialect, &self.column);
        let value = dialect.double_of_column(column);
        let Some(imputed) = self.missing else { return value };
        let imputed = dialect.number(imputed);
        let finite = format!("CASE WHEN {} THEN {value} ELSE {imputed} END", dialect.is_finite(&value));
        match dialect.is_number(column) {
            None => finite,
            // Other texts are rejected.
            Some(is_number) => {
                format!("CASE WHEN {is_number} THEN {finite} WHEN {} THEN {imputed} END", self.is_missing_text())
            }
        }
    }

    /// The condition that the value is missing, which is true or false, and never NULL.
    pub(crate) fn is_imputed(&self) -> String {
        match self.feature.kind {
            // NULL and NaN are not comparable in all dialects.
            FeatureType::Double | FeatureType::Long => {
                let finite = self.dialect.is_finite(&self.dialect.double_of_column(&self.column));
                let finite = match self.dialect.is_number(&self.column) {
                    Some(is_number) => format!("{is_number} AND {finite}"),
                    None => finite,
                };
                format!("CASE WHEN {finite} THEN 0 ELSE 1 END = 1")
            }
            FeatureType::String => {
                format!("CASE WHEN {} THEN 0 WHEN {} THEN 1 ELSE 0 END = 1", self.is_level(), self.is_missing())
            }
            FeatureType::Boolean | FeatureType::Date => self.is_missing(),
        }
    }

    /// The moment of a date.
    pub(crate) fn moment(&self) -> String {
        let missing = if self.dialect == Dialect::Sqlite { self.is_missing_text() } else { String::new() };
        self.dialect.moment(&self.column, &missing, self.missing)
    }

    /// The condition that a boolean is true, or a category has the level at a position of the frame: true, or false or
    /// NULL.
    pub(crate) fn is(&self, value: f64) -> String {
        if !self.is_string() {
            let truth = match self.dialect {
                Dialect::Sqlite => format!("{} = 1", self.column),
                _ => self.column.clone(),
            };
            return match self.missing {
                Some(imputed) if imputed != 0.0 => format!("({truth} OR {} IS NULL)", self.column),
                _ => truth,
            };
        }
        let is_same = format!("{} = {}", self.dialect.text(&self.column), self.dialect.string(self.level(value)));
        // The list of all levels is written for the levels only that stand for other texts: it would be in each product.
        let stands_for = |other: Option<f64>| other.is_some_and(|other| other.total_cmp(&value).is_eq());
        let rest = match (stands_for(self.missing), stands_for(self.unknown)) {
            (false, false) => return is_same,
            (true, true) => self.dialect.boolean(true).to_owned(),
            (true, false) => self.is_missing(),
            (false, true) => format!("NOT {}", self.is_missing()),
        };
        format!("CASE WHEN {} THEN {is_same} ELSE {rest} END", self.is_level())
    }

    // Positions are small whole numbers.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn level(&self, value: f64) -> &str {
        self.feature.levels.get(value as usize).map_or("", String::as_str)
    }

    /// The states of a category or boolean: those of the levels first, or false and true; then those of missing values and
    /// of unknown categories, where they are accepted.
    pub(crate) fn states(&self) -> Vec<State> {
        let count = if self.is_string() { self.feature.levels.len() } else { 2 };
        // Positions among levels that fit into memory are exact.
        #[allow(clippy::cast_precision_loss)]
        let mut states: Vec<State> = (0..count).map(|level| State { value: level as f64, is_missing: false }).collect();
        states.extend(self.missing.map(|value| State { value, is_missing: true }));
        states.extend(self.unknown.map(|value| State { value, is_missing: false }));
        states
    }

    /// An expression with one value for each of the [`states`](Self::states).
    pub(crate) fn choose(&self, values: &[String]) -> String {
        if self.is_string() { self.choose_by_level(values) } else { self.choose_by_truth(values) }
    }

    fn choose_by_truth(&self, values: &[String]) -> String {
        let [truth, falsehood] = match self.dialect {
            Dialect::Sqlite => [format!("{} = 1", self.column), format!("{} = 0", self.column)],
            _ => [self.column.clone(), format!("NOT {}", self.column)],
        };
        let of = |place: usize| values.get(place).map_or("NULL", String::as_str);
        let rest = self.missing.map(|_| format!(" ELSE {}", of(2))).unwrap_or_default();
        format!("CASE WHEN {truth} THEN {} WHEN {falsehood} THEN {}{rest} END", of(1), of(0))
    }

    fn choose_by_level(&self, values: &[String]) -> String {
        let (levels, others) = values.split_at_checked(self.feature.levels.len()).unwrap_or((values, &[]));
        let rest = match others {
            [] => None,
            [one] => Some(one.clone()),
            [missing, unknown, ..] if missing == unknown => Some(missing.clone()),
            [missing, unknown, ..] => {
                Some(format!("CASE WHEN {} THEN {missing} ELSE {unknown} END", self.is_missing()))
            }
        };
        let named = self.feature.levels.iter().zip(levels).filter(|(_, value)| rest.as_ref() != Some(value));
        let mut parts: Vec<String> =
            named.map(|(level, value)| format!("WHEN {} THEN {value}", self.dialect.string(level))).collect();
        match rest {
            Some(rest) if parts.is_empty() => return rest,
            Some(rest) => parts.push(format!("ELSE {rest}")),
            None => {}
        }
        format!("CASE {} {} END", self.dialect.text(&self.column), parts.join(" "))
    }
}

/// The position of a level in a frame.
// A position among levels that fit into memory is exact.
#[allow(clippy::cast_precision_loss)]
fn level_position(feature: &Feature, level: &str) -> f64 {
    let position = feature.levels.binary_search_by(|own| own.as_str().cmp(level));
    position.map_or(UNKNOWN_LEVEL, |position| position as f64)
}
