//! Statistical Reference Datasets of the National Institute of Standards and Technology, linear regression: data and
//! certified values as printed (an exact rational solution gives the same).

#![allow(clippy::unreadable_literal, clippy::excessive_precision)]

use super::LeastSquares;
use super::tests::refined;
use crate::train::longley::LONGLEY;

/// Digits that every certified number has to keep.
const DIGITS: f64 = 9.0;

/// What NIST certifies of a set, the constant first.
struct Certified {
    name: &'static str,
    coefficients: Vec<f64>,
    standard_errors: Vec<f64>,
    residual_standard_deviation: f64,
    r2: f64,
}

/// Decimal digits that agree: the logarithm of the relative error, or of the error where the certified value is 0.
fn digits(got: f64, certified: f64) -> f64 {
    let size = if certified.abs() > 0.0 { certified.abs() } else { 1.0 };
    (-((got - certified).abs() / size).log10()).min(15.0)
}

fn length(vector: &[f64]) -> f64 {
    vector.iter().copied().fold(0.0, f64::hypot)
}

/// The fit in NIST's terms: y = b₀ + Σ bⱼxⱼ.
fn uncentred(fit: &LeastSquares) -> (Vec<f64>, Vec<f64>, f64, f64) {
    let constant = fit.intercept - fit.coefficients.iter().zip(&fit.means).map(|(b, mean)| b * mean).sum::<f64>();
    let sd = fit.residual_variance().unwrap().sqrt();
    // (RᵀR)⁻¹ has the squared lengths of the rows of R⁻¹ on its diagonal; ‖R⁻ᵀ v‖² is vᵀ(RᵀR)⁻¹v.
    let unit = |j: usize| (0..fit.means.len()).map(|i| f64::from(u8::from(i == j))).collect::<Vec<f64>>();
    let of_constant = length(&fit.triangle.solve_transposed(&fit.means)).hypot((1.0 / fit.rows as f64).sqrt());
    let of_features = (0..fit.means.len()).map(|j| length(&fit.triangle.solve_transposed(&unit(j))));
    let explained = length(&fit.triangle.times(&fit.coefficients)).powi(2);
    (
        [&[constant], fit.coefficients.as_slice()].concat(),
        [of_constant].into_iter().chain(of_features).map(|length| sd * length).collect(),
        sd,
        explained / (explained + fit.residual_sum_of_squares),
    )
}

fn holds(certified: &Certified, rows: &[Vec<f64>]) {
    let (coefficients, standard_errors, sd, r2) = uncentred(&refined(rows));
    let worst = |got: &[f64], certified: &[f64]| {
        assert_eq!(got.len(), certified.len());
        got.iter().zip(certified).map(|(got, certified)| digits(*got, *certified)).fold(15.0, f64::min)
    };
    let kept = [
        ("coefficients", worst(&coefficients, &certified.coefficients)),
        ("standard errors", worst(&standard_errors, &certified.standard_errors)),
        ("residual standard deviation", digits(sd, certified.residual_standard_deviation)),
        ("R²", digits(r2, certified.r2)),
    ];
    println!("{}: {kept:.1?}", certified.name);
    for (what, digits) in kept {
        assert!(digits >= DIGITS, "{}: {what} keep {digits:.1} digits", certified.name);
    }
}

/// y = 1 + x + … + x⁵ plus `scale` times a noise, for x = 0 … 20.
fn wampler(scale: f64) -> Vec<Vec<f64>> {
    let noise = [759, -2048, 2048, -2048, 2523, -2048, 2048, -2048, 1838, -2048, 2048];
    let row = |x: u32| {
        let powers = (1..=5).map(|power| f64::from(x).powi(power));
        let y = 1.0 + powers.clone().sum::<f64>() + scale * f64::from(noise[x.min(20 - x) as usize]);
        powers.chain([y]).collect()
    };
    (0..=20).map(row).collect()
}

#[test]
fn wampler_1_is_exact() {
    let certified = Certified {
        name: "Wampler1",
        coefficients: vec![1.0; 6],
        standard_errors: vec![0.0; 6],
        residual_standard_deviation: 0.0,
        r2: 1.0,
    };
    holds(&certified, &wampler(0.0));
}

#[test]
fn wampler_2_is_exact() {
    let certified = Certified {
        name: "Wampler2",
        coefficients: vec![1.0, 0.1, 0.01, 0.001, 0.0001, 0.00001],
        standard_errors: vec![0.0; 6],
        residual_standard_deviation: 0.0,
        r2: 1.0,
    };
    let row = |x: u32| {
        let powers = (0..=5).map(|power| f64::from(x).powi(power));
        // In integers first, so that the data are NIST's decimals.
        let factors = [100_000.0, 10_000.0, 1_000.0, 100.0, 10.0, 1.0];
        let y = powers.clone().zip(factors).map(|(power, factor)| power * factor).sum::<f64>() / 100_000.0;
        powers.skip(1).chain([y]).collect()
    };
    holds(&certified, &(0..=20).map(row).collect::<Vec<_>>());
}

#[test]
fn wampler_3_to_5_keep_their_digits_under_ever_more_noise() {
    let standard_errors =
        [2152.32624678170, 2363.55173469681, 779.343524331583, 101.475507550350, 5.64566512170752, 0.112324854679312];
    for (name, scale, r2) in [
        ("Wampler3", 1.0, 0.999995559025820),
        ("Wampler4", 100.0, 0.957478440825662),
        ("Wampler5", 10_000.0, 0.224668921574940e-2),
    ] {
        let certified = Certified {
            name,
            coefficients: vec![1.0; 6],
            standard_errors: standard_errors.map(|error| error * scale).to_vec(),
            residual_standard_deviation: 2360.14502379268 * scale,
            r2,
        };
        holds(&certified, &wampler(scale));
    }
}

