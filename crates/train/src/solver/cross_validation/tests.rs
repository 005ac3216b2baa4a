use super::super::design_rows::DesignRow;
use super::super::path::{fit as fit_penalty, path};
use super::super::test_rows;
use super::super::{logistic, path::PenalisedFit};
use super::*;
use proptest::prelude::*;
use rstest::rstest;

/// Rows in memory: design, target, weight.
#[derive(Debug)]
struct MemoryRows(Vec<String>, Vec<(Vec<f64>, f64, f64)>);

impl DesignRows for MemoryRows {
    fn columns(&self) -> &[String] {
        &self.0
    }

    fn scan<E>(&self, each: &mut dyn FnMut(DesignRow<'_>) -> Result<(), E>) -> Result<(), E> {
        for (number, (design, target, weight)) in self.1.iter().enumerate() {
            each(DesignRow { number: number as u64, design, target: *target, weight: *weight })?;
        }
        Ok(())
    }
}

fn read(text: &str, weighted: bool) -> MemoryRows {
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    let (header, lines) = lines.split_first().unwrap();
    let mut classes: Vec<&str> = lines.iter().map(|line| *line.last().unwrap()).collect();
    classes.sort_unstable();
    classes.dedup();
    let row = |(number, line): (usize, &Vec<&str>)| {
        let (target, features) = line.split_last().unwrap();
        let class = classes.iter().position(|name| name == target).unwrap() as f64;
        let weight = if weighted { 1.0 + (number % 3) as f64 } else { 1.0 };
        (features.iter().map(|value| value.parse().unwrap()).collect(), target.parse().unwrap_or(class), weight)
    };
    let names = header[..header.len() - 1].iter().map(|name| (*name).to_owned()).collect();
    MemoryRows(names, lines.iter().enumerate().map(row).collect())
}

fn diabetes(weighted: bool) -> MemoryRows {
    read(include_str!("../../../../../model/diabetes.csv"), weighted)
}

fn with_target(table: &MemoryRows) -> Vec<String> {
    table.0.iter().cloned().chain(["y".to_owned()]).collect()
}

/// The fold of each row.
fn assigned(table: &MemoryRows, folds: u32, classes: usize, seed: u64) -> Vec<usize> {
    let mut folds = Folds::new(folds, classes, seed).unwrap();
    table.1.iter().map(|row| folds.assign(if classes == 1 { 0 } else { logistic::position(row.1) })).collect()
}

/// A row with its target, and its weight.
fn with_weight((design, target, weight): &(Vec<f64>, f64, f64)) -> (Vec<f64>, f64) {
    ([design.as_slice(), &[*target]].concat(), *weight)
}

fn close(left: f64, right: f64, tolerance: f64) -> bool {
    (left - right).abs() <= tolerance * right.abs()
}

#[rstest]
#[case(PenaltyFamily::Ridge, false)]
#[case(PenaltyFamily::ElasticNet { l1_ratio: 1.0 }, false)]
#[case(PenaltyFamily::ElasticNet { l1_ratio: 0.5 }, true)]
fn scores_equal_those_of_fitting_and_predicting_row_by_row(#[case] family: PenaltyFamily, #[case] weighted: bool) {
    let table = diabetes(weighted);
    let names = with_target(&table);
    let folds = moments(&table, 5, 7).unwrap();
    let result = regression(&folds, &names, family, 20, SelectionRule::Best, &|_| {}).unwrap();
    let assigned = assigned(&table, 5, 1, 7);
    assert_eq!(result.path.len(), 20);
    for candidate in result.path.iter().step_by(4) {
        let mut errors = Vec::new();
        let mut weights = Vec::new();
        for fold in 0..5 {
            let rows = || table.1.iter().zip(&assigned);
            let others = test_rows::moments(rows().filter(|(_, of)| **of != fold).map(|(row, _)| with_weight(row)));
            let fit: PenalisedFit = fit_penalty(&others, &names, family.penalty(candidate.alpha)).unwrap();
            let (mut error, mut total) = (0.0, 0.0);
            for ((design, target, weight), _) in rows().filter(|(_, of)| **of == fold) {
                let parts = design.iter().zip(&fit.means).zip(&fit.scales).zip(&fit.coefficients);
                let predicted =
                    fit.intercept + parts.map(|(((x, mean), scale), b)| b * (x - mean) / scale).sum::<f64>();
                error += weight * (target - predicted).powi(2);
                total += weight;
            }
            errors.push(error / total);
            weights.push(total);
        }
        let total: f64 = weights.iter().sum();
        let score = errors.iter().zip(&weights).map(|(error, weight)| error * weight).sum::<f64>() / total;
        assert!(close(candidate.score, score, 1e-10), "{candidate:?} is not {score}");
        assert!(candidate.converged && candidate.standard_error > 0.0);
    }
}

#[test]
fn the_rule_of_one_standard_error_selects_a_larger_alpha_and_fewer_features() {
    let table = diabetes(false);
    let folds = moments(&table, 10, 0).unwrap();
    let lasso = PenaltyFamily::ElasticNet { l1_ratio: 1.0 };
    let select = |rule| regression(&folds, &with_target(&table), lasso, 100, rule, &|_| {}).unwrap();
    let (best, simple) = (select(SelectionRule::Best), select(SelectionRule::OneStandardError));
    let find = |result: &CrossValidationResult| {
        *result.path.iter().find(|candidate| (candidate.alpha - result.alpha).abs() == 0.0).unwrap()
    };
    let (of_best, of_simple) = (find(&best), find(&simple));
    assert!(best.path.iter().all(|candidate| candidate.score >= of_best.score));
    assert!(of_simple.alpha > of_best.alpha && of_simple.nonzero < of_best.nonzero, "{of_best:?} {of_simple:?}");
    assert!(of_simple.score <= of_best.score + of_best.standard_error);
    assert!(
        simple
            .path
            .iter()
            .filter(|other| other.alpha > of_simple.alpha)
            .all(|other| other.score > of_best.score + of_best.standard_error)
    );
}

#[test]
fn the_number_of_threads_does_not_change_a_bit() {
    let table = diabetes(false);
    let folds = moments(&table, 6, 3).unwrap();
    let on = |threads| {
        regression_on(threads, &folds, &with_target(&table), PenaltyFamily::Ridge, (30, SelectionRule::Best), &|_| {})
            .unwrap()
    };
    assert_eq!(on(1), on(4));
    assert_eq!(on(1), on(100));
}

#[test]
fn a_category_may_occur_in_one_fold_only() {
    let mut table = diabetes(false);
    for (number, (design, ..)) in table.1.iter_mut().enumerate() {
        design.push(f64::from(u8::from(number == 100)));
    }
    table.0.push("rare".to_owned());
    let folds = moments(&table, 5, 0).unwrap();
    for family in [PenaltyFamily::Ridge, PenaltyFamily::ElasticNet { l1_ratio: 1.0 }] {
        let result = regression(&folds, &with_target(&table), family, 10, SelectionRule::Best, &|_| {}).unwrap();
        assert!(result.path.iter().all(|candidate| candidate.score.is_finite() && candidate.converged));
    }
    table.1.iter_mut().enumerate().for_each(|(number, row)| row.1 = f64::from(u8::from(number % 2 == 0)));
    let settings = LogisticSettings::default();
    let result = classification(&table, 2, 3, 0, &[10.0, 1.0], &settings, SelectionRule::Best).unwrap();
    assert!(result.path.iter().all(|candidate| candidate.score.is_finite() && candidate.converged));
}

/// Rows of a number, a number that varies in one fold only, and a level that occurs in one fold only.
fn with_columns_of_one_fold() -> impl Strategy<Value = (MemoryRows, u32)> {
    let row = (-3.0..3.0_f64, -2.0..2.0_f64, 0.1..9.0_f64);
    let rows = prop::collection::vec(row, 12..40);
    // The first row is the one that all others are compared with.
    let single = prop_oneof![Just(0_usize), 0..12_usize];
    (rows, 2_u32..6, any::<bool>(), -5.0..5.0_f64, single).prop_map(|(rows, folds, weighted, constant, single)| {
        let row = |(number, (x, noise, weight)): (usize, (f64, f64, f64))| {
            let is_single = number == single;
            let varying = if is_single { constant + 1.0 } else { constant };
            let level = f64::from(u8::from(is_single));
            (vec![x, varying, level, 1.0 - level], x + noise, if weighted { weight } else { 1.0 })
        };
        let names = ["x", "varying", "level", "others"].map(str::to_owned).to_vec();
        (MemoryRows(names, rows.into_iter().enumerate().map(row).collect()), folds)
    })
}

proptest! {
    /// Each fit is one to `[Z; √alpha I]` with columns of length √W and alpha ≥ 10⁻⁵ W, so its condition number is at
    /// most κ = √(p·10⁵); QR leaves an error of about ε·κ² of the target's length (Golub and Van Loan, §5.3.8), here
    /// 10⁻¹⁰. It is an error of the coefficients b of standardised values z, which may be large in a held-out row: the
    /// squared error of the row is then off by less than 10⁻⁹ (|y| + Σ (|b| + ‖y‖) |z|)², with ‖y‖ the root mean square
    /// of the target.
    #[test]
    fn merged_folds_have_the_scores_of_fits_from_scratch((table, folds) in with_columns_of_one_fold(), lasso: bool, origin: bool) {
        let names = with_target(&table);
        let family = if lasso { PenaltyFamily::ElasticNet { l1_ratio: 1.0 } } else { PenaltyFamily::Ridge };
        let about = |moments: Moments| if origin { moments.about_zero() } else { moments };
        let parts: Vec<Moments> = moments(&table, folds, 0).unwrap().into_iter().map(about).collect();
        let result = regression(&parts, &names, family, 6, SelectionRule::Best, &|_| {}).unwrap();
        let assigned = assigned(&table, folds, 1, 0);
        let squares: f64 = table.1.iter().map(|(_, y, weight)| weight * y * y).sum();
        let weight: f64 = table.1.iter().map(|(.., weight)| weight).sum();
        let target_size = (squares / weight).sqrt();
        for candidate in &result.path {
            let (mut error, mut size) = (0.0, 0.0);
            for fold in 0..folds as usize {
                let rows = || table.1.iter().zip(&assigned);
                let others = test_rows::moments(rows().filter(|(_, of)| **of != fold).map(|(row, _)| with_weight(row)));
                let penalty = family.penalty(candidate.alpha);
                let fit = path(&about(others), &names, &[penalty]).unwrap().swap_remove(0);
                for ((design, target, weight), _) in rows().filter(|(_, of)| **of == fold) {
                    let parts = || design.iter().zip(&fit.means).zip(&fit.scales).zip(&fit.coefficients);
                    let predicted =
                        fit.intercept + parts().map(|(((x, mean), scale), b)| b * (x - mean) / scale).sum::<f64>();
                    error += weight * (target - predicted).powi(2);
                    let terms = parts().map(|(((x, mean), scale), b)| (b.abs() + target_size) * ((x - mean) / scale).abs());
                    size += weight * (target.abs() + terms.sum::<f64>()).powi(2);
                }
            }
            prop_assert!(
                (candidate.score - error / weight).abs() <= 1e-9 * size / weight,
                "{:?} is not {}",
                candidate,
                error / weight
            );
        }
    }
}

#[rstest]
#[case(include_str!("../../../../../model/iris.csv"), 3)]
#[case(include_str!("../../../../../model/breast-cancer.csv"), 2)]
fn losses_equal_those_of_fitting_each_fold_separately(#[case] text: &str, #[case] classes: usize) {
    let table = read(text, true);
    let settings = LogisticSettings::default();
    let alphas = [10.0, 1.0, 0.1];
    let result = classification(&table, classes, 4, 5, &alphas, &settings, SelectionRule::Best).unwrap();
    let assigned = assigned(&table, 4, classes, 5);
    for (candidate, alpha) in result.path.iter().zip(alphas) {
        let (mut loss, mut total) = (0.0, 0.0);
        for fold in 0..4 {
            let side = |inside: bool| {
                let rows = table.1.iter().zip(&assigned).filter(move |(_, of)| (**of == fold) == inside);
                MemoryRows(table.0.clone(), rows.map(|(row, _)| row.clone()).collect())
            };
            let settings = LogisticSettings { c: 1.0 / alpha, ..settings };
            let fit = logistic::fit(&side(false), classes, &settings).unwrap();
            for (design, target, weight) in &side(true).1 {
                loss += weight * fit.loss(design, logistic::position(*target));
                total += weight;
            }
        }
        assert!(
            candidate.converged && close(candidate.score, loss / total, 1e-9),
            "{candidate:?} is not {}",
            loss / total
        );
    }
    let selected = result.path.iter().find(|candidate| (candidate.alpha - result.alpha).abs() == 0.0).unwrap();
    assert!(result.path.iter().all(|candidate| candidate.score >= selected.score));
}

#[test]
fn a_constant_feature_does_not_change_the_scores() {
    let (mut flat, mut without) = (diabetes(false), diabetes(false));
    flat.1.iter_mut().for_each(|row| row.0[2] = 0.1);
    without.0.remove(2);
    without.1.iter_mut().for_each(|row| _ = row.0.remove(2));
    for family in [PenaltyFamily::Ridge, PenaltyFamily::ElasticNet { l1_ratio: 0.5 }] {
        let selected = |table: &MemoryRows| {
            regression(&moments(table, 5, 0).unwrap(), &with_target(table), family, 10, SelectionRule::Best, &|_| {})
                .unwrap()
        };
        let (flat, without) = (selected(&flat), selected(&without));
        for (one, other) in flat.path.iter().zip(&without.path) {
            assert!(close(one.score, other.score, 1e-13) && close(one.alpha, other.alpha, 1e-15), "{one:?} {other:?}");
        }
    }
}

#[test]
fn impossible_cross_validations_are_errors() {
    let table = diabetes(false);
    let names = with_target(&table);
    let error = moments(&table, 1, 0).unwrap_err();
    assert!(error.to_string().contains("at least 2"), "{error}");
    let few = MemoryRows(table.0.clone(), table.1[..3].to_vec());
    let error =
        regression(&moments(&few, 5, 0).unwrap(), &names, PenaltyFamily::Ridge, 10, SelectionRule::Best, &|_| {})
            .unwrap_err();
    assert_eq!(error, SolveError::EmptyFold { rows: 3, folds: 5 });

    // In as many folds as the class has rows.
    let settings = LogisticSettings::default();
    let table = read(include_str!("../../../../../model/iris.csv"), false);
    let one_each = MemoryRows(table.0.clone(), [0, 50, 100].map(|row| table.1[row].clone()).to_vec());
    let error = classification(&one_each, 3, 5, 5, &[1.0], &settings, SelectionRule::Best);
    assert!(error.is_ok_and(|result| result.folds == 2));
}

#[test]
fn classes_of_one_row_are_cross_validated() {
    let mut single = read(include_str!("../../../../../model/iris.csv"), false);
    single.1.truncate(101);
    let settings = LogisticSettings::default();
    let alphas = logistic_alphas(9);
    let result = classification(&single, 3, 5, 0, &alphas, &settings, SelectionRule::Best).unwrap();
    assert!(
        result.folds == 5 && result.path.iter().all(|candidate| candidate.score.is_finite() && candidate.converged)
    );
    single.1.truncate(4);
    single.1.extend(read(include_str!("../../../../../model/iris.csv"), false).1[100..102].iter().cloned());
    let result = classification(&single, 3, 5, 0, &alphas, &settings, SelectionRule::Best).unwrap();
    assert_eq!(result.folds, 4);
}

#[test]
fn rows_of_weight_zero_are_in_no_fold() {
    let mut table = diabetes(true);
    let names = with_target(&table);
    let scores = |table: &MemoryRows| {
        let folds = moments(table, 5, 0).unwrap();
        regression(&folds, &names, PenaltyFamily::Ridge, 10, SelectionRule::Best, &|_| {}).unwrap()
    };
    let expected = scores(&table);
    table.1.insert(3, (vec![1e5; 10], 1e9, 0.0));
    assert_eq!(scores(&table), expected);
    let mut iris = read(include_str!("../../../../../model/iris.csv"), true);
    let select = |table: &MemoryRows| {
        classification(table, 3, 5, 0, &[1.0, 0.1], &LogisticSettings::default(), SelectionRule::Best).unwrap()
    };
    let expected = select(&iris);
    iris.1.insert(60, (vec![1e5; 4], 1.0, 0.0));
    assert_eq!(select(&iris), expected);
}
