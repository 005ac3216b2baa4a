// Recorded numbers have the digits of their source.
#![allow(clippy::unreadable_literal, clippy::excessive_precision, clippy::float_cmp)]

use super::super::moments::Accumulator;
use super::Penalty::{ElasticNet, Ridge};
use super::*;
use crate::solver::leverage::MOST_COLUMNS;
use crate::solver::qr::UpperTriangle;
use ordinate_model::inference::DIAGONAL_INCREMENT;
use proptest::prelude::*;
use smartcore::linalg::basic::arrays::Array;
use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::linear::ridge_regression::{RidgeRegression, RidgeRegressionParameters};

mod dependent;

fn names(columns: usize) -> Vec<String> {
    (1..columns).map(|feature| format!("x{feature}")).chain(["y".to_owned()]).collect()
}

fn moments(rows: &[Vec<f64>], weight: impl Fn(usize) -> f64) -> Moments {
    let mut accumulator = Accumulator::new(rows[0].clone());
    for (number, row) in rows.iter().enumerate() {
        accumulator.push_weighted(row, weight(number));
    }
    accumulator.finish()
}

fn diabetes() -> Vec<Vec<f64>> {
    let text = include_str!("../../../../../model/diabetes.csv");
    text.lines().skip(1).map(|line| line.split(',').map(|value| value.parse().unwrap()).collect()).collect()
}

/// A mean near 10¹² has 13 binary digits after the point: the intercept must include its rounding error.
#[test]
fn residuals_of_columns_far_from_zero_sum_to_zero() {
    let rows: Vec<Vec<f64>> = (0..30)
        .map(|i| {
            let x = f64::from(i * 7 % 30) / 10.0;
            vec![1e12 + x, 3.0 * x + f64::from(i * i % 11)]
        })
        .collect();
    for penalty in
        [Ridge { alpha: 1.0 }, ElasticNet { alpha: 0.1, l1_ratio: 1.0 }, ElasticNet { alpha: 0.1, l1_ratio: 0.5 }]
    {
        let weight = |row: usize| 1.0 + (row % 4) as f64 / 3.0;
        let fit = fit(&moments(&rows, weight), &names(2), penalty).unwrap();
        let residual =
            |row: &Vec<f64>| row[1] - fit.intercept - fit.coefficients[0] * (row[0] - fit.means[0]) / fit.scales[0];
        let sum: f64 = rows.iter().enumerate().map(|(number, row)| weight(number) * residual(row)).sum();
        // Thirty sums of numbers below 20, each rounded a few times.
        assert!((sum / 45.0).abs() <= 20.0 * 8.0 * f64::EPSILON, "{penalty:?}: {sum}");
    }
}

