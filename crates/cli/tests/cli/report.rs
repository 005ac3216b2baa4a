//! The report as headless Chromium shows it.

#![allow(clippy::cast_precision_loss)] // Handfuls of classes.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ordinate_model::Model;
use ordinate_model::cell::Cell;
use ordinate_test_support::{ModelDocument, column};
use ordinate_train::evaluate::Label;
use ordinate_train::report::{PathPoint, RegularizationPath, ReportData, ReportDataCollector, ReportInput, card, html};
use ordinate_train::solver::moments::Accumulator;
use ordinate_train::summary::{Residuals, Summary};
use serde_json::{Value, json};
use tempfile::tempdir;

fn diabetes() -> (Model, Vec<Vec<f64>>) {
    let root = ordinate_test_support::root();
    let model = Model::from_json(fs::read(root.join("model/diabetes.json")).unwrap()).unwrap();
    let text = fs::read_to_string(root.join("model/diabetes.csv")).unwrap();
    let row = |line: &str| line.split(',').map(|field| field.trim().parse().unwrap()).collect();
    (model, text.lines().skip(1).map(row).collect())
}

fn observed(model: &Model, rows: &[Vec<f64>]) -> ReportData {
    let mut observer = ReportDataCollector::new(model);
    for (number, row) in rows.iter().enumerate() {
        observer.push(row, number % 5 == 0).unwrap();
    }
    observer.finish().unwrap()
}

fn summary(model: &Model, rows: &[Vec<f64>], residuals: &Residuals) -> Summary {
    let names: Vec<String> = model.document().preprocess.columns.iter().map(|column| column.name.clone()).collect();
    let mut accumulator = Accumulator::new(rows[0].clone());
    for row in rows {
        let (target, features) = row.split_last().unwrap();
        accumulator.push_exact(features, *target, &[], 1.0);
    }
    let fit = accumulator.finish().solve(&[names.clone(), vec!["y".to_owned()]].concat()).unwrap();
    Summary::from_least_squares(&fit, &names, "y", 0.95, Some(residuals), None)
}

fn path() -> RegularizationPath {
    let point = |i: u8| {
        let value = 10_f64.powf(1.5 - f64::from(i) / 6.0);
        let mean = 3000.0 + 40.0 * (f64::from(i) - 12.0).powi(2) / 12.0;
        PathPoint { value, mean, standard_error: 140.0, nonzero: Some(usize::from(i / 3 + 1)) }
    };
    RegularizationPath {
        parameter: "alpha".into(),
        score: "mean squared error".into(),
        folds: 5,
        points: (0..24).map(point).collect(),
        selected: point(9).value,
        rule: "one standard error".into(),
    }
}

/// A classifier of a number that may be missing and a category, for `classes` classes.
fn classifier(classes: &[&str]) -> Model {
    let scores: Vec<f64> =
        if classes.len() == 2 { vec![1.3] } else { (0..classes.len()).map(|k| k as f64 - 1.0).collect() };
    let negative: Vec<f64> = scores.iter().map(|score| -0.7 * score).collect();
    let file = ModelDocument::classification("petals", classes, &vec![0.1; scores.len()])
        .set("/version", "3")
        .set("/created", "2026-11-23T12:00:00Z")
        .set("/signature/target/name", "kind")
        .features(json!([
            {"name": "length <cm>", "type": "double", "missing": {"impute": 0.5}, "range": [0.0, 1.0]},
            {"name": "colour", "type": "string", "missing": "reject", "levels": ["blue", "red"], "unknown": "ignore"}
        ]))
        .column(column("length <cm>", json!({"feature": "length <cm>"}), 0.5, 0.25), scores)
        .column(column("colour=red", json!({"feature": "colour", "level": "red"}), 0.5, 0.5), negative)
        .set("/training/rows", 600)
        .set("/training/parameters", json!({"estimator": "logistic", "c": 1.0}))
        .set("/training/seed", 4)
        .set("/training/tool", "ordinate test")
        .file(json!([[1.0, "red"]]));
    Model::from_json(&file).unwrap()
}

