//! The time of a fit, compared with scikit-learn on the same numbers: from memory, and from a CSV file to a model.
//!
//! `make bench-train` builds this optimised, installs scikit-learn into `.venv-bench/`, and prints a table in Markdown. Both
//! sides take turns and read the same bytes; figures are medians, the ratio is ours to theirs. Fits from memory have one thread
//! on both sides; from a file to a model both are whole processes, from their start to their end, with all threads that there are.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]
#![allow(clippy::cast_precision_loss)]

use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use ordinate_train::solver::design_rows::{DesignRow, DesignRows};
use ordinate_train::solver::logistic;
use ordinate_train::solver::logistic::LogisticSettings;
use ordinate_train::solver::moments::{Accumulator, Moments};
use ordinate_train::solver::path;
use ordinate_train::solver::path::Penalty;
use ordinate_train::solver::refinement::Refinement;

const ROUNDS: usize = 5;

/// Numbers in memory, row-major, the target last.
struct Data {
    names: Vec<String>,
    values: Vec<f64>,
    width: usize,
}

impl Data {
    /// Features and noise from one generator; the target is linear in the features, or the side of a plane for classes.
    fn generate(rows: usize, features: usize, classes: bool) -> Self {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut uniform = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1_u64 << 53) as f64 - 0.5
        };
        // The sum of four is near enough to normal.
        let mut normal = move || (0..4).map(|_| uniform()).sum::<f64>();
        let width = features + 1;
        let mut values = Vec::with_capacity(rows * width);
        for _ in 0..rows {
            let start = values.len();
            values.extend((0..features).map(|_| normal()));
            let signal: f64 = values[start..].iter().enumerate().map(|(j, x)| x * (j % 7) as f64 / 3.0).sum();
            let target = signal + normal();
            values.push(if classes { f64::from(u8::from(target > 0.0)) } else { target });
        }
        let names = (0..width).map(|j| if j == features { "y".to_owned() } else { format!("x{j}") }).collect();
        Self { names, values, width }
    }

    /// Features, and the class with the highest of as many linear scores with noise.
    fn of_classes(rows: usize, features: usize, classes: usize) -> Self {
        let mut random = Self::generate(rows, features, false);
        let slopes = Self::generate(classes, features, false);
        let noise = Self::generate(rows.div_ceil(features + 1), classes * (features + 1), false);
        // The noise has half the deviation of the scores.
        let scale = (12.0 / features as f64).sqrt();
        for (number, (row, noise)) in
            random.values.chunks_exact_mut(features + 1).zip(noise.values.chunks_exact(classes)).enumerate()
        {
            let (target, features) = row.split_last_mut().unwrap();
            let scores = slopes.rows().zip(noise).map(|(slopes, noise)| {
                scale * features.iter().zip(slopes).map(|(x, slope)| x * slope).sum::<f64>() + noise
            });
            let best = scores.enumerate().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
            // Every class has a row.
            *target = if number < classes { number as f64 } else { best.0 as f64 };
        }
        random
    }

    fn rows(&self) -> impl Iterator<Item = &[f64]> {
        self.values.chunks_exact(self.width)
    }

    fn moments(&self) -> Moments {
        let mut accumulator = Accumulator::new(self.values[..self.width].to_vec());
        for row in self.rows() {
            let (target, features) = row.split_last().unwrap();
            accumulator.push_exact(features, *target, &[], 1.0);
        }
        accumulator.finish()
    }
}

impl DesignRows for Data {
    fn columns(&self) -> &[String] {
        &self.names[..self.width - 1]
    }

