//! The columns of the design: features, powers, levels and products.

use std::collections::{BTreeMap, HashSet};

use ordinate_model::date::DatePart;
use ordinate_model::preprocess::{DesignColumn, Factor};
use ordinate_model::signature::{Feature, FeatureType};
use ordinate_model::suggestion::most_similar;
use ordinate_table::{DataError, MAX_COLUMNS};

/// The terms of the design.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms<'t> {
    /// The highest power of numeric features.
    pub(super) degree: u32,
    /// Whether to add the product of every two features.
    pub(super) interactions: bool,
    /// A column for every level, for penalised estimators. Without a penalty these columns would add up to a constant,
    /// so the first level has none.
    pub(super) every_level: bool,
    /// Whether there is no intercept. The first category then has a column for every level in any case, so that the
    /// same functions can be fitted as with an intercept.
    pub(super) through_origin: bool,
    /// The reference level of categories, by feature; the first level of others.
    pub(super) reference: &'t BTreeMap<String, String>,
    /// The parts of dates that vary, by feature.
    pub(super) parts: &'t BTreeMap<String, Vec<DatePart>>,
}

/// The columns of each feature, followed by its powers, then the products. Means are 0 and scales 1 until they are
/// fitted.
///
/// # Errors
/// [`DataError`] for too many columns, or two of the same name.
pub(super) fn columns(features: &[Feature], terms: Terms<'_>) -> Result<Vec<DesignColumn>, DataError> {
    let firsts: Vec<Vec<Factor>> =
        features.iter().map(|feature| first_order(feature, terms, terms.every_level)).collect();
    let mut own = firsts.clone();
    if let Some(category) = features.iter().position(|feature| feature.kind == FeatureType::String)
        && let (true, Some(feature), Some(own)) = (terms.through_origin, features.get(category), own.get_mut(category))
    {
        *own = first_order(feature, terms, true);
    }
    let powers = terms.degree.saturating_sub(1) as usize;
    let count = own.iter().map(Vec::len).sum::<usize>() + powers * features.iter().filter(|f| has_powers(f)).count();
    let mut after: usize = firsts.iter().map(Vec::len).sum();
    let products = |own: &Vec<Factor>| {
        after -= own.len();
        own.len() * after
    };
    let pairs: usize = if terms.interactions { firsts.iter().map(products).sum() } else { 0 };
    if count + pairs > MAX_COLUMNS {
        return Err(DataError::TooManyColumns { columns: count + pairs });
    }

    let mut columns = Vec::with_capacity(count + pairs);
    for (feature, own) in features.iter().zip(&own) {
        columns.extend(own.iter().map(|factor| column(vec![factor.clone()])));
        if has_powers(feature) {
            let power = |power| Factor { power: Some(power), ..Factor::feature(&feature.name) };
            columns.extend((2..=terms.degree).map(|exponent| column(vec![power(exponent)])));
        }
    }
    if terms.interactions {
        for (position, one) in firsts.iter().enumerate() {
            for other in firsts.iter().skip(position + 1) {
                let pairs = one.iter().flat_map(|one| other.iter().map(|other| vec![one.clone(), other.clone()]));
                columns.extend(pairs.map(column));
            }
        }
    }
    let mut names = HashSet::new();
    match columns.iter().find(|column| !names.insert(column.name.as_str())) {
        Some(twice) => Err(DataError::SameName { name: twice.name.clone() }),
        None => Ok(columns),
    }
}

/// The columns except for some, by their names in the model.
///
/// # Errors
/// [`DataError`] when there is no column of that name, or none is left.
pub(super) fn without(columns: Vec<DesignColumn>, excluded: &[String]) -> Result<Vec<DesignColumn>, DataError> {
    let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
    if let Some(unknown) = excluded.iter().find(|name| !names.contains(name)) {
        let nearest = most_similar(unknown, &names).map(str::to_owned);
        return Err(DataError::NoSuchTerm { name: unknown.clone(), nearest, columns: names });
    }
    let kept: Vec<DesignColumn> = columns.into_iter().filter(|column| !excluded.contains(&column.name)).collect();
    if kept.is_empty() { Err(DataError::NoTerms) } else { Ok(kept) }
}

/// Booleans equal their squares.
fn has_powers(feature: &Feature) -> bool {
    matches!(feature.kind, FeatureType::Double | FeatureType::Long)
}

fn first_order(feature: &Feature, terms: Terms<'_>, every_level: bool) -> Vec<Factor> {
    let mut factors = own_factors(feature, terms, every_level);
    if feature.indicator {
        factors.push(Factor { missing: true, ..Factor::feature(&feature.name) });
    }
    factors
}

