// A CSV file in, a table of predictions out.

import { readFile } from "node:fs/promises";
import { ask, assert, file, open, shows } from "./browser.mjs";

const csv = await readFile("model/diabetes.csv", "utf8");
const lines = csv.trimEnd().split(/\r?\n/);

/** Downloads what the table shows: the file's name and lines. */
async function download(page) {
  const waiting = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download as CSV" }).click();
  const got = await waiting;
  return { name: got.suggestedFilename(), lines: (await readFile(await got.path(), "utf8")).trimEnd().split("\r\n") };
}

// One row is refused below.
await open({ hash: "#diabetes", complaints: ["status of 422"] }, async (page) => {
  // The file is shown with its predictions, and downloaded with all its columns. The intervals are those of the level that is chosen.
  await page.locator("#level").selectOption("0.8");
  await page.setInputFiles("#file", file("diabetes.csv", csv));
  const rows = lines.slice(1).map((line) => line.split(",").slice(0, 10).map(Number));
  const answer = await ask(page, "/models/diabetes/predict", { X: rows, interval: 0.8 });
  const unusual = new Set(answer.warnings.map(({ row }) => row));
  await shows(
    page,
    "#table",
    `442 rows predicted; ${unusual.size} are unlike the training data. Intervals hold the answer with 80 % probability.`,
  );
  const got = await download(page);
  assert.equal(got.name, "diabetes-predicted.csv");
  assert.equal(got.lines[0], `${lines[0]},prediction,prediction_low,prediction_high,warnings`);
  assert.equal(got.lines.length, 443);
  for (const [row, line] of got.lines.slice(1).entries()) {
    const expected = `${[lines[row + 1], answer.y[row], ...answer.interval[row]].join(",")},`;
    assert.ok(line.startsWith(expected), line);
    assert.equal(line.length > expected.length, unusual.has(row), line);
  }
  // The same file, once mended, can be chosen again.
  assert.equal(await page.locator("#file").evaluate((input) => input.files.length), 0);
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
  await shows(page, "#table", "1,100 of 1,200 rows predicted");
  assert.equal((await download(page)).lines.length, 1101);

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
  await shows(page, "#table", "500 of 1,200 rows predicted");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Download as CSV");
  assert.equal((await download(page)).lines.length, 501);
  await page.unroute(/predict$/);

  // Files that cannot be used are refused before anything is asked.
  for (const [text, told] of [
    ["age,bmi\n1,2\n", "x.csv lacks the columns sex, bp, s1, s2, s3, s4, s5, s6. Its first line names age, bmi."],
    ["age\n", "x.csv has no rows under a header."],
    [`${lines[0]}\n1,2\n`, "x.csv, line 2: 2 fields, and the header has 11."],
    [`${lines[0]}\n"1,2\n`, "Line 2: a quote that is not closed"],
    [`age,${lines[0]}\n1,${lines[1]}\n`, "x.csv has two columns age: rename or delete one."],
    [
      `prediction,${lines[0]}\n1,${lines[1]}\n`,
      "x.csv has a column prediction already, where the answers would be: rename it.",
    ],
    [
      Buffer.from(`${lines[0]},Größe\n${lines[1]},1\n`, "latin1"),
      "x.csv is not text in UTF-8: save it as “CSV UTF-8”.",
    ],
    [Buffer.from(`\uFEFF${csv}`, "utf16le"), "x.csv is not text in UTF-8: save it as “CSV UTF-8”."],
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
  await shows(page, "#table", "2 rows predicted. Prediction sets hold the answer with 95 % probability.");
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

// Every row's warnings are told, though an answer tells a hundred; bars separate fields too.
await open({ hash: "#diabetes" }, async (page) => {
  const unusual = lines
    .slice(1, 331)
    .map((line, row) => [row % 3 ? 10 : 500, row % 5 ? 1 : 9, ...line.split(",").slice(2)].join("|"));
  await page.setInputFiles("#file", file("unusual.csv", [lines[0].replaceAll(",", "|"), ...unusual].join("\n")));
  await shows(page, "#table", "330 rows predicted; 330 are unlike the training data.");
  const got = await download(page);
  for (const [row, line] of got.lines.slice(1).entries()) {
    assert.ok(line.includes(`age: ${row % 3 ? 10 : 500} is outside the training range`), line);
    assert.equal(line.includes("sex: 9 is outside"), row % 5 === 0, line);
  }
  await shows(page, "#table thead", "warnings");
});

// A row that has no interval ends the file there, and what was done is kept.
await open({ hash: "#line", complaints: ["status of 422"] }, async (page) => {
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