fn observed_classes(model: &Model) -> ReportData {
    let classes = model.classes().unwrap().len();
    let mut observer = ReportDataCollector::new(model);
    for i in 0..600_u32 {
        let (u, v) = (f64::from(i * 7919 % 1000) / 1000.0, f64::from(i * 104_729 % 997) / 997.0);
        let length = if i % 50 == 7 { Cell::Missing } else { Cell::Double(u) };
        let colour = if i % 3 == 0 { "red" } else { "blue" };
        let class = ((0.65 * u + 0.35 * v) * classes as f64).floor();
        observer.push_cells(&[length, Cell::Text(colour)], Label::new(class, i % 4 == 0)).unwrap();
    }
    observer.finish().unwrap()
}

/// The names of Chromium in Debian and elsewhere.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// The output of Chromium for a page.
pub(crate) fn browser(folder: &Path, arguments: &[&str], page: &Path) -> String {
    for name in BROWSERS {
        let output = Command::new(name)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
            .args(["--hide-scrollbars", "--virtual-time-budget=2000", "--timeout=30000"])
            .arg(format!("--user-data-dir={}", folder.join("profile").display()))
            .args(arguments)
            .arg(format!("file://{}", page.display()))
            .stdin(Stdio::null())
            .output();
        match output {
            Ok(output) if output.status.success() => return String::from_utf8(output.stdout).unwrap(),
            Ok(output) => panic!("{name} failed: {}", String::from_utf8_lossy(&output.stderr)),
            Err(_) => {}
        }
    }
    panic!("this test needs Chromium: install it, on Debian with `apt-get install -y chromium`");
}

/// The document after Chromium has read it. `REPORT_FOLDER` keeps pages and screenshots for looking at.
fn opened(name: &str, html: &str) -> String {
    let temporary = tempdir().unwrap();
    let kept = std::env::var_os("REPORT_FOLDER").map(PathBuf::from);
    let folder = kept.as_deref().unwrap_or(temporary.path());
    let page = folder.join(format!("{name}.html"));
    fs::write(&page, html).unwrap();
    let screenshot = folder.join(format!("{name}.png"));
    let picture = format!("--screenshot={}", screenshot.display());
    browser(temporary.path(), &[&picture, "--window-size=1440,1200"], &page);
    assert!(fs::metadata(&screenshot).unwrap().len() > 20_000, "an empty page");
    if kept.is_some() {
        let dark = format!("--screenshot={}", folder.join(format!("{name}-dark.png")).display());
        browser(
            temporary.path(),
            &[&dark, "--blink-settings=preferredColorScheme=0", "--window-size=1440,5200"],
            &page,
        );
        let light = format!("--screenshot={}", folder.join(format!("{name}-light.png")).display());
        browser(
            temporary.path(),
            &[&light, "--blink-settings=preferredColorScheme=1", "--window-size=1440,5200"],
            &page,
        );
        let phone = format!("--screenshot={}", folder.join(format!("{name}-phone.png")).display());
        browser(temporary.path(), &[&phone, "--window-size=500,3000"], &page);
        let print = format!("--print-to-pdf={}", folder.join(format!("{name}.pdf")).display());
        browser(temporary.path(), &[&print, "--no-pdf-header-footer"], &page);
    }
    browser(temporary.path(), &["--dump-dom"], &page)
}

/// The visible headings, in order.
fn headings(dom: &str) -> Vec<&str> {
    let after = dom.split("<h2 ").skip(1).chain(std::iter::empty());
    after.map(|rest| rest.split_once('>').unwrap().1.split_once("</h2>").unwrap().0).collect()
}

fn figures(dom: &str) -> Vec<&str> {
    dom.split("<h3>").skip(1).map(|rest| rest.split_once("</h3>").unwrap().0).collect()
}

