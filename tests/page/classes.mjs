// Classifiers: the predicted class, the probabilities, the prediction set and the contributions.

import { ask, assert, open, shows } from "./browser.mjs";

await open({ hash: "#iris" }, async (page) => {
  const values = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };
  const fill = async (row) => {
    for (const [name, value] of Object.entries(row)) await page.getByLabel(name, { exact: true }).fill(String(value));
    await shows(page, "#calls pre >> nth=0", JSON.stringify(row));
  };
  await fill(values);
  await shows(page, "#prediction output", "setosa");
  await shows(page, "#lead", "Predicts species (3 classes) from 4 features.");
  const answer = await ask(page, "/models/iris/predict", {
    X: [values],
    interval: 0.95,
    explain: true,
    probabilities: true,
  });

  const bars = page.locator("#detail tbody tr");
  assert.deepEqual(await bars.locator("th").allInnerTexts(), ["setosa", "versicolor", "virginica"]);
  const probabilities = await bars.locator("td[title]").evaluateAll((cells) => cells.map((cell) => Number(cell.title)));
  assert.deepEqual(probabilities, Object.values(answer.probabilities[0]));

  // The prediction set, at the levels that the held-out rows allow.
  assert.deepEqual(answer.prediction_sets, [["setosa"]]);
  await shows(page, ".interval strong", /^setosa$/);
  const between = { sepal_length: 6.3, sepal_width: 2.5, petal_length: 4.9, petal_width: 1.5 };
  await fill(between);
  await shows(page, ".interval", "versicolor, virginica");
  assert.equal((await page.locator("#level option").allInnerTexts()).join(), "80 %,90 %,95 %");
  await shows(page, "#detail", "Conformal, from 33 held-out rows");
  assert.match(await page.locator(".interval").textContent(), /^80 %90 %95 % prediction set: versicolor, virginica$/);
  await fill(values);
  await shows(page, "#prediction output", "setosa");

  // The contributions are those of the predicted class, or of another one.
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
  await page.getByLabel("Class to explain").selectOption("virginica");
  await shows(page, "#reasons caption", "Contributions to the score of virginica: left against it, right for it");
  assert.deepEqual(await sizes(), expected("virginica"));
});

// Of two classes, the second is explained. Of thirty contributions, the ten largest are shown, and all on request.
await open({ hash: "#breast-cancer" }, async (page) => {
  await shows(page, "#reasons caption", "Contributions to the log-odds of malignant: left against it, right for it");
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

// A large prediction set is shown by its size.
await open({ hash: "#iris" }, async (page) => {
  const labels = Array.from({ length: 14 }, (_, position) => `A class that has a long name, number ${position}`);
  await page.route(/predict$/, (route) => route.fulfill({ json: { y: [labels[0]], prediction_sets: [labels] } }));
  await page.getByRole("button", { name: "Reset" }).click();
  await shows(page, ".interval", "prediction set: 14 classes");
  const sideways = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(sideways <= 0);
});