    fn scan<E>(&self, each: &mut dyn FnMut(DesignRow<'_>) -> Result<(), E>) -> Result<(), E> {
        for (row, number) in self.rows().zip(0..) {
            let (target, design) = row.split_last().unwrap();
            each(DesignRow { number, design, target: *target, weight: 1.0 })?;
        }
        Ok(())
    }
}

/// The estimator, with its name in scikit-learn.
type Ours = fn(&Data) -> f64;
const FITS: [(&str, &str, usize, usize, Ours); 5] = [
    ("least squares, QR alone", "ols", 100_000, 20, least_squares),
    ("least squares, refined", "ols", 100_000, 20, refined),
    ("least squares, refined", "ols", 1_000_000, 20, refined),
    ("lasso", "lasso", 100_000, 200, lasso),
    ("logistic", "logistic", 100_000, 20, logistic),
];

fn least_squares(data: &Data) -> f64 {
    data.moments().solve(&data.names).unwrap().coefficients[0]
}

fn refined(data: &Data) -> f64 {
    let mut fit = data.moments().solve(&data.names).unwrap();
    for _ in 0..2 {
        let mut refinement = Refinement::new(fit);
        for row in data.rows() {
            let (target, features) = row.split_last().unwrap();
            refinement.push_exact(features, *target, &[], 1.0);
        }
        let changed;
        (fit, changed) = refinement.finish();
        if !changed {
            break;
        }
    }
    fit.coefficients[0]
}

fn lasso(data: &Data) -> f64 {
    let penalty = Penalty::ElasticNet { alpha: 0.01, l1_ratio: 1.0 };
    path::fit(&data.moments(), &data.names, penalty).unwrap().coefficients[3]
}

/// Rows, features and classes of fits that are compared with scikit-learn's default solver, from small ones to large ones.
const SHAPES: [(usize, usize, usize); 20] = [
    (100, 10, 2),
    (150, 4, 3),
    (569, 30, 2),
    (1_000, 20, 5),
    (1_000, 100, 2),
    (180, 239, 24),
    (437, 350, 16),
    (500, 500, 3),
    (200, 2_000, 2),
    (2_000, 2_000, 2),
    (5_000, 50, 10),
    (5_000, 500, 2),
    (5_000, 1_000, 10),
    (20_000, 2, 90),
    (20_000, 20, 2),
    (20_000, 200, 50),
    (20_000, 500, 10),
    (20_000, 2_000, 2),
    (100_000, 20, 5),
    (20_000, 2_000, 50),
];

/// A fit is repeated until this time has passed: the kernel counts in steps of milliseconds.
const SHORT: Duration = Duration::from_millis(200);

/// A round that takes longer is the last.
const LONG: Duration = Duration::from_secs(10);

/// The processor time of this thread in seconds, which other processes hardly change.
fn processor_time() -> f64 {
    let times = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux counts processor time");
    times.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9
}

/// The processor times of classifiers of many shapes.
fn shapes(folder: &Path) {
    let file = folder.join("classes.f64");
    println!("| rows × features × classes | ours, s | passes | gradient | scikit-learn, s | steps | ratio |");
    println!("|---|---|---|---|---|---|---|");
    let is_wanted = |shape: &(usize, usize, usize)| match std::env::var("ORDINATE_BENCH_SHAPE") {
        Ok(only) => only == format!("{}x{}x{}", shape.0, shape.1, shape.2),
        Err(_) => true,
    };
    for (rows, features, classes) in SHAPES.into_iter().filter(is_wanted) {
        let mut theirs = Theirs::start();
        let data = Data::of_classes(rows, features, classes);
        write(&file, &data.values);
        theirs.ask(&format!("load {} {}", file.display(), data.width));
        let (mut our_times, mut their_times) = (Vec::new(), Vec::new());
        let (mut fit, mut steps) = (None, String::new());
        for _ in 0..=ROUNDS {
            let (start, used) = (Instant::now(), processor_time());
            let settings = LogisticSettings { threads: 1, ..LogisticSettings::default() };
            let mut repeated = 0.0;
            while repeated == 0.0 || start.elapsed() < SHORT {
                fit = Some(logistic::fit(&data, classes, &settings).unwrap());
                repeated += 1.0;
            }
            our_times.push((processor_time() - used) / repeated);
            let answer = theirs.ask("fit classes");
            let (seconds, count) = answer.split_once(' ').unwrap();
            their_times.push(seconds.parse().unwrap());
            count.trim_end_matches(".0").clone_into(&mut steps);
            if start.elapsed() > LONG {
                break;
            }
        }
        // The first round warms both up.
        if our_times.len() > 1 {
            our_times.remove(0);
            their_times.remove(0);
        }
        let (ours, theirs) = (median(&mut our_times), median(&mut their_times));
        let fit = fit.unwrap();
        assert!(fit.converged);
        println!(
            "| {rows} × {features} × {classes} | {ours:.4} | {} | {:.0e} | {theirs:.4} | {steps} | {:.2} |",
            fit.iterations,
            fit.gradient,
            ours / theirs
        );
    }
    println!();
}

fn logistic(data: &Data) -> f64 {
    let fit = logistic::fit(data, 2, &LogisticSettings { threads: 1, ..LogisticSettings::default() }).unwrap();
    fit.coefficients[3][0]
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    shapes(folder.path());
    if std::env::var_os("ORDINATE_BENCH_SHAPE").is_some() || std::env::var_os("ORDINATE_BENCH_SHAPES").is_some() {
        return;
    }
    let mut theirs = Theirs::start();
    println!("| what | rows × features | ours, s | scikit-learn, s | ratio | first differing digit |");
    println!("|---|---|---|---|---|---|");
    for (what, name, rows, features, fit) in FITS {
        let data = Data::generate(rows, features, name == "logistic");
        let file = folder.path().join("data.f64");
        write(&file, &data.values);
        theirs.ask(&format!("load {} {}", file.display(), data.width));
        let (mut our_times, mut their_times) = (Vec::new(), Vec::new());
        let (mut our_answer, mut their_answer) = (0.0, 0.0);
        for round in 0..=ROUNDS {
            let start = Instant::now();
            our_answer = fit(&data);
            let our_time = start.elapsed().as_secs_f64();
            let answer = theirs.ask(&format!("fit {name}"));
            let (seconds, coefficient) = answer.split_once(' ').unwrap();
            their_answer = coefficient.parse().unwrap();
            // The first round warms both up.
            if round > 0 {
                our_times.push(our_time);
                their_times.push(seconds.parse().unwrap());
            }
        }
        let (ours, theirs) = (median(&mut our_times), median(&mut their_times));
        let digits = -((our_answer - their_answer).abs() / their_answer.abs()).max(1e-16).log10();
        println!("| {what} | {rows} × {features} | {ours:.3} | {theirs:.3} | {:.2} | {digits:.0} |", ours / theirs);
    }
    println!();
    from_csv(folder.path());
}

/// A CSV file of about `ORDINATE_BENCH_MEGABYTES` (1000) to a model: the command line itself, and a script.
fn from_csv(folder: &Path) {
    let megabytes: usize =
        std::env::var("ORDINATE_BENCH_MEGABYTES").ok().and_then(|text| text.parse().ok()).unwrap_or(1000);
    let features = 20;
    let rows = megabytes * 1_000_000 / ((features + 1) * 20);
    let file = folder.join("data.csv");
    write_csv(&file, &Data::generate(rows, features, false));
    let size = std::fs::metadata(&file).unwrap().len() as f64 / 1e6;

    let threads = std::thread::available_parallelism().unwrap();
    let (mut our_times, mut their_times) = (Vec::new(), Vec::new());
    for round in 0..=3 {
        let mut ours = Command::new(env!("CARGO_BIN_EXE_ordinate"));
        ours.args(["train", "--target", "y", "--test-fraction", "0", "--out"])
            .arg(folder.join("model.json"))
            .arg(&file);
        let mut theirs = python(&threads.to_string());
        theirs.arg(&file).arg(folder.join("model.pickle"));
        let times = [ours, theirs].map(|mut command| {
            let start = Instant::now();
            assert!(command.stdout(Stdio::null()).status().unwrap().success());
            start.elapsed().as_secs_f64()
        });
        // The first round brings the file into memory for both.
        if round > 0 {
            our_times.push(times[0]);
            their_times.push(times[1]);
        }
    }
    let (ours, theirs) = (median(&mut our_times), median(&mut their_times));
    println!(
        "CSV of {size:.0} MB, {rows} × {features}, to a model, whole processes of up to {threads} threads: \
         ours {ours:.2} s, pandas and scikit-learn {theirs:.2} s, ratio {:.2}",
        ours / theirs
    );
}

fn write_csv(file: &Path, data: &Data) {
    let mut out = BufWriter::new(std::fs::File::create(file).unwrap());
    writeln!(out, "{}", data.names.join(",")).unwrap();
    for row in data.rows() {
        let fields: Vec<String> = row.iter().map(f64::to_string).collect();
        writeln!(out, "{}", fields.join(",")).unwrap();
    }
    out.flush().unwrap();
}

fn write(file: &Path, values: &[f64]) {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    std::fs::write(file, bytes).unwrap();
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// benches/train.py with so many threads.
fn python(threads: &str) -> Command {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = folder.join("../..");
    let python = std::env::var_os("ORDINATE_BENCH_PYTHON").map_or(root.join(".venv-bench/bin/python"), PathBuf::from);
    let mut command = Command::new(python);
    command.arg(folder.join("benches/train.py"));
    for variable in ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"] {
        command.env(variable, threads);
    }
    // Meant for older builds of OpenBLAS; they slow a current one down.
    command.env_remove("OPENBLAS_CORETYPE").env_remove("OPENBLAS_L2_SIZE");
    command
}

/// scikit-learn in a process of its own, asked line by line.
struct Theirs {
    process: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Theirs {
    fn start() -> Self {
        let mut command = python("1");
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().expect("scikit-learn is in .venv-bench/: run `make bench-train`");
        let questions = process.stdin.take().unwrap();
        let answers = BufReader::new(process.stdout.take().unwrap());
        Self { process, questions, answers }
    }

    fn ask(&mut self, question: &str) -> String {
        writeln!(self.questions, "{question}").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        assert!(!answer.is_empty(), "no answer to {question:?}");
        answer.trim().to_owned()
    }
}

impl Drop for Theirs {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}
