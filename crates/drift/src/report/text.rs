//! The report as text.

use std::fmt::Write as _;

use ordinate_model::wording::{counted, listed};
use ordinate_train::evaluate::title;
use ordinate_train::summary::rounded;
use ordinate_train::text_table::{Align, TextTable};

use super::{DriftReport, Performance, SubjectReport};

/// The most features in the table; further ones without drift are left out.
const TABLE_ROWS: usize = 100;

impl DriftReport {
    /// The report for a terminal with lines of this many characters.
    #[must_use]
    pub fn text(&self, width: usize) -> String {
        let mut text = format!(
            "{}@{} on {}: {}\n\n{}\n",
            self.model,
            self.version,
            self.data,
            counted(self.rows, "row", "rows"),
            self.verdict()
        );
        if let Some(performance) = &self.performance {
            let _ = write!(text, "\n{}", performance_table(performance).within(width));
        }
        let _ = write!(text, "\n{}", self.table().within(width));
        for note in self.notes() {
            let _ = write!(text, "\nnote: {note}");
        }
        text + "\n"
    }

    /// The result in a sentence.
    #[must_use]
    pub fn verdict(&self) -> String {
        if self.comparisons == 0 {
            return format!("Too few rows for a comparison: at least {} are needed.", self.min_rows);
        }
        if !self.drift {
            return format!("No drift in {}.", counted(self.comparisons, "comparison", "comparisons"));
        }
        let subjects = self.features.iter().chain(&self.predictions).filter(|subject| subject.drift);
        let names = subjects.map(|subject| subject.name.clone());
        let errors = self.performance.iter().flat_map(Performance::drifted);
        format!("Drift: {}.", listed(names.chain(errors).collect::<Vec<_>>(), 10))
    }

    /// Remarks on the data, and on what is not compared.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let mut notes = self.notes.clone();
        if self.comparisons > 0 {
            let named = |is_named: &dyn Fn(u64) -> bool| {
                let subjects = self.features.iter().filter(|subject| is_named(subject.rows));
                let names: Vec<&str> = subjects.map(|subject| subject.name.as_str()).collect();
                (!names.is_empty()).then(|| listed(names, 10))
            };
            if let Some(names) = named(&|rows| rows == 0) {
                notes.push(format!("in no captured request, as features of CAPTURE_REDACT, and not compared: {names}"));
            }
            if let Some(names) = named(&|rows| rows > 0 && rows < self.min_rows) {
                notes.push(format!("fewer than {} values, not compared: {names}", self.min_rows));
            }
        }
        let hidden = self.features.len().saturating_sub(self.listed_features().count());
        if hidden > 0 {
            let (one, many) = ("feature without drift is not listed", "features without drift are not listed");
            notes.push(counted(hidden, one, many));
        }
        notes
    }

    /// The features in the order of the table: those that drift first, then by their index.
    pub(crate) fn listed_features(&self) -> impl Iterator<Item = &SubjectReport> {
        let psi = |subject: &SubjectReport| subject.distribution.as_ref().map_or(0.0, |compared| compared.psi);
        let mut features: Vec<&SubjectReport> = self.features.iter().collect();
        features.sort_by(|one, other| other.drift.cmp(&one.drift).then(psi(other).total_cmp(&psi(one))));
        features
            .into_iter()
            .enumerate()
            .filter(|(at, feature)| *at < TABLE_ROWS || feature.drift)
            .map(|(_, feature)| feature)
    }

    fn table(&self) -> TextTable {
        let titles = ["", "PSI", "of noise", "statistic", "p value", "missing", "before", "unusual", ""];
        let align = |at: usize| if at == 0 { Align::Left } else { Align::Right };
        let mut table = TextTable::new(titles.into_iter().enumerate().map(|(at, title)| (title, align(at))));
        for subject in self.predictions.iter().chain(self.listed_features()) {
            table.push(cells(subject));
        }
        table
    }
}

fn cells(subject: &SubjectReport) -> Vec<String> {
    let compared = subject.distribution.as_ref();
    let number = |value: Option<f64>, digits| value.map_or_else(|| "–".to_owned(), |value| rounded(value, digits));
    let statistic = compared.map_or_else(
        || "–".to_owned(),
        |compared| {
            let name = if compared.statistic == "ks" { "KS" } else { "χ²" };
            format!("{name} {}", rounded(compared.value, 3))
        },
    );
    let missing = subject.missing.as_ref();
    vec![
        subject.name.clone(),
        number(compared.map(|compared| compared.psi), 3),
        number(compared.map(|compared| compared.psi_of_noise), 2),
        statistic,
        compared.map_or_else(|| "–".to_owned(), |compared| p_value(compared.p_value)),
        missing.map_or_else(String::new, |missing| percent(missing.data)),
        missing.map_or_else(String::new, |missing| percent(missing.training)),
        unusual(subject),
        subject.verdict(),
    ]
}

/// Values that hardly any training row has.
pub(crate) fn unusual(subject: &SubjectReport) -> String {
    let unusual = subject.fractions().filter(|(name, fraction)| *name != "missing" && fraction.data > 0.0);
    unusual.map(|(name, fraction)| format!("{} {name}", percent(fraction.data))).collect::<Vec<_>>().join(", ")
}

/// A fraction in percent.
pub(crate) fn percent(fraction: f64) -> String {
    format!("{} %", rounded(fraction * 100.0, 3))
}

/// A probability, without digits that do not matter.
pub(crate) fn p_value(p: f64) -> String {
    if p < 1e-4 { "< 0.0001".to_owned() } else { rounded(p, 2) }
}

fn performance_table(performance: &Performance) -> TextTable {
    let data = format!("now ({})", performance.rows);
    let columns = [("", Align::Left), (data.as_str(), Align::Right), ("at training", Align::Right), ("", Align::Right)];
    let mut table = TextTable::new(columns);
    for (name, value) in &performance.metrics {
        let before = performance.training.get(name).map_or_else(|| "–".to_owned(), |value| rounded(*value, 4));
        let mark = if performance.is_drift(name) { "drift" } else { "" };
        table.push([title(name).to_owned(), rounded(*value, 4), before, mark.to_owned()]);
    }
    table
}