fn own_factors(feature: &Feature, terms: Terms<'_>, every_level: bool) -> Vec<Factor> {
    if feature.kind == FeatureType::Date {
        let part = |part: &DatePart| Factor { part: Some(*part), ..Factor::feature(&feature.name) };
        return terms.parts.get(&feature.name).into_iter().flatten().map(part).collect();
    }
    if feature.kind != FeatureType::String {
        return vec![Factor::feature(&feature.name)];
    }
    let reference = terms.reference.get(&feature.name).or(feature.levels.first());
    let level = |level: &String| Factor { level: Some(level.clone()), ..Factor::feature(&feature.name) };
    feature.levels.iter().filter(|level| every_level || Some(*level) != reference).map(level).collect()
}

fn column(product: Vec<Factor>) -> DesignColumn {
    let name = product.iter().map(name).collect::<Vec<_>>().join(":");
    DesignColumn { name, product, mean: 0.0, scale: 1.0 }
}

fn name(factor: &Factor) -> String {
    match (&factor.level, factor.power) {
        (Some(level), _) => format!("{}={level}", factor.feature),
        (None, _) if factor.missing => format!("{}.missing", factor.feature),
        (None, _) if factor.part.is_some() => {
            format!("{}.{}", factor.feature, factor.part.map_or("", DatePart::name))
        }
        (None, Some(power)) => format!("{}^{power}", factor.feature),
        (None, None) => factor.feature.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms() -> Terms<'static> {
        static NONE: (BTreeMap<String, String>, BTreeMap<String, Vec<DatePart>>) = (BTreeMap::new(), BTreeMap::new());
        let (reference, parts) = (&NONE.0, &NONE.1);
        Terms { degree: 1, interactions: false, every_level: false, through_origin: false, reference, parts }
    }

    fn features() -> Vec<Feature> {
        let levels = ["blue", "green", "red"].map(String::from).to_vec();
        vec![
            Feature::new("age", FeatureType::Double),
            Feature { levels, ..Feature::new("colour", FeatureType::String) },
            Feature::new("smokes", FeatureType::Boolean),
        ]
    }

    fn names(degree: u32, interactions: bool, every_level: bool) -> Vec<String> {
        let columns =
            columns(&features(), Terms { degree, interactions, every_level, through_origin: false, ..terms() })
                .unwrap();
        columns.into_iter().map(|column| column.name).collect()
    }

    #[test]
    fn the_reference_level_has_no_column_unless_every_level_has_one() {
        assert_eq!(names(0, false, false), ["age", "colour=green", "colour=red", "smokes"]);
        assert_eq!(names(1, false, true), ["age", "colour=blue", "colour=green", "colour=red", "smokes"]);
    }

    #[test]
    fn without_an_intercept_the_first_category_has_all_levels_except_in_products() {
        let mut features = features();
        features.push(Feature {
            levels: ["left", "right"].map(String::from).to_vec(),
            ..Feature::new("side", FeatureType::String)
        });
        features.remove(0);
        let terms = Terms { degree: 1, interactions: true, every_level: false, through_origin: true, ..terms() };
        let names: Vec<String> = columns(&features, terms).unwrap().into_iter().map(|column| column.name).collect();
        assert_eq!(
            names,
            [
                "colour=blue",
                "colour=green",
                "colour=red",
                "smokes",
                "side=right",
                "colour=green:smokes",
                "colour=red:smokes",
                "colour=green:side=right",
                "colour=red:side=right",
                "smokes:side=right"
            ]
        );
    }

    #[test]
    fn powers_follow_their_feature_and_products_come_last() {
        assert_eq!(
            names(3, true, false),
            [
                "age",
                "age^2",
                "age^3",
                "colour=green",
                "colour=red",
                "smokes",
                "age:colour=green",
                "age:colour=red",
                "age:smokes",
                "colour=green:smokes",
                "colour=red:smokes"
            ]
        );
    }

    #[test]
    fn too_many_columns_and_equal_names_are_errors() {
        let levels: Vec<String> = (0..1000).map(|level| format!("{level:04}")).collect();
        let wide = |name: &str| Feature { levels: levels.clone(), ..Feature::new(name, FeatureType::String) };
        let terms = Terms { degree: 1, interactions: true, every_level: true, through_origin: false, ..terms() };
        let error = columns(&[wide("a"), wide("b")], terms).unwrap_err();
        assert!(error.to_string().contains("1002000 columns"), "{error}");
        let mut clash = features();
        clash.push(Feature::new("colour=red", FeatureType::Double));
        assert!(matches!(columns(&clash, terms), Err(DataError::SameName { name }) if name == "colour=red"));
    }
}
