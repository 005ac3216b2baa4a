// Models of classes: the class, the probabilities of all, and what speaks for and against each.

import { ask, assert, open, shows } from "./browser.mjs";

await open({ hash: "#iris" }, async (page) => {
  const values = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };
  const fill = async (row) => {
    for (const [name, value] of Object.entries(row)) await page.getByLabel(name, { exact: true }).fill(String(value));
    await shows(page, "#calls pre >> nth=0", JSON.stringify(row));
  };
  await fill(values);
  await shows(page, "#said output", "setosa");
  await shows(page, "#lead", "Tells 3 classes of species apart, from 4 features.");
  const answer = await ask(page, "/models/iris/predict", {
    X: [values],
    interval: 0.95,
    explain: true,
    probabilities: true,
  });

  const bars = page.locator("#detail tbody tr");
  assert.deepEqual(await bars.locator("th").allInnerTexts(), ["setosa", "versicolor", "virginica"]);
  const shares = await bars.locator("td[title]").evaluateAll((cells) => cells.map((cell) => Number(cell.title)));
  assert.deepEqual(shares, Object.values(answer.probabilities[0]));

  // The labels among which it is, as surely as is asked; no more surely than the rows held out can say.
  assert.deepEqual(answer.prediction_sets, [["setosa"]]);
  await shows(page, ".interval strong", /^setosa$/);
  const between = { sepal_length: 6.3, sepal_width: 2.5, petal_length: 4.9, petal_width: 1.5 };
  await fill(between);
  await shows(page, ".interval", "versicolor or virginica");
  assert.equal((await page.locator("#level option").allInnerTexts()).join(), "80 %,90 %,95 %");
  await shows(page, "#detail", "From the errors on 33 rows held out");
  assert.match(
    await page.locator(".interval").textContent(),
    /^With .*95 % probability it is versicolor or virginica$/,
  );
  await fill(values);
  await shows(page, "#said output", "setosa");

  // The class that was chosen is explained, or any other.
  const sizes = async () =>
    (
      await page
        .locator("#reasons tr:not(.sum) td[title]")
        .evaluateAll((cells) => cells.map((cell) => Number(cell.title)))
    ).sort();
  const expected = (label) =>
    Object.values(answer.explanation.contributions[0])
      .map((byClass) => byClass[label])
      .sort();
  assert.deepEqual(await sizes(), expected("setosa"));
  await page.getByLabel("The class that is explained").selectOption("virginica");
  await shows(page, "#reasons caption", "What speaks for virginica (right) and against it (left)");
  assert.deepEqual(await sizes(), expected("virginica"));
});

// Of two classes, the second is explained; of thirty reasons, the ten largest are shown, and all when wanted.
await open({ hash: "#breast-cancer" }, async (page) => {
  await shows(page, "#reasons caption", "What speaks for malignant (right) and against it (left)");
  const rows = page.locator("#reasons tr:not(.sum)");
  assert.equal(await rows.count(), 11);
  await shows(page, "#reasons", "20 others");
  const more = page.getByRole("button", { name: "All 30" });
  await more.focus();
  await page.keyboard.press("Enter");
  assert.equal(await rows.count(), 30);
  await page.keyboard.press("Enter");
  assert.equal(await rows.count(), 11);
});

// Of many labels their number is told.
await open({ hash: "#iris" }, async (page) => {
  const labels = Array.from({ length: 14 }, (_, position) => `A class that has a long name, number ${position}`);
  await page.route(/predict$/, (route) => route.fulfill({ json: { y: [labels[0]], prediction_sets: [labels] } }));
  await page.getByRole("button", { name: "Reset" }).click();
  await shows(page, ".interval", "probability it is one of 14 classes");
  const sideways = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(sideways <= 0);
});