fn assert_well_made(dom: &str) {
    for never in ["NaN", ">inf", "-inf", "undefined", "<script", "src=", "http:", "https:", "@import", "url("] {
        assert!(!dom.contains(never), "the page has {never:?}");
    }
    // The other elements are curves within a chart, and the labels of axes; the other titles are the tooltips of points.
    let images = dom.matches("role=\"img\"").count();
    assert!(images > 0);
    let named = dom.split("role=\"img\"").skip(1);
    let named = named.filter(|rest| rest.split_once('>').unwrap().1.trim_start().starts_with("<title>"));
    assert_eq!(named.count(), images);
    assert_eq!(dom.matches("<table>").count(), dom.matches("<caption>").count());
    assert_eq!(dom.matches("<th>").count(), 0, "a heading cell without scope");
    assert_eq!(dom.matches("<h1").count(), 1);
    // Markup that Chromium had to repair would be nested wrongly here.
    assert_eq!(dom.matches("<section").count(), headings(dom).len());
    assert_eq!(dom.matches("<section").count(), dom.matches("</section>").count());
}

#[test]
fn the_report_of_a_regression_has_summary_residuals_and_path() {
    let (model, rows) = diabetes();
    let observed = observed(&model, &rows);
    // The bundled model is the fit to all rows.
    let mut all = ReportDataCollector::new(&model);
    for row in &rows {
        all.push(row, false).unwrap();
    }
    let summary = summary(&model, &rows, &all.finish().unwrap().residuals);
    let path = path();
    let notes = ["s1 and s2 are nearly the same <b>".to_owned()];
    let page = html(&ReportInput {
        data: "diabetes.csv",
        summary: Some(&summary),
        report_data: Some(&observed),
        path: Some(&path),
        notes: &notes,
        ..ReportInput::new(model.document())
    });
    let dom = opened("diabetes", &page);
    assert_well_made(&dom);
    let expected =
        ["Data", "Evaluation", "Coefficients", "Residuals", "Influential rows", "Regularization path", "Training"];
    assert_eq!(headings(&dom), expected);
    let expected = [
        "Observed and predicted",
        "Effects",
        "Residuals and predictions",
        "Normal Q–Q",
        "Leverage",
        "Cross-validation",
    ];
    assert_eq!(figures(&dom), expected);
    for said in ["diabetes@1", "353", "7236.39", "2.02854", "46.2724 on 10 and 431", "&lt;b&gt;", "one standard error"]
    {
        assert!(dom.contains(said), "{said} is missing");
    }
    // 442 rows in one chart, the 353 fitted ones in three.
    assert!(dom.matches("<circle").count() >= 442 + 3 * 353);
    assert!(dom.contains("<title>row 442: observed 57, predicted "), "a point has no tooltip");
    // Ten rows with their Cook's distance, the largest first.
    let table = dom.split("Cook's distance</th>").nth(1).unwrap().split("</table>").next().unwrap();
    let distances: Vec<f64> = table
        .split("<tr>")
        .skip(1)
        .map(|row| row.rsplit_once("<td>").unwrap().1.split('<').next().unwrap().parse().unwrap())
        .collect();
    assert!(distances.len() == 10 && distances.is_sorted_by(|one, other| one >= other), "{distances:?}");
}

#[test]
fn the_report_of_a_classifier_has_curves_and_a_confusion_matrix() {
    let model = classifier(&["setosa", "virginica & co"]);
    let observed = observed_classes(&model);
    let page = html(&ReportInput { report_data: Some(&observed), ..ReportInput::new(model.document()) });
    let dom = opened("two-classes", &page);
    assert_well_made(&dom);
    assert_eq!(headings(&dom), ["Data", "Evaluation", "Coefficients", "Training"]);
    assert_eq!(figures(&dom), ["ROC", "Precision and recall", "Thresholds", "Calibration", "Effects"]);
    for said in [
        "Predictions by class of the held-out rows",
        "The dotted line is the threshold that the model uses, 0.5.",
        "virginica &amp; co",
        "Confusion matrix of the held-out rows",
        "length &lt;cm&gt;",
        "12 → 0.5",
        "unknown ones ignored",
    ] {
        assert!(dom.contains(said), "{said} is missing");
    }
}

