use super::*;

/// The definition: the k-th least of all scores, k = ⌈(n + 1) · level⌉.
fn exact(n: u64, level_in_thousandths: u64) -> u64 {
    ((n + 1) * level_in_thousandths).div_ceil(1000)
}

/// Scores 1, 2, …, n: a score is its own rank.
#[allow(clippy::cast_precision_loss)]
fn ranks(n: u64) -> Conformal {
    Conformal::new((1..=n).rev().map(|rank| rank as f64).collect())
}

#[allow(clippy::cast_precision_loss)]
fn level(thousandths: u64) -> f64 {
    thousandths as f64 / 1000.0
}

#[test]
#[allow(clippy::float_cmp, clippy::cast_precision_loss)]
fn up_to_a_thousand_rows_the_quantile_is_exact() {
    for n in [1, 2, 9, 19, 20, 99, 100, 999, 1000] {
        for thousandths in 1..1000 {
            match ranks(n).quantile(level(thousandths)) {
                Ok(score) => assert_eq!(score, exact(n, thousandths) as f64, "{n} rows, {thousandths}"),
                Err(error) => {
                    assert!(exact(n, thousandths) > n, "{n} rows, {thousandths}: {error}");
                }
            }
        }
    }
}

#[test]
#[allow(clippy::cast_precision_loss)]
fn for_more_rows_the_quantile_is_larger_by_less_than_a_thousandth_of_the_rows() {
    for n in [1001, 1500, 12_345, 100_000] {
        let conformal = ranks(n);
        assert_eq!(conformal.scores.len(), 1000);
        for thousandths in 1..1000 {
            let (score, exact) = (conformal.quantile(level(thousandths)).unwrap(), exact(n, thousandths) as f64);
            assert!(score >= exact && score < exact + n as f64 / 1000.0 + 1.0, "{n} rows, {thousandths}: {score}");
        }
    }
}

#[test]
fn a_level_that_needs_more_rows_is_an_error_with_their_number() {
    for (level, rows, needed) in
        [(0.95, 18, 19), (0.9, 8, 9), (0.99, 98, 99), (0.5, 0, 1), (0.999, 998, 999), (0.55, 1, 2)]
    {
        let error = ranks(rows).quantile(level).unwrap_err();
        assert_eq!(error, LevelError::TooFewHeldOut { level, rows, needed });
        assert!(ranks(needed).quantile(level).is_ok(), "{level}");
        let message = error.to_string();
        let highest = message.rsplit_once("at most the level ").unwrap().1.parse().unwrap();
        assert!(rows == 0 || ranks(rows).quantile(highest).is_ok(), "{message}");
        assert!(highest < level && highest > 1.0 - 1.2 / (crate::number::count_to_f64(rows) + 1.0), "{message}");
    }
    let almost_sure = 1.0 - f64::EPSILON / 2.0;
    assert!(matches!(ranks(100_000).quantile(almost_sure), Err(LevelError::TooFewHeldOut { .. })));
    for level in [0.0, 1.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(ranks(10).quantile(level), Err(LevelError::OutOfRange { .. })), "{level}");
    }
}

#[test]
fn scores_that_new_cannot_make_are_rejected() {
    for task in [Task::Regression, Task::Classification] {
        assert!(Conformal::new(vec![0.5, 0.25]).check(task).is_ok());
        for (rows, scores) in [
            (0, vec![]),
            (2, vec![0.1]),
            (1, vec![0.1, 0.2]),
            (1_000_000, vec![0.1]),
            (u64::MAX, vec![0.1; 1000]),
            (2, vec![0.2, 0.1]),
            (2, vec![-0.1, 0.1]),
            (1, vec![f64::INFINITY]),
            (1, vec![f64::NAN]),
        ] {
            assert!(Conformal { rows, scores: scores.clone() }.check(task).is_err(), "{rows} {scores:?}");
        }
    }
    let more_than_one = Conformal::new(vec![1.5]);
    assert!(more_than_one.check(Task::Regression).is_ok() && more_than_one.check(Task::Classification).is_err());
}
