// Prediction of CSV files.

import { readFile } from "node:fs/promises";
import { ask, assert, file, open, shows } from "./browser.mjs";

const csv = await readFile("model/diabetes.csv", "utf8");
const lines = csv.trimEnd().split(/\r?\n/);

/** Downloads the predictions, and returns the name and the lines of the file. */
async function download(page) {
  const waiting = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download as CSV" }).click();
  const got = await waiting;
  return { name: got.suggestedFilename(), lines: (await readFile(await got.path(), "utf8")).trimEnd().split("\r\n") };
}

// The test sends an invalid row.
await open({ hash: "#diabetes", expectedErrors: ["status of 422"] }, async (page) => {
  // The table shows the file with predictions, and the download has all columns. The intervals have the selected level.
  await page.locator("#level").selectOption("0.8");
  await page.setInputFiles("#file", file("diabetes.csv", csv));
  const rows = lines.slice(1).map((line) => line.split(",").slice(0, 10).map(Number));
  const answer = await ask(page, "/models/diabetes/predict", { X: rows, interval: 0.8 });
  const unusual = new Set(answer.warnings.map(({ row }) => row));
  await shows(page, "#table", `442 rows predicted with 80 % prediction intervals; ${unusual.size} with warnings.`);
  const got = await download(page);
  assert.equal(got.name, "diabetes-predicted.csv");
  assert.equal(got.lines[0], `${lines[0]},prediction,prediction_low,prediction_high,warnings`);
  assert.equal(got.lines.length, 443);
  for (const [row, line] of got.lines.slice(1).entries()) {
    const expected = `${[lines[row + 1], answer.y[row], ...answer.interval[row]].join(",")},`;
    assert.ok(line.startsWith(expected), line);
    assert.equal(line.length > expected.length, unusual.has(row), line);
  }
  // The same file can be chosen again.
  assert.equal(await page.locator("#file").evaluate((input) => input.files.length), 0);
  assert.equal(await page.locator("#table tbody tr").count(), 100);

  // The error of an invalid row names row and line; the rows before it are kept.
  const many = [lines[0], ...Array.from({ length: 1200 }, (_, row) => lines[1 + (row % 442)])];
  many[1101] = many[1101].replace(/^[^,]*/, "old");
  await page.setInputFiles("#file", file("people.csv", many.join("\r\n")));
  await shows(
    page,
    "#table",
    'Row 1,101 (line 1102 of the file): feature "age" expected a number, got the string "old".',
  );
  await shows(page, "#table", "1,100 of 1,200 rows predicted with 80 % prediction intervals");
  assert.equal((await download(page)).lines.length, 1101);

  // Cancelling keeps the predictions so far.
  let requests = 0;
  await page.route(/predict$/, async (route) => {
    requests += 1;
    if (requests === 2) return;
    await route.fallback();
  });
  await page.setInputFiles("#file", file("people.csv", [lines[0], ...Array(1200).fill(lines[1])].join("\n")));
  await shows(page, ".progress", "500 of 1,200 rows");
  await page.keyboard.press("Enter");
  await shows(page, "#table", "Cancelled.");
  await shows(page, "#table", "500 of 1,200 rows predicted");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Download as CSV");
  assert.equal((await download(page)).lines.length, 501);
  await page.unroute(/predict$/);

  // Invalid files are rejected before the first request.
  for (const [text, message] of [
    ["age,bmi\n1,2\n", "x.csv: missing columns sex, bp, s1, s2, s3, s4, s5, s6. Its header is age, bmi."],
    [lines.slice(1, 3).join("\n"), "x.csv has no header: add a first line with the column names age, sex, bmi"],
    ["age\n", "x.csv needs a header and at least one row."],
    [`${lines[0]}\n1,2\n`, "x.csv, line 2: got 2 fields, expected 11 as in the header."],
    [`${lines[0]}\n"1,2\n`, "Line 2: an unclosed quote"],
    [`age,${lines[0]}\n1,${lines[1]}\n`, "x.csv has two columns named age: rename or delete one."],
    [`prediction,${lines[0]}\n1,${lines[1]}\n`, "x.csv already has a column named prediction: rename it."],
    [
      Buffer.from(`${lines[0]},Größe\n${lines[1]},1\n`, "latin1"),
      "x.csv is not text in UTF-8: save it as “CSV UTF-8”.",
    ],
    [Buffer.from(`\uFEFF${csv}`, "utf16le"), "x.csv is not text in UTF-8: save it as “CSV UTF-8”."],
  ]) {
    await page.setInputFiles("#file", file("x.csv", text));
    await shows(page, "#table", message);
  }
});

