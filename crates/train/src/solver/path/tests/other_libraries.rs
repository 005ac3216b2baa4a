//! Penalised fits compared with those of scikit-learn and smartcore.

// Recorded numbers have the digits of their source.
#![allow(clippy::unreadable_literal, clippy::excessive_precision, clippy::float_cmp)]

use super::super::Penalty::{ElasticNet, Ridge};
use super::super::*;
use super::{diabetes, moments, names};
use smartcore::linalg::basic::arrays::Array;
use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::linear::ridge_regression::{RidgeRegression, RidgeRegressionParameters};

type Recorded = (Penalty, f64, &'static [f64]);

/// scikit-learn 1.9.1: `Z = StandardScaler().fit(X, sample_weight=w).transform(X)`, then
/// `Ridge(alpha, solver="cholesky")`, `Lasso(alpha, tol=1e-16, max_iter=10**7)` or `ElasticNet(alpha, l1_ratio=.5, …)`
/// `.fit(Z, y, sample_weight=w)`; printed are penalty, `intercept_` and `coef_`.
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