type Recorded = (Penalty, f64, &'static [f64]);

/// scikit-learn 1.9.1: `Z = StandardScaler().fit(X, sample_weight=w).transform(X)`, then `Ridge(alpha, solver="cholesky")`,
/// `Lasso(alpha, tol=1e-16, max_iter=10**7)` or `ElasticNet(alpha, l1_ratio=.5, …)` `.fit(Z, y, sample_weight=w)`;
/// printed are penalty, `intercept_` and `coef_`.
const DIABETES: &[Recorded] = &[
    (
        Ridge { alpha: 0.01 },
        152.13348416289597,
        &[
            -0.4755798561081897,
            -11.406032029645697,
            24.7272257958931,
            15.42875514750051,
            -37.5842400816686,
            22.600215260916908,
            4.763855032385911,
            8.410522208097197,
            35.69815576453378,
            3.217244573701275,
        ],
    ),
    (
        Ridge { alpha: 1.0 },
        152.133484162896,
        &[
            -0.43117265822491757,
            -11.333654931877579,
            24.771241809473352,
            15.373472852971991,
            -30.088400592594706,
            16.653152303353504,
            1.462107011104976,
            7.521110929123219,
            32.84375085651544,
            3.266384869371544,
        ],
    ),
    (
        Ridge { alpha: 442.0 },
        152.133484162896,
        &[
            1.4015600149055825,
            -3.9552455796861783,
            14.571711005190757,
            9.590453311763113,
            0.2810916903776993,
            -1.4039089335364003,
            -7.231818638309345,
            5.57995004175345,
            12.506984442470017,
            5.321539279490514,
        ],
    ),
    (
        ElasticNet { alpha: 0.001, l1_ratio: 1.0 },
        152.13348416289597,
        &[
            -0.4738308765505423,
            -11.404792646902399,
            24.72749135264066,
            15.42723560398494,
            -37.5183719212125,
            22.55186842849994,
            4.729031848461668,
            8.393647201570309,
            35.67618985060831,
            3.216333308638142,
        ],
    ),
    (
        ElasticNet { alpha: 1.0, l1_ratio: 1.0 },
        152.13348416289602,
        &[
            -0.0,
            -9.319329544910653,
            24.831503728185904,
            14.088985512287826,
            -4.8389461924363735,
            -0.0,
            -10.622756297300368,
            0.0,
            24.420933398189504,
            2.5618755134434186,
        ],
    ),
    (
        ElasticNet { alpha: 10.0, l1_ratio: 1.0 },
        152.13348416289602,
        &[0.0, -0.0, 22.5990246090878, 6.80187245919698, -0.0, -0.0, -3.0890723573693943, 0.0, 19.585872894509773, 0.0],
    ),
    (
        ElasticNet { alpha: 40.0, l1_ratio: 1.0 },
        152.13348416289597,
        &[0.0, 0.0, 4.4503467477411975, 0.0, 0.0, 0.0, 0.0, 0.0, 1.5906598051687777, 0.0],
    ),
    (
        ElasticNet { alpha: 0.01, l1_ratio: 0.5 },
        152.133484162896,
        &[
            -0.38359607392016604,
            -11.25140141920642,
            24.79006377772244,
            15.31280737274141,
            -23.942313248796452,
            11.77691787059198,
            -1.2156309343935694,
            6.818723044686418,
            30.48130770873859,
            3.310179626286625,
        ],
    ),
    (
        ElasticNet { alpha: 1.0, l1_ratio: 0.5 },
        152.133484162896,
        &[
            0.6378246695624935,
            -5.691797194424003,
            18.097526985873348,
            11.405596257393487,
            -0.24097470272661592,
            -2.366427026703476,
            -8.221762156507703,
            5.297134794737521,
            15.448213067261664,
            5.05730699009366,
        ],
    ),
];

/// The same with `w = 1 + np.arange(442) % 3`.
const WEIGHTED_DIABETES: &[Recorded] = &[
    (
        Ridge { alpha: 0.01 },
        152.13476783691962,
        &[
            -1.0363076408976089,
            -9.75370491349156,
            24.608880769385923,
            14.331012287538583,
            -42.77699262882559,
            27.080313302838466,
            7.325329669539083,
            9.758162880837867,
            37.044533606567235,
            3.5771442269930405,
        ],
    ),
    (
        Ridge { alpha: 1.0 },
        152.1347678369196,
        &[
            -1.0081428925169946,
            -9.718935419987812,
            24.649959883678168,
            14.308161717831664,
            -38.32940786157848,
            23.623390411921743,
            5.2796577509801645,
            9.097651348677106,
            35.34239125922056,
            3.5782013663558674,
        ],
    ),
    (
        Ridge { alpha: 442.0 },
        152.13476783691956,
        &[
            0.5940487004092411,
            -5.103594004651408,
            17.781991662962003,
            11.111874079645325,
            -0.6810242934279729,
            -1.97044546559113,
            -8.569809323407505,
            6.10312262326827,
            14.888800424369617,
            5.2955607336845505,
        ],
    ),
    (
        ElasticNet { alpha: 0.001, l1_ratio: 1.0 },
        152.1347678369196,
        &[
            -1.0342905103927797,
            -9.751979751971552,
            24.6097211858134,
            14.329433580703597,
            -42.67729591911753,
            27.00687115971897,
            7.273888009646967,
            9.734316522257176,
            37.00939253562495,
            3.5757823735086545,
        ],
    ),
    (
        ElasticNet { alpha: 1.0, l1_ratio: 1.0 },
        152.13476783691954,
        &[
            -0.0,
            -7.619846771033935,
            24.866784819807847,
            12.99424180074139,
            -4.032333545166204,
            -0.0,
            -11.14162174448806,
            0.0,
            23.311270501872706,
            2.5405849782768435,
        ],
    ),
    (
        ElasticNet { alpha: 10.0, l1_ratio: 1.0 },
        152.13476783691954,
        &[0.0, -0.0, 22.28407819671949, 6.464045126437869, 0.0, 0.0, -4.259837933876921, 0.0, 18.524491094185638, 0.0],
    ),
    (
        ElasticNet { alpha: 40.0, l1_ratio: 1.0 },
        152.13476783691954,
        &[0.0, 0.0, 4.451060858974384, 0.0, 0.0, 0.0, 0.0, 0.0, 0.4671305714188477, 0.0],
    ),
    (
        ElasticNet { alpha: 0.01, l1_ratio: 0.5 },
        152.13476783691956,
        &[
            -0.9282755375088646,
            -9.61484230455118,
            24.715191159558675,
            14.239147398677295,
            -27.83606492746831,
            15.484070641273448,
            0.4608386971229708,
            7.547243780207741,
            31.300784399616635,
            3.5869968250951394,
        ],
    ),
    (
        ElasticNet { alpha: 1.0, l1_ratio: 0.5 },
        152.13476783691954,
        &[
            0.27235675751716465,
            -4.538158089701227,
            17.634977622944945,
            10.875127935903405,
            -0.18961901425315114,
            -1.551013381613299,
            -8.478672646452305,
            5.5917129343879415,
            14.702998411518845,
            5.065492172401781,
        ],
    ),
];

#[test]
fn agrees_with_scikit_learn_with_and_without_weights() {
    let rows = diabetes();
    let plain = moments(&rows, |_| 1.0);
    let weighted = moments(&rows, |row| [1.0, 2.0, 3.0][row % 3]);
    let mut worst = 0.0_f64;
    for (moments, recorded) in [(plain, DIABETES), (weighted, WEIGHTED_DIABETES)] {
        for (penalty, intercept, coefficients) in recorded {
            let got = fit(&moments, &names(11), *penalty).unwrap();
            assert!(got.converged && got.gap <= 1e-12, "{penalty:?}: {got:?}");
            assert!((got.intercept - intercept).abs() < 1e-11);
            let largest = coefficients.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
            for (got, expected) in got.coefficients.iter().zip(*coefficients) {
                assert_eq!(*got == 0.0, *expected == 0.0, "{penalty:?}: zeros are exact");
                worst = worst.max((got - expected).abs() / largest);
            }
            assert!(worst < 1e-9, "{penalty:?}: {got:?} is not {coefficients:?}");
            assert_eq!(got.zero, coefficients.iter().filter(|value| **value == 0.0).count());
        }
    }
    println!("largest difference to scikit-learn: {worst:e}");
}

#[test]
fn ridge_agrees_with_smartcore() {
    let rows = diabetes();
    let design: Vec<Vec<f64>> = rows.iter().map(|row| row[..10].to_vec()).collect();
    let target: Vec<f64> = rows.iter().map(|row| row[10]).collect();
    let design = DenseMatrix::from_2d_vec(&design).unwrap();
    for alpha in [0.1, 1.0, 100.0] {
        let parameters = RidgeRegressionParameters::default().with_alpha(alpha).with_normalize(true);
        let smartcore = RidgeRegression::fit(&design, &target, parameters).unwrap();
        let ours = fit(&moments(&rows, |_| 1.0), &names(11), Ridge { alpha }).unwrap();
        for (j, ours) in ours.original_coefficients().iter().enumerate() {
            let theirs = smartcore.coefficients().get((j, 0));
            assert!((ours - theirs).abs() <= 1e-9 * theirs.abs(), "{alpha}: {ours} is not {theirs}");
        }
    }
}

#[test]
fn the_path_starts_at_the_smallest_alpha_with_zero_coefficients() {
    let moments = moments(&diabetes(), |_| 1.0);
    for l1_ratio in [1.0, 0.5, 0.05] {
        let alphas = alphas(&moments, l1_ratio, 100);
        assert_eq!(alphas.len(), 100);
        assert!((alphas[99] / alphas[0] - 1e-3).abs() < 1e-15);
        let zero = |alpha| fit(&moments, &names(11), ElasticNet { alpha, l1_ratio }).unwrap().zero;
        assert_eq!((zero(alphas[0] * 1.000_001), zero(alphas[0] * 0.999_999)), (10, 9));
    }
}

#[test]
fn duplicate_columns_and_more_features_than_rows_are_fitted() {
    let rows: Vec<Vec<f64>> = (0..12_u32)
        .map(|i| {
            let mut row: Vec<f64> = (0..20_u32).map(|j| f64::from((i * i * (j + 3) + 7 * i * j) % 23)).collect();
            row.push(row[3]);
            row.push(2.0 * row[0] - row[5] + f64::from(i % 3));
            row
        })
        .collect();
    let moments = moments(&rows, |_| 1.0);
    let names = names(22);
    let ridge = fit(&moments, &names, Ridge { alpha: 1.0 }).unwrap();
    assert!((ridge.coefficients[3] - ridge.coefficients[20]).abs() < 1e-12, "equal columns have equal coefficients");
    for l1_ratio in [1.0, 0.5] {
        for alpha in [0.01, 0.1, 1.0] {
            let fit = fit(&moments, &names, ElasticNet { alpha, l1_ratio }).unwrap();
            assert!(fit.converged && fit.gap <= 1e-12, "{l1_ratio} {alpha}: {fit:?}");
        }
    }
    let error = fit(&moments, &names, ElasticNet { alpha: 0.0, l1_ratio: 1.0 }).unwrap_err();
    assert!(matches!(error, SolveError::Dependent { .. }), "{error}");
}

/// The optimum is `soft(Zᵀy) / (n + l2)`, because `ZᵀZ` is negligible compared with a penalty on squares of 10¹³ for each row.
#[test]
fn a_large_penalty_on_squares_preserves_all_digits() {
    let mut rows = diabetes();
    for row in &mut rows {
        row[10] *= 1e15;
    }
    let moments = moments(&rows, |_| 1.0);
    let fit = fit(&moments, &names(11), ElasticNet { alpha: 1e15, l1_ratio: 0.01 }).unwrap();
    assert!(fit.converged && fit.iterations < 100, "{} sweeps, gap {:e}", fit.iterations, fit.gap);
    let target_mean = rows.iter().map(|row| row[10]).sum::<f64>() / 442.0;
    for (column, coefficient) in fit.coefficients.iter().enumerate() {
        let z = |row: &Vec<f64>| (row[column] - fit.means[column]) / fit.scales[column];
        let pull = rows.iter().map(|row| z(row) * (row[10] - target_mean)).sum::<f64>() / 442.0;
        let expected = (pull.abs() - 1e13).max(0.0).copysign(pull) / (1.0 + 0.99e15);
        assert!((coefficient - expected).abs() <= 1e-12 * expected.abs(), "{coefficient} is not {expected}");
    }
}

#[test]
fn without_a_penalty_the_fit_is_least_squares() {
    let moments = moments(&diabetes(), |_| 1.0);
    let expected = moments.solve(&names(11)).unwrap();
    for penalty in [Ridge { alpha: 0.0 }, ElasticNet { alpha: 0.0, l1_ratio: 1.0 }] {
        let got = fit(&moments, &names(11), penalty).unwrap();
        for (got, expected) in got.original_coefficients().iter().zip(&expected.coefficients) {
            assert!((got - expected).abs() < 1e-12 * expected.abs().max(1.0));
        }
        assert!((got.residual_sum_of_squares / expected.residual_sum_of_squares - 1.0).abs() < 1e-13);
    }
}

#[test]
fn errors_name_constant_columns_and_invalid_settings() {
    let rows = vec![vec![1.0, 0.1, 3.0], vec![2.0, 0.1, 5.0], vec![4.0, 0.1, 1.0]];
    let error = fit(&moments(&rows, |_| 1.0), &names(3), Ridge { alpha: 1.0 }).unwrap_err();
    assert_eq!(error, SolveError::ConstantFeature { name: "x2".into() });
    let moments = moments(&diabetes(), |_| 1.0);
    for (penalty, name) in [
        (Ridge { alpha: -1.0 }, "alpha"),
        (Ridge { alpha: f64::NAN }, "alpha"),
        (ElasticNet { alpha: f64::INFINITY, l1_ratio: 1.0 }, "alpha"),
        (ElasticNet { alpha: 1.0, l1_ratio: 1.5 }, "l1_ratio"),
    ] {
        let error = fit(&moments, &names(11), penalty).unwrap_err();
        assert!(error.to_string().contains(&format!("{name} must be")), "{error}");
    }
}

/// Rows of correlated features, and a target that depends on two of them.
fn rows() -> impl Strategy<Value = Vec<Vec<f64>>> {
    (2..9_usize, 0.0..0.999_f64).prop_flat_map(|(features, common)| {
        prop::collection::vec((prop::collection::vec(-1.0..1.0_f64, features), -1.0..1.0_f64, -1.0..1.0_f64), 3..60)
            .prop_map(move |rows| {
                let row = |(own, shared, noise): (Vec<f64>, f64, f64)| {
                    let mut row: Vec<f64> =
                        own.iter().map(|own| 10.0 + common * shared + (1.0 - common) * own).collect();
                    row.push(3.0 * row[0] - row[1] + 0.5 * noise);
                    row
                };
                rows.into_iter().map(row).collect()
            })
    })
}

/// Checks the conditions of Karush, Kuhn and Tucker: the gradient of the squares, computed from the rows, balances that of the penalty
/// `l1 ‖b‖₁ + ½ l2 ‖b‖²`, with a tolerance relative to the largest possible gradient. Returns the sums of squares of the residuals and
/// of the target.
fn balanced(
    rows: &[Vec<f64>],
    fit: &PenalisedFit,
    [l1, l2]: [f64; 2],
    rounding: f64,
) -> Result<[f64; 2], TestCaseError> {
    let features = fit.coefficients.len();
    let standardised = |row: &Vec<f64>| -> Vec<f64> {
        row.iter().zip(&fit.means).zip(&fit.scales).map(|((x, mean), scale)| (x - mean) / scale).collect()
    };
    let design: Vec<Vec<f64>> = rows.iter().map(standardised).collect();
    let residual = |(row, z): (&Vec<f64>, &Vec<f64>)| row[features] - fit.intercept - dot(z, &fit.coefficients);
    let residuals: Vec<f64> = rows.iter().zip(&design).map(residual).collect();
    let spread: f64 = rows.iter().map(|row| (row[features] - fit.intercept).powi(2)).sum();
    let slack = rounding * (rows.len() as f64 * spread).sqrt();
    for (j, coefficient) in fit.coefficients.iter().enumerate() {
        let pull = design.iter().zip(&residuals).map(|(z, rest)| z[j] * rest).sum::<f64>() - l2 * coefficient;
        if *coefficient == 0.0 {
            prop_assert!(pull.abs() <= l1 + slack, "feature {j} pulls {pull} against {l1}");
        } else {
            prop_assert!((pull - l1.copysign(*coefficient)).abs() <= slack, "feature {j} pulls {pull} against {l1}");
        }
    }
    Ok([dot(&residuals, &residuals), spread])
}

proptest! {
    #[test]
    fn the_fit_is_the_minimum(rows in rows(), fraction in 0.001..0.9_f64, l1_ratio in 0.05..=1.0_f64, ridge in any::<bool>()) {
        let features = rows[0].len() - 1;
        let moments = moments(&rows, |_| 1.0);
        let alpha = fraction * alphas(&moments, l1_ratio, 1)[0];
        let penalty = if ridge { Ridge { alpha } } else { ElasticNet { alpha, l1_ratio } };
        let n = rows.len() as f64;
        let (l1, l2) = if ridge { (0.0, alpha) } else { (n * alpha * l1_ratio, n * alpha * (1.0 - l1_ratio)) };
        let fit = fit(&moments, &names(features + 1), penalty).unwrap();
        prop_assert!(fit.converged && fit.gap <= 1e-12, "{fit:?}");
        let [squares, spread] = balanced(&rows, &fit, [l1, l2], 1e-11)?;
        prop_assert!((squares - fit.residual_sum_of_squares).abs() <= 1e-11 * spread);
    }

    #[test]
    fn a_path_equals_its_single_fits(rows in rows(), l1_ratio in 0.1..=1.0_f64) {
        let moments = moments(&rows, |_| 1.0);
        let names = names(rows[0].len());
        let penalties: Vec<Penalty> =
            alphas(&moments, l1_ratio, 12).into_iter().map(|alpha| ElasticNet { alpha, l1_ratio }).collect();
        for (along, penalty) in path(&moments, &names, &penalties).unwrap().iter().zip(&penalties) {
            let single = fit(&moments, &names, *penalty).unwrap();
            prop_assert!(along.converged && single.converged);
            let largest = single.coefficients.iter().fold(1e-3_f64, |largest, value| largest.max(value.abs()));
            for (along, single) in along.coefficients.iter().zip(&single.coefficients) {
                prop_assert!((along - single).abs() <= 1e-8 * largest, "{along} is not {single}");
            }
        }
    }
}

/// `ZᵀWZ`, by definition.
fn cross_products(fit: &PenalisedFit, rows: &[Vec<f64>], weight: impl Fn(usize) -> f64) -> Vec<Vec<f64>> {
    let features = fit.means.len();
    let mut products = vec![vec![0.0; features]; features];
    for (number, row) in rows.iter().enumerate() {
        let z: Vec<f64> = (0..features).map(|j| (row[j] - fit.means[j]) / fit.scales[j]).collect();
        for i in 0..features {
            for j in 0..features {
                products[i][j] += weight(number) * z[i] * z[j];
            }
        }
    }
    products
}

fn assert_factor(triangle: &UpperTriangle, mut products: Vec<Vec<f64>>, more: f64) {
    for (i, row) in products.iter_mut().enumerate() {
        row[i] += more;
        for (j, expected) in row.iter().enumerate() {
            let entry: f64 = triangle.column(i).iter().zip(triangle.column(j)).map(|(one, other)| one * other).sum();
            assert!((entry - expected).abs() < 1e-9 * more.max(442.0), "{i}, {j}: {entry} is not {expected}");
        }
    }
}

#[test]
fn the_leverage_factor_of_ridge_includes_weights_and_alpha() {
    let rows = diabetes();
    let weight = |row: usize| 1.0 + (row % 3) as f64;
    for alpha in [0.01, 442.0] {
        let fit = fit(&moments(&rows, weight), &names(11), Ridge { alpha }).unwrap();
        assert_factor(&fit.leverage_factor.as_ref().unwrap().triangle, cross_products(&fit, &rows, weight), alpha);
    }
}

#[test]
fn the_degrees_of_freedom_of_ridge_are_those_of_its_hat_matrix() {
    let rows = diabetes();
    let alpha = 30.0;
    let of = |rows: &[Vec<f64>]| fit(&moments(rows, |_| 1.0), &names(11), Ridge { alpha }).unwrap();
    let predicted = |fit: &PenalisedFit, row: &[f64]| {
        let terms = fit.coefficients.iter().enumerate().map(|(j, b)| b * (row[j] - fit.means[j]) / fit.scales[j]);
        fit.intercept + terms.sum::<f64>()
    };
    let whole = of(&rows);
    // Fits are linear in the target: the trace is the sum of the changes of each prediction with its own target.
    let moved: f64 = (0..rows.len())
        .map(|number| {
            let mut rows = rows.clone();
            rows[number][10] += 1000.0;
            (predicted(&of(&rows), &rows[number]) - predicted(&whole, &rows[number])) / 1000.0
        })
        .sum();
    let freedom = whole.leverage_factor.unwrap().degrees_of_freedom.unwrap();
    assert!((freedom - (442.0 - moved)).abs() < 1e-8, "{freedom} is not {}", 442.0 - moved);
}

#[test]
fn the_leverage_factor_of_the_lasso_exists_for_dependent_columns() {
    let rows = diabetes();
    let penalty = ElasticNet { alpha: 1.0, l1_ratio: 1.0 };
    let lasso = fit(&moments(&rows, |_| 1.0), &names(11), penalty).unwrap();
    assert_factor(
        &lasso.leverage_factor.as_ref().unwrap().triangle,
        cross_products(&lasso, &rows, |_| 1.0),
        442.0 * DIAGONAL_INCREMENT,
    );

    let twice: Vec<Vec<f64>> = rows.iter().map(|row| vec![row[0], row[0], row[10]]).collect();
    let factor = fit(&moments(&twice, |_| 1.0), &names(3), penalty).unwrap().leverage_factor.unwrap();
    // A row with equal columns has the leverage of one column; a row with different columns has a high leverage.
    let leverage = |z: [f64; 2]| factor.triangle.solve_transposed(&z).iter().map(|part| part * part).sum::<f64>();
    assert!((leverage([1.0, 1.0]) * 442.0 - 1.0).abs() < 1e-6);
    assert!(leverage([1.0, -1.0]) > 1000.0);
}

#[test]
fn paths_and_very_wide_designs_have_no_leverage_factor() {
    let rows = diabetes();
    let penalty = ElasticNet { alpha: 1.0, l1_ratio: 1.0 };
    assert!(path(&moments(&rows, |_| 1.0), &names(11), &[penalty]).unwrap()[0].leverage_factor.is_none());
    let wide = |features: usize| {
        let value = |row: usize, column: usize| ((row * 7919 + column * column * 104_729) % 1009) as f64;
        let rows: Vec<Vec<f64>> =
            (0..20).map(|row| (0..=features).map(|column| value(row, column)).collect()).collect();
        fit(&moments(&rows, |_| 1.0), &names(features + 1), Ridge { alpha: 1.0 }).unwrap().leverage_factor.is_some()
    };
    assert_eq!([MOST_COLUMNS, MOST_COLUMNS + 1].map(wide), [true, false]);
}
