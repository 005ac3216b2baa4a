//! Whether intervals hold what they say they hold: by simulation, where the truth is known.

use serde_json::{Value, json};

use super::tests::{assembled, ends};
use crate::model::conformal::Conformal;

/// Simulated data sets for each way to make intervals, each with one new row.
const DATA_SETS: u32 = 2000;

/// `SplitMix64`, and from it normal numbers: the same ones in every run.
struct Random(u64);

impl Random {
    #[allow(clippy::cast_precision_loss)]
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        let (radius, angle) = (-2.0 * (1.0 - self.uniform()).ln(), std::f64::consts::TAU * self.uniform());
        radius.sqrt() * angle.cos()
    }
}

/// One way to make intervals, tried many times.
struct Simulated {
    rows: u64,
    alpha: f64,
    inference: fn(&Fit) -> Value,
}

/// Two features; a fit by the normal equations, which do for data of this kind.
struct Fit {
    degrees_of_freedom: u32,
    residual_variance: f64,
    r: [Vec<f64>; 2],
    held_out: Vec<f64>,
}

impl Simulated {
    /// The share of answers, and that of means (0 where none are told), that lie within their intervals.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        clippy::many_single_char_names
    )]
    fn coverage(&self, family: &str) -> [f64; 2] {
        let mut random = Random(1);
        let mut held = [0_u32; 2];
        for _ in 0..DATA_SETS {
            // Of ridge the prior of which it is the posterior: coefficients of variance σ²/α. Without α any will do.
            let spread = if self.alpha > 0.0 { 1.0 / self.alpha.sqrt() } else { 3.0 };
            let truth = [(); 2].map(|()| spread * random.normal());
            let mean = |x: [f64; 2]| 10.0 + truth[0] * x[0] + truth[1] * x[1];
            // Half of it common to both: they are correlated.
            let draw = |random: &mut Random| {
                let common = random.normal();
                let x = [(); 2].map(|()| 0.7 * (common + random.normal()));
                (x, mean(x) + random.normal())
            };
            let data: Vec<_> = (0..self.rows).map(|_| draw(&mut random)).collect();

            let n = data.len() as f64;
            let centre = [0, 1].map(|side| data.iter().map(|(x, _)| x[side]).sum::<f64>() / n);
            let intercept = data.iter().map(|(_, y)| y).sum::<f64>() / n;
            let (mut gram, mut cross) = ([0.0; 3], [0.0; 2]);
            for (x, y) in &data {
                let z = [x[0] - centre[0], x[1] - centre[1]];
                gram = [gram[0] + z[0] * z[0], gram[1] + z[0] * z[1], gram[2] + z[1] * z[1]];
                cross = [cross[0] + z[0] * (y - intercept), cross[1] + z[1] * (y - intercept)];
            }
            let [a, b, c] = [gram[0] + self.alpha, gram[1], gram[2] + self.alpha];
            let determinant = a * c - b * b;
            let coefficients =
                [(c * cross[0] - b * cross[1]) / determinant, (a * cross[1] - b * cross[0]) / determinant];
            let predict = |x: [f64; 2]| intercept + (0..2).map(|i| coefficients[i] * (x[i] - centre[i])).sum::<f64>();
            // tr(H) = tr(G (G + αI)⁻¹)
            let trace = (gram[0] * c - 2.0 * gram[1] * b + gram[2] * a) / determinant;
            let freedom = n - 1.0 - trace;
            let squares = data.iter().map(|(x, y)| (y - predict(*x)).powi(2)).sum::<f64>();
            let held_out = (0..99).map(|_| draw(&mut random)).map(|(x, y)| (y - predict(x)).abs()).collect();
            let fit = Fit {
                degrees_of_freedom: (freedom + 1e-9) as u32,
                residual_variance: squares / freedom,
                r: [vec![a.sqrt(), b / a.sqrt()], vec![(c - b * b / a).sqrt()]],
                held_out,
            };

            let columns = json!([column("0", centre[0]), column("1", centre[1])]);
            let by_name = json!({"0": coefficients[0], "1": coefficients[1]});
            let estimator = json!({"family": family, "intercept": intercept, "coefficients": by_name});
            let model = assembled(&estimator, &columns, &(self.inference)(&fit), self.rows, "identity").unwrap();
            let (x, y) = draw(&mut random);
            let ends = ends(&model, 0.95, &[&x]).unwrap()[0];
            let within = |[low, high]: [f64; 2], value: f64| u32::from(low <= value && value <= high);
            held[0] += within(ends.prediction, y);
            held[1] += ends.mean.map_or(0, |ends| within(ends, mean(x)));
        }
        let coverage = held.map(|held| f64::from(held) / f64::from(DATA_SETS));
        let [answers, means] = coverage;
        println!("{family}, {} rows: 0.95 intervals hold {answers:.4} of answers, {means:.4} of means", self.rows);
        coverage
    }
}

fn column(name: &str, mean: f64) -> Value {
    json!({"name": name, "product": [{"feature": name}], "mean": mean, "scale": 1.0})
}

fn student(fit: &Fit) -> Value {
    json!({"degrees_of_freedom": fit.degrees_of_freedom, "residual_variance": fit.residual_variance, "r": fit.r})
}

fn conformal(fit: &Fit) -> Value {
    json!({"conformal": Conformal::new(fit.held_out.clone())})
}

#[test]
fn ninety_five_of_a_hundred_answers_and_means_lie_within_their_intervals() {
    let as_said = |coverage: f64| (0.935..=0.965).contains(&coverage);
    let least_squares = Simulated { rows: 12, alpha: 0.0, inference: student };
    assert!(least_squares.coverage("linear").into_iter().all(as_said));
    let ridge = Simulated { rows: 25, alpha: 8.0, inference: student };
    assert!(ridge.coverage("ridge").into_iter().all(as_said));
    let held_out = Simulated { rows: 25, alpha: 8.0, inference: conformal };
    assert!(as_said(held_out.coverage("lasso")[0]));
}