#[test]
fn three_classes_have_a_curve_and_a_coefficient_each() {
    let model = classifier(&["one", "two", "three"]);
    let observed = observed_classes(&model);
    let page = html(&ReportInput { report_data: Some(&observed), ..ReportInput::new(model.document()) });
    let dom = opened("three-classes", &page);
    assert_well_made(&dom);
    assert_eq!(figures(&dom), ["Calibration", "ROC", "Effects"]);
    assert!(dom.contains("three, per std. dev.") && !dom.contains("Thresholds"));
}

#[test]
fn many_classes_have_a_small_chart_each_and_the_worst_come_first() {
    let names: Vec<String> = (1..=19).map(|class| format!("class {class}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let model = classifier(&names);
    let observed = observed_classes(&model);
    let page = html(&ReportInput { report_data: Some(&observed), ..ReportInput::new(model.document()) });
    let dom = opened("nineteen-classes", &page);
    assert_well_made(&dom);
    let small = dom.split("<ul class=\"small\"").nth(1).unwrap().split("</ul>").next().unwrap();
    let areas: Vec<f64> = small
        .split("</strong>area ")
        .skip(1)
        .map(|rest| rest.split('<').next().unwrap().trim().parse().unwrap())
        .collect();
    // No held-out row is of the last class, so that 18 classes have a curve.
    assert!(areas.len() == 12 && areas.is_sorted(), "{areas:?}");
    assert!(dom.contains("6 more classes are not shown."));
    assert_eq!(dom.matches("class=\"scroll dense\"").count(), 1);
    assert!(dom.contains("Predictions by class of the held-out rows, the lowest F1 first"));
}

#[test]
fn the_model_of_a_threshold_shows_it() {
    let model = classifier(&["no", "yes"]);
    let mut document = model.document().clone();
    document.inference = Some(ordinate_model::inference::Inference { threshold: Some(0.3), ..Default::default() });
    let golden = document.golden.x.clone();
    let model = Model::from_json(document.seal(golden).unwrap().to_json().unwrap().as_bytes()).unwrap();
    let observed = observed_classes(&model);
    let input = ReportInput { report_data: Some(&observed), ..ReportInput::new(model.document()) };
    assert!(html(&input).contains("the threshold that the model uses, 0.3."));
    let card = card(&input);
    assert!(card.contains("`yes` is predicted where its probability is at least 0.3."), "{card}");
    assert!(card.contains("| class | precision | recall | F1 | rows |"), "{card}");
    assert!(card.contains("| column | per unit | per std. dev. |\n|---|---|---|\n| `(intercept)` |"), "{card}");
}

/// statsmodels' `OLSInfluence.cooks_distance`, with the rows from 0.
const COOKS_DISTANCES: [(u64, f64); 10] = [
    (382, 0.024_474_959_836_224_355),
    (123, 0.021_348_082_792_729_17),
    (169, 0.019_559_315_608_095_217),
    (304, 0.018_943_752_669_836_64),
    (92, 0.018_132_894_730_393_17),
    (387, 0.018_120_104_481_682_716),
    (102, 0.017_451_107_100_151_853),
    (141, 0.016_389_607_127_602_79),
    (289, 0.015_459_209_432_125_87),
    (32, 0.015_413_117_356_974_223),
];

#[test]
fn cooks_distance_is_that_of_statsmodels() {
    let (model, rows) = diabetes();
    let mut observer = ReportDataCollector::new(&model);
    for row in &rows {
        observer.push(row, false).unwrap();
    }
    let influential = observer.finish().unwrap().influential;
    let got: Vec<(u64, f64)> = influential.iter().map(|row| (row.row, row.distance)).collect();
    for ((row, distance), (expected_row, expected)) in got.iter().zip(COOKS_DISTANCES) {
        assert!(*row == expected_row && (distance / expected - 1.0).abs() < 1e-9, "{got:?}");
    }
    assert_eq!(got.len(), COOKS_DISTANCES.len());
}

#[test]
fn a_file_alone_makes_a_shorter_report() {
    let (model, _) = diabetes();
    let page = html(&ReportInput::new(model.document()));
    let headings = headings(&page);
    assert_eq!(headings, ["Data", "Evaluation", "Coefficients", "Training"]);
    assert!(page.contains("held out") && !page.contains("NaN"));
}

#[test]
fn a_perfect_fit_has_a_report_too() {
    let bytes = fs::read(ordinate_test_support::root().join("model/line.json")).unwrap();
    let model = Model::from_json(&bytes).unwrap();
    let mut observer = ReportDataCollector::new(&model);
    for x in [1.0, 2.0, 3.0, 4.0] {
        observer.push(&[x, 2.0 * x + 1.0], false).unwrap();
    }
    let seen = observer.finish().unwrap();
    let page = html(&ReportInput { report_data: Some(&seen), ..ReportInput::new(model.document()) });
    assert!(!page.contains("NaN") && !page.contains("id=\"residuals\""));
    assert!(page.contains("not how well it predicts"));
}

#[test]
fn charts_show_a_sample_that_does_not_depend_on_chance() {
    let (model, rows) = diabetes();
    let many: Vec<Vec<f64>> = rows.iter().cycle().take(5000).cloned().collect();
    let (one, two) = (observed(&model, &many), observed(&model, &many));
    assert_eq!((one.rows, one.sample.len()), (5000, 2000));
    assert_eq!(one.sample, two.sample);
    let late = one.sample.iter().filter(|point| point.row >= 2500).count();
    assert!(late.abs_diff(1000) < 20, "{late} of 2000 from the second half");
}

#[test]
fn leverages_sum_to_the_number_of_parameters() {
    let (model, rows) = diabetes();
    let mut observer = ReportDataCollector::new(&model);
    for row in &rows {
        observer.push(row, false).unwrap();
    }
    let leverages: f64 = observer.finish().unwrap().sample.iter().map(|point| point.leverage.unwrap()).sum();
    assert!((leverages - 11.0).abs() < 1e-9, "{leverages}");
}

#[test]
fn the_model_card_has_the_facts_of_the_model() {
    let (model, rows) = diabetes();
    let observed = observed(&model, &rows);
    let input =
        ReportInput { data: "diabetes.csv", report_data: Some(&observed), ..ReportInput::new(model.document()) };
    let text = card(&input);
    for said in [
        "# diabetes\n",
        "Predicts `progression` from 10 features.",
        "| Fit | ordinary least squares, 442 rows |",
        "| `bmi` | number | 18 – 42.2 | rejected |",
        "| metric | held out (89) | baseline | fitted (353) |",
        "The baseline predicts the mean of the target in the fitted rows for every row.",
        "## Limits",
    ] {
        assert!(text.contains(said), "{said:?} is missing from\n{text}");
    }
    let text = card(&ReportInput::new(classifier(&["no", "yes"]).document()));
    assert!(
        text.contains("Classifies `kind` into 2 classes, from 2 features.") && text.contains("not known"),
        "{text}"
    );
    assert!(text.contains("| `colour` | category | `blue`, `red` | rejected |"), "{text}");
}

#[test]
fn a_summary_is_plain_data() {
    let (model, rows) = diabetes();
    let value: Value = serde_json::to_value(summary(&model, &rows, &observed(&model, &rows).residuals)).unwrap();
    assert_eq!(value["terms"].as_array().unwrap().len(), 10);
    assert_eq!(value["intercept"]["name"], "(intercept)");
}

#[test]
fn train_writes_page_and_card() {
    let folder = tempdir().unwrap();
    let mut data = "size,colour,price,weight\n".to_owned();
    for i in 0..300_u32 {
        let (u, v) = (f64::from(i * 7919 % 1000) / 1000.0, f64::from(i * 104_729 % 997) / 997.0);
        let size = if i % 50 == 7 { String::new() } else { format!("{u:.3}") };
        let colour = ["red", "green", "blue"][(i % 3) as usize];
        writeln!(data, "{size},{colour},{:.4},{}", (1.0 + 2.0 * u + v).exp(), 1 + i % 2).unwrap();
    }
    fs::write(folder.path().join("houses.csv"), data).unwrap();
    let train = |arguments: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ordinate"));
        let output = command.arg("train").args(arguments.split(' ')).current_dir(folder.path()).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap())
    };
    let (code, said) = train(
        "houses.csv --target price --weights weight --missing mean --target-transform log --report page.html --card card.md",
    );
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("Durbin–Watson"), "{said}");
    let dom = opened("houses", &fs::read_to_string(folder.path().join("page.html")).unwrap());
    assert_well_made(&dom);
    for said in ["change of log price", "houses.csv", "Normal Q–Q", "6 → 0.", "predictions are medians"] {
        assert!(dom.contains(said), "{said:?} is missing");
    }
    let card = fs::read_to_string(folder.path().join("card.md")).unwrap();
    assert!(card.contains("`houses.csv`") && card.contains("(6 rows)"), "{card}");

    let (code, said) = train("houses.csv --target price --missing mean --estimator lasso --report path.html");
    assert_eq!(code, Some(0), "{said}");
    let page = fs::read_to_string(folder.path().join("path.html")).unwrap();
    assert!(page.contains("Cross-validation: mean squared error over alpha"));

    let (code, said) = train("houses.csv --target price --missing mean --report houses.csv");
    assert_eq!(code, Some(1));
    assert!(said.contains("houses.csv: --report is a data file\nhelp: "), "{said}");
}

