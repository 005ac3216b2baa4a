#![allow(clippy::float_cmp)] // Counts.

use super::*;

pub(in crate::evaluate) fn uv(i: u32) -> (f64, f64) {
    (f64::from(i * 7919 % 1000) / 1000.0, f64::from(i * 104_729 % 997) / 997.0)
}

pub(in crate::evaluate) fn weight(i: u32, weighted: bool) -> f64 {
    if weighted { f64::from(1 + i * 31 % 7) } else { 1.0 }
}

/// `q = np.clip(np.floor(v*50)/50, 0.02, 0.98); c = (u < q*0.8).astype(int); h = (q >= 0.5).astype(int)`
pub(in crate::evaluate) fn two_classes(weighted: bool) -> Classification {
    let mut classification = Classification::new(2);
    for i in 0..200 {
        let (u, v) = uv(i);
        let q = ((v * 50.0).floor() / 50.0).clamp(0.02, 0.98);
        let class = usize::from(u < q * 0.8);
        classification.push(class, usize::from(q >= 0.5), &[1.0 - q, q], weight(i, weighted));
    }
    classification
}

/// `a = np.c_[0.1+u, 0.1+v, 0.1+((i*13) % 101)/101.0]; P = a/a.sum(1, keepdims=True); h = P.argmax(1)`
/// `k = np.where(v > 0.6, h, (i*17) % 3)`
pub(in crate::evaluate) fn three_classes(weighted: bool) -> Classification {
    let mut classification = Classification::new(3);
    for i in 0..200 {
        let (u, v) = uv(i);
        let a = [0.1 + u, 0.1 + v, 0.1 + f64::from(i * 13 % 101) / 101.0];
        let total: f64 = a.iter().sum();
        let p = a.map(|value| value / total);
        let predicted = (0..3).fold(0, |best, class| if p[class] > p[best] { class } else { best });
        let class = if v > 0.6 { predicted } else { (i * 17 % 3) as usize };
        classification.push(class, predicted, &p, weight(i, weighted));
    }
    classification
}

/// scikit-learn 1.9.1: `accuracy_score`, `balanced_accuracy_score`, `log_loss`, `brier_score_loss`,
/// `roc_auc_score` (`multi_class='ovr'`), `precision_score` and `recall_score` for two classes, `f1_score`
/// (`average='macro'` for three), each without and with weights.
#[test]
fn metrics_agree_with_scikit_learn() {
    let recorded = [
        (
            two_classes(false),
            vec![
                0.71,
                0.718_369_062_631_357_7,
                0.589_459_699_912_455_5,
                0.197_522,
                0.774_169_819_251_786_5,
                0.602_040_816_326_530_6,
                0.756_410_256_410_256_4,
                0.670_454_545_454_545_4,
            ],
        ),
        (
            two_classes(true),
            vec![
                0.714_643_304_130_162_7,
                0.725_026_983_625_546_3,
                0.569_101_479_582_579,
                0.192_521_151_439_299_1,
                0.786_589_138_103_511_8,
                0.605_527_638_190_954_8,
                0.772_435_897_435_897_4,
                0.678_873_239_436_619_7,
            ],
        ),
        (
            three_classes(false),
            vec![
                0.585,
                0.576_895_943_562_610_3,
                1.054_456_372_530_061_7,
                0.632_726_862_354_831_2,
                0.659_549_147_157_594_6,
                0.572_470_216_538_013_2,
            ],
        ),
        (
            three_classes(true),
            vec![
                0.575_719_649_561_952_4,
                0.562_174_314_504_797_5,
                1.039_475_873_230_032,
                0.624_339_513_626_72,
                0.669_342_708_163_932_3,
                0.559_427_363_967_481_4,
            ],
        ),
    ];
    let names = ["accuracy", "balanced_accuracy", "log_loss", "brier", "roc_auc", "precision", "recall", "f1"];
    for (classification, expected) in recorded {
        let metrics = classification.finish().unwrap();
        let names = names.iter().filter(|name| expected.len() > 6 || !["precision", "recall"].contains(name));
        assert!(metrics.values.keys().eq(names), "{metrics:?}");
        for ((name, got), expected) in metrics.values.iter().zip(expected) {
            assert!((got - expected).abs() <= 1e-12 * expected, "{name}: {got} is not {expected}");
        }
    }
}

/// `confusion_matrix(c, h)` and `confusion_matrix(k, h, sample_weight=w)`
#[test]
fn the_confusion_matrix_has_a_row_for_each_actual_class() {
    assert_eq!(two_classes(false).confusion(), [[83.0, 39.0], [19.0, 59.0]]);
    assert_eq!(three_classes(true).confusion(), [[104.0, 22.0, 82.0], [60.0, 229.0, 72.0], [78.0, 25.0, 127.0]]);
}

