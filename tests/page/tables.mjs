// A CSV file in, a table of predictions out.

import { readFile } from "node:fs/promises";
import { ask, assert, file, open, shows } from "./browser.mjs";

const csv = await readFile("model/diabetes.csv", "utf8");
const lines = csv.trimEnd().split(/\r?\n/);

// One row is refused below.
await open({ hash: "#diabetes", complaints: ["status of 422"] }, async (page) => {
  const download = async () => {
    const waiting = page.waitForEvent("download");
    await page.getByRole("button", { name: "Download as CSV" }).click();
    const got = await waiting;
    return { name: got.suggestedFilename(), lines: (await readFile(await got.path(), "utf8")).trimEnd().split("\r\n") };
  };

  // The file is shown with its predictions, and downloaded with all its columns.
  await page.setInputFiles("#file", file("diabetes.csv", csv));
  await shows(page, "#table", "442 rows predicted.");
  const got = await download();
  assert.equal(got.name, "diabetes-predicted.csv");
  assert.equal(got.lines[0], `${lines[0]},prediction,prediction_low,prediction_high`);
  assert.equal(got.lines.length, 443);
  const rows = lines.slice(1).map((line) => line.split(",").slice(0, 10).map(Number));
  const answer = await ask(page, "/models/diabetes/predict", { X: rows, interval: 0.95 });
  for (const [row, line] of got.lines.slice(1).entries()) {
    assert.equal(line, [lines[row + 1], answer.y[row], ...answer.interval[row]].join(","));
  }
  assert.equal(await page.locator("#table tbody tr").count(), 100);

  // A row that is refused is named by row and line; the ones before it are kept.
  const many = [lines[0], ...Array.from({ length: 1200 }, (_, row) => lines[1 + (row % 442)])];
  many[1101] = many[1101].replace(/^[^,]*/, "old");
  await page.setInputFiles("#file", file("people.csv", many.join("\r\n")));
  await shows(
    page,
    "#table",
    'Row 1,101 (line 1102 of the file) is refused. Feature "age" expected a number, got the string "old".',
  );
  await shows(page, "#table", "1,100 of 1,200 rows predicted.");
  assert.equal((await download()).lines.length, 1101);

  // Cancelling keeps what is done.
  let asked = 0;
  await page.route(/predict$/, async (route) => {
    asked += 1;
    if (asked === 2) return;
    await route.fallback();
  });
  await page.setInputFiles("#file", file("people.csv", [lines[0], ...Array(1200).fill(lines[1])].join("\n")));
  await shows(page, ".progress", "500 of 1,200 rows");
  await page.keyboard.press("Enter");
  await shows(page, "#table", "Cancelled.");
  await shows(page, "#table", "500 of 1,200 rows predicted.");
  assert.equal((await download()).lines.length, 501);
  await page.unroute(/predict$/);

  // Files that cannot be used are refused before anything is asked.
  for (const [text, told] of [
    ["age,bmi\n1,2\n", "x.csv lacks the columns sex, bp, s1, s2, s3, s4, s5, s6. Its first line names age, bmi."],
    ["age\n", "x.csv has no rows under a header."],
    [`${lines[0]}\n1,2\n`, "x.csv, line 2: 2 fields, and the header has 11."],
    [`${lines[0]}\n"1,2\n`, "Line 2: a quote that is not closed"],
  ]) {
    await page.setInputFiles("#file", file("x.csv", text));
    await shows(page, "#table", told);
  }
});

// Classes get a column of probability each; quotes, delimiters and a byte order mark are understood; a file can be dropped.
await open({ hash: "#iris" }, async (page) => {
  const text =
    '\uFEFFname;petal_width;petal_length;sepal_width;sepal_length\r\n"a; ""b""";0.2;1.4;3.5;5.1\r\nc;2.5;6;3.3;6.3\r\n';
  const transfer = await page.evaluateHandle((text) => {
    const made = new DataTransfer();
    made.items.add(new File([text], "flowers.txt"));
    return made;
  }, text);
  await page.dispatchEvent("#drop", "drop", { dataTransfer: transfer });
  await shows(page, "#table", "2 rows predicted.");
  assert.deepEqual(await page.locator("#table thead th").allInnerTexts(), [
    "Row",
    "prediction",
    "probability_setosa",
    "probability_versicolor",
    "probability_virginica",
    "name",
    "petal_width",
    "petal_length",
    "sepal_width",
    "sepal_length",
  ]);
  assert.deepEqual(await page.locator("#table tbody td:nth-child(2)").allInnerTexts(), ["setosa", "virginica"]);
  await shows(page, "#table", 'a; "b"');
});
