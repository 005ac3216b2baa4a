//! The layout of reports in Chromium at the widths of a phone, a tablet and a desktop.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::tempdir;

use crate::report::browser;

/// In pixels.
const WIDTHS: [u32; 3] = [360, 800, 1440];

/// Rows of three numbers and a target.
fn table(columns: [&str; 3], target: impl Fn(u32, [f64; 3]) -> String) -> String {
    let mut table = format!("{},y\n", columns.join(","));
    for i in 0..400_u32 {
        let [a, b, c] = [7919, 104_729, 1_299_709].map(|prime| f64::from(i * prime % 1009) / 1009.0);
        writeln!(table, "{a:.4},{b:.4},{c:.4},{}", target(i, [a, b, c])).unwrap();
    }
    table
}

/// Reports of several kinds of models: their names, data and options.
fn reports() -> [(&'static str, String, &'static [&'static str]); 6] {
    let names = ["a", "b", "c"];
    let long =
        [1, 2, 3].map(|i| format!("average number of vehicles per hour at crossing {i} of the highway in the morning"));
    let long = [long[0].as_str(), &long[1], &long[2]];
    let class = |classes: f64, [a, b, c]: [f64; 3]| ((0.6 * a + 0.3 * b + 0.1 * c) * classes).floor();
    let office = |i: u32, x| {
        let office = (class(19.0, x) + f64::from(i % 5)) % 19.0;
        format!("department of infrastructure and transport: office {}", 100.0 + office)
    };
    [
        ("two", table(names, |i, x| format!("class {}", class(2.0, x) * f64::from(i % 9).min(1.0))), &[]),
        ("three", table(names, |_, x| format!("class {}", class(3.0, x))), &[]),
        ("nineteen", table(long, office), &["--estimator", "logistic"]),
        (
            "counts",
            table(long, |i, [a, b, _]| (8.0 * a * b + f64::from(i % 3)).floor().to_string()),
            &["--estimator", "poisson"],
        ),
        ("numbers", table(names, |i, [a, b, _]| format!("{:.4}", 1e6 * (a + b) + f64::from(i % 7))), &[]),
        ("path", table(names, |i, [a, ..]| format!("{:.4}", a + f64::from(i % 7))), &["--estimator", "lasso"]),
    ]
}

fn train(folder: &Path, (name, data, options): (&str, String, &[&str])) -> String {
    fs::write(folder.join("data.csv"), data).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_ordinate"));
    command.args(["train", "data.csv", "--target", "y", "--report", "report.html"]).args(options).current_dir(folder);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    fs::read_to_string(folder.join("report.html")).unwrap()
}

/// Lists what is wrong with the page in a frame.
const SCRIPT: &str = r#"
const problems = (view) => {
  const page = view.contentDocument, found = [];
  const all = (selector, parent = page) => [...parent.querySelectorAll(selector)];
  const box = (element) => element.getBoundingClientRect();
  const name = (element) => element.closest("figure")?.querySelector("h3").textContent ?? element.closest("section")?.id;
  const expect = (holds, element, text) => holds || found.push(`${name(element)}: ${text}`);
  for (const element of all("html, section, figure, figure :not(svg, svg *), .small, .small :not(svg, svg *)"))
    expect(element.scrollWidth <= element.clientWidth || !element.clientWidth, element, `${element.tagName} is too wide`);
  for (const section of all("section")) {
    const right = box(section).right - parseFloat(view.contentWindow.getComputedStyle(section).paddingRight);
    const rows = Map.groupBy(all("figure", section), (figure) => box(figure).top);
    for (const figures of [...rows.values(), ...all(".small", section).map((list) => all("li", list))])
      expect(Math.max(...figures.map((one) => box(one).right)) > right - 3, figures[0], "the card is not filled");
    for (const text of all("text", section)) {
      const { left, right, width, height } = box(text);
      expect(!width || height >= 12, text, `${text.textContent} is ${height} pixels high`);
      expect(!width || (left >= box(section).left && right <= box(section).right), text, `${text.textContent} is cut`);
    }
  }
  for (const figure of all("figure"))
    expect(Math.max(...all("svg", figure).map((svg) => box(svg).right)) > box(figure).right - 24, figure, "has room");
  for (const svg of all("svg")) {
    const labels = all("text", svg).filter((text) => box(text).width).map(box);
    const overlap = (one, other) =>
      one !== other && one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;
    expect(!labels.some((one) => labels.some((other) => overlap(one, other))), svg, "labels overlap");
  }
  for (const list of all(".small, .forest")) {
    const names = all("strong, dt", list).map((item) => item.innerText.trim()).filter((text) => text);
    expect(names.length > 0 && new Set(names).size === names.length, list, `names are alike: ${names}`);
  }
  return found.map((text) => `${view.title}: ${text}`);
};
addEventListener("load", () => {
  const found = [...document.querySelectorAll("iframe")].flatMap(problems);
  document.body.replaceChildren(`found ${found.length} problems\n${found.join("\n")}`);
});
"#;

#[test]
fn charts_fill_their_cards_without_scrolling_on_every_screen() {
    let folder = tempdir().unwrap();
    let mut page = format!("<!doctype html><meta charset=utf-8><script>{SCRIPT}</script>");
    for report in reports() {
        let name = report.0;
        let html = train(folder.path(), report).replace('&', "&amp;").replace('"', "&quot;");
        for width in WIDTHS {
            let style = format!("width:{width}px;height:900px;border:0");
            write!(page, "<iframe title=\"{name}, {width} pixels\" style=\"{style}\" srcdoc=\"{html}\"></iframe>")
                .unwrap();
        }
    }
    let file = folder.path().join("frames.html");
    fs::write(&file, page).unwrap();
    let dom = browser(folder.path(), &["--dump-dom"], &file);
    assert!(dom.contains("found 0 problems"), "{}", &dom[dom.find("<body").unwrap_or_default()..]);
}