#[test]
fn longley_keeps_its_digits() {
    let certified = Certified {
        name: "Longley",
        coefficients: vec![
            -3482258.63459582,
            15.0618722713733,
            -0.358191792925910e-1,
            -2.02022980381683,
            -1.03322686717359,
            -0.511041056535807e-1,
            1829.15146461355,
        ],
        standard_errors: vec![
            890420.383607373,
            84.9149257747669,
            0.334910077722432e-1,
            0.488399681651699,
            0.214274163161675,
            0.226073200069370,
            455.478499142212,
        ],
        residual_standard_deviation: 304.854073561965,
        r2: 0.995479004577296,
    };
    holds(&certified, &LONGLEY.map(Vec::from));
}

/// A polynomial of degree ten: the powers, rounded to doubles, no longer determine the
/// coefficients to eight digits.
#[test]
fn filip_keeps_what_its_columns_allow() {
    let certified = [
        -1467.48961422980,
        -2772.17959193342,
        -2316.37108160893,
        -1127.97394098372,
        -354.478233703349,
        -75.1242017393757,
        -10.8753180355343,
        -1.06221498588947,
        -0.670191154593408e-1,
        -0.246781078275479e-2,
        -0.402962525080404e-4,
    ];
    let row = |(y, x): (f64, f64)| (1..=10).map(|power| x.powi(power)).chain([y]).collect::<Vec<f64>>();
    let (coefficients, _, sd, r2) = uncentred(&refined(&FILIP.map(row)));
    let worst = coefficients.iter().zip(certified).map(|(got, certified)| digits(*got, certified)).fold(15.0, f64::min);
    println!("Filip: {worst:.1} {:.1} {:.1}", digits(sd, 0.334801051324544e-2), digits(r2, 0.996727416185620));
    // The exact solution for the columns as doubles hold them agrees to 7.7, 9.1 and 11.7 digits.
    assert!(worst > 7.0, "{worst:.1}");
    assert!(digits(sd, 0.334801051324544e-2) > 8.0 && digits(r2, 0.996727416185620) > 9.0);
}

/// y and x.
pub(in crate::train) const FILIP: [(f64, f64); 82] = [
    (0.8116, -6.860120914),
    (0.9072, -4.324130045),
    (0.9052, -4.358625055),
    (0.9039, -4.358426747),
    (0.8053, -6.955852379),
    (0.8377, -6.661145254),
    (0.8667, -6.355462942),
    (0.8809, -6.118102026),
    (0.7975, -7.115148017),
    (0.8162, -6.815308569),
    (0.8515, -6.519993057),
    (0.8766, -6.204119983),
    (0.8885, -5.853871964),
    (0.8859, -6.109523091),
    (0.8959, -5.79832982),
    (0.8913, -5.482672118),
    (0.8959, -5.171791386),
    (0.8971, -4.851705903),
    (0.9021, -4.517126416),
    (0.909, -4.143573228),
    (0.9139, -3.709075441),
    (0.9199, -3.499489089),
    (0.8692, -6.300769497),
    (0.8872, -5.953504836),
    (0.89, -5.642065153),
    (0.891, -5.031376979),
    (0.8977, -4.680685696),
    (0.9035, -4.329846955),
    (0.9078, -3.928486195),
    (0.7675, -8.56735134),
    (0.7705, -8.363211311),
    (0.7713, -8.107682739),
    (0.7736, -7.823908741),
    (0.7775, -7.522878745),
    (0.7841, -7.218819279),
    (0.7971, -6.920818754),
    (0.8329, -6.628932138),
    (0.8641, -6.323946875),
    (0.8804, -5.991399828),
    (0.7668, -8.781464495),
    (0.7633, -8.663140179),
    (0.7678, -8.473531488),
    (0.7697, -8.247337057),
    (0.77, -7.971428747),
    (0.7749, -7.676129393),
    (0.7796, -7.352812702),
    (0.7897, -7.072065318),
    (0.8131, -6.774174009),
    (0.8498, -6.478861916),
    (0.8741, -6.159517513),
    (0.8061, -6.835647144),
    (0.846, -6.53165267),
    (0.8751, -6.224098421),
    (0.8856, -5.910094889),
    (0.8919, -5.598599459),
    (0.8934, -5.290645224),
    (0.894, -4.974284616),
    (0.8957, -4.64454848),
    (0.9047, -4.290560426),
    (0.9129, -3.885055584),
    (0.9209, -3.408378962),
    (0.9219, -3.13200249),
    (0.7739, -8.726767166),
    (0.7681, -8.66695597),
    (0.7665, -8.511026475),
    (0.7703, -8.165388579),
    (0.7702, -7.886056648),
    (0.7761, -7.588043762),
    (0.7809, -7.283412422),
    (0.7961, -6.995678626),
    (0.8253, -6.691862621),
    (0.8602, -6.392544977),
    (0.8809, -6.067374056),
    (0.8301, -6.684029655),
    (0.8664, -6.378719832),
    (0.8834, -6.065855188),
    (0.8898, -5.752272167),
    (0.8964, -5.132414673),
    (0.8963, -4.811352704),
    (0.9074, -4.098269308),
    (0.9119, -3.66174277),
    (0.9228, -3.2644011),
];