// There is a column of probabilities per class. Quotes, delimiters and a byte order mark are read. A file can be
// dropped.
await open({ hash: "#iris" }, async (page) => {
  const text =
    '\uFEFFname;petal_width;petal_length;sepal_width;sepal_length\r\n"a; ""b""";0.2;1.4;3.5;5.1\r\nc;2.5;6;3.3;6.3\r\n';
  const transfer = await page.evaluateHandle((text) => {
    const made = new DataTransfer();
    made.items.add(new File([text], "flowers.txt"));
    return made;
  }, text);
  await page.dispatchEvent("#drop", "drop", { dataTransfer: transfer });
  await shows(page, "#table", "2 rows predicted with 95 % prediction sets.");
  assert.deepEqual(await page.locator("#table thead th").allInnerTexts(), [
    "Row",
    "prediction",
    "prediction_set",
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

// All warnings are shown, although a response lists a hundred at most. The delimiter may be a bar.
await open({ hash: "#diabetes" }, async (page) => {
  const unusual = lines
    .slice(1, 331)
    .map((line, row) => [row % 3 ? 10 : 500, row % 5 ? 1 : 9, ...line.split(",").slice(2)].join("|"));
  await page.setInputFiles("#file", file("unusual.csv", [lines[0].replaceAll(",", "|"), ...unusual].join("\n")));
  await shows(page, "#table", "330 rows predicted with 95 % prediction intervals; 330 with warnings.");
  const got = await download(page);
  for (const [row, line] of got.lines.slice(1).entries()) {
    assert.ok(line.includes(`age: ${row % 3 ? 10 : 500} is outside the training range`), line);
    assert.equal(line.includes("sex: 9 is outside"), row % 5 === 0, line);
  }
  await shows(page, "#table thead", "warnings");

  // The column of warnings is hidden if the rows of the table have none; the download has those of all rows.
  const usual = [...Array(150).fill(lines[1]), lines[1].replace(/^[^,]*/, "10")];
  await page.setInputFiles("#file", file("usual.csv", [lines[0], ...usual].join("\n")));
  await shows(page, "#table", "151 rows predicted with 95 % prediction intervals; 1 with warnings.");
  const shown = ["Row", "prediction", "prediction_low", "prediction_high", ...lines[0].split(",")];
  assert.deepEqual(await page.locator("#table thead th").allInnerTexts(), shown);
  assert.equal(await page.locator("#table tbody tr").first().locator("th, td").count(), shown.length);
  assert.ok((await download(page)).lines[151].includes("age: 10 is outside the training range, 19 to 79"));
});

// A row without an interval stops the prediction, and the predictions so far are kept.
await open({ hash: "#line", expectedErrors: ["status of 422"] }, async (page) => {
  const values = Array.from({ length: 1200 }, (_, row) => (row === 700 ? "1e307" : (row % 4) + 1));
  await page.setInputFiles("#file", file("o.csv", `x\n${values.join("\n")}\n`));
  await shows(page, "#table", /[57]00 of 1,200 rows predicted/);
  await shows(page, "#table", /too large/i);
  assert.deepEqual((await download(page)).lines.slice(0, 3), [
    "x,prediction,prediction_low,prediction_high",
    "1,3,3,3",
    "2,5,5,5",
  ]);
});