/// `calibration_curve(c, q, n_bins=10, strategy='quantile')`
#[test]
fn calibration_agrees_with_scikit_learn() {
    let shares = [
        0.095_238_095_238_095_23,
        0.095_238_095_238_095_23,
        0.142_857_142_857_142_85,
        0.238_095_238_095_238_08,
        0.388_888_888_888_888_9,
        0.611_111_111_111_111_2,
        0.523_809_523_809_523_8,
        0.458_333_333_333_333_3,
        0.684_210_526_315_789_5,
        0.8125,
    ];
    let means = [
        0.041_904_761_904_761_91,
        0.138_095_238_095_238_13,
        0.241_904_761_904_761_98,
        0.344_761_904_761_904_7,
        0.44,
        0.528_888_888_888_889,
        0.622_857_142_857_142_9,
        0.735,
        0.844_210_526_315_789_6,
        0.9425,
    ];
    let bins = two_classes(false).calibration_bins();
    assert_eq!(bins.len(), 10);
    for ((bin, share), mean) in bins.iter().zip(shares).zip(means) {
        assert!((bin.share - share).abs() < 1e-12 && (bin.predicted - mean).abs() < 1e-12, "{bin:?}");
    }
    assert_eq!(bins.iter().map(|bin| bin.rows).sum::<u64>(), 200);
}

/// `DummyClassifier(strategy='prior')` with these frequencies, measured on the rows.
#[test]
fn the_baseline_predicts_the_frequencies_for_every_row() {
    let baseline = |threshold| {
        let baseline = Baseline { frequencies: &[0.7, 0.3], threshold };
        two_classes(false).measure(Some(&baseline)).unwrap().baseline
    };
    // 122 rows of the first class, and 78 of the second.
    let majority = baseline(None);
    let expected = [
        ("accuracy", 0.61),
        ("balanced_accuracy", 0.5),
        ("log_loss", -(0.61 * 0.7_f64.ln() + 0.39 * 0.3_f64.ln())),
        ("brier", 0.61 * 0.09 + 0.39 * 0.49),
        ("roc_auc", 0.5),
        ("recall", 0.0),
        ("f1", 0.0),
    ];
    assert!(majority.keys().eq(expected.iter().map(|(name, _)| name)), "{majority:?}");
    for (name, expected) in expected {
        assert!((majority[name] - expected).abs() < 1e-15, "{name}: {majority:?}");
    }
    let second = baseline(Some(0.25));
    assert_eq!((second["recall"], second["precision"], second["accuracy"]), (1.0, 0.39, 0.39));
    assert_eq!(baseline(Some(0.35)), majority);
}

#[test]
fn a_threshold_applies_to_rescaled_probabilities() {
    let rows = two_classes(false);
    let lower = rows.rescaled(|_| 1.0, Some(0.3)).unwrap();
    let predicted = |rows: &Classification| rows.confusion().iter().map(|row| row[1]).sum::<f64>();
    assert!(predicted(&lower) > predicted(&rows));
    // Log-odds of 0.847 become 0.423: a probability of 0.6.
    let cooler = rows.rescaled(|_| 2.0, Some(0.5)).unwrap();
    assert_eq!(cooler.confusion(), rows.confusion());
    let high = [rows.rescaled(|_| 2.0, Some(0.6)), rows.rescaled(|_| 1.0, Some(0.69))];
    let [hot, plain] = high.map(Option::unwrap);
    assert_eq!(hot.confusion(), plain.confusion());
}

/// As in `roc_auc_score([0, 0, 1, 1, 1], [.2, .8, .8, .5, .9])`, 4.5 of 6 pairs.
#[test]
fn rows_of_equal_score_count_half_also_where_calibration_differs_between_folds() {
    let mut rows = Classification::new(2);
    for (actual, p) in [(0, 0.2), (0, 0.8), (1, 0.8), (1, 0.5), (1, 0.9)] {
        rows.push(actual, usize::from(p > 0.5), &[1.0 - p, p], 1.0);
    }
    // The two rows of 0.8 get different temperatures, and at the last ones, probabilities round to 0 and 1.
    let temperatures: [[f64; 5]; 3] = [[1.0; 5], [1.0, 1.0, 2.0, 2.0, 5.0], [0.01; 5]];
    for temperatures in temperatures {
        let calibrated = rows.rescaled(|row| temperatures[row], None).unwrap();
        let area = calibrated.measure(None).unwrap().get("roc_auc").unwrap();
        assert!((area - 0.75).abs() < 1e-15, "{area}");
    }
}

#[test]
fn undefined_metrics_are_absent() {
    assert_eq!(Classification::new(2).finish(), None);
    let mut first_only = Classification::new(2);
    first_only.push(0, 0, &[0.9, 0.1], 1.0);
    first_only.push(0, 0, &[0.8, 0.2], 1.0);
    let metrics = first_only.finish().unwrap();
    assert_eq!((metrics.get("roc_auc"), metrics.get("f1"), metrics.get("accuracy")), (None, None, Some(1.0)));
    assert!(first_only.roc(1).is_none());
    let mut certain = Classification::new(2);
    certain.push(0, 1, &[0.0, 1.0], 1.0);
    assert_eq!(certain.finish().unwrap().get("log_loss"), Some(-f64::EPSILON.ln()));
}