#[test]
fn dates_conventions_and_notes_are_in_the_report_and_the_card() {
    let document = ModelDocument::regression("sales", 0.0)
        .set("/signature/ignored", json!(["", "note"]))
        .features(json!([
            {"name": "sold", "type": "date", "missing": "reject", "range": ["2024-01-01", "2024-12-31"],
             "reading": {"dates": ["%d.%m.%Y"]}},
            {"name": "deck", "type": "string", "missing": {"category": "(missing)"}, "levels": ["(missing)", "A"]},
        ]))
        .column(column("sold days", json!({"feature": "sold", "part": "days"}), 0.0, 1.0), 1.0)
        .set("/training/notes", json!(["1 column has missing values: deck (2, own category)"]))
        .file(json!([["2024-01-02", "A"]]));
    let model = Model::from_json(&document).unwrap();
    let mut collector = ReportDataCollector::new(&model);
    for (sold, deck) in
        [("2024-01-02", Cell::Text("A")), ("2024-03-01", Cell::Missing), ("2024-12-31", Cell::Text("A"))]
    {
        collector.push_cells(&[Cell::Text(sold), deck], Label::new(1.0, false)).unwrap();
    }
    let data = collector.finish().unwrap();
    let note = "1 column has missing values: deck (2, own category)".to_owned();
    let input = ReportInput { report_data: Some(&data), notes: &[note], ..ReportInput::new(model.document()) };
    let page = html(&input);
    for text in ["2024-01-02", "2024-12-31", "dates as &quot;%d.%m.%Y&quot;", "(unnamed), note", "→ (missing)"] {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert_eq!(page.matches("1 column has missing values").count(), 1);
    let card = card(&input);
    for text in [
        "| `sold` | date | 2024-01-01 – 2024-12-31 | rejected |",
        "| `deck` | category | `(missing)`, `A` | `(missing)` (1 rows) |",
        "- `sold`: dates as \"%d.%m.%Y\"",
        "Not used: `(unnamed)`, `note`.",
        "> 1 column has missing values: deck (2, own category)",
    ] {
        assert!(card.contains(text), "{text}: {card}");
    }
}
