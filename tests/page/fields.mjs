// A model with features of all types, missing values and unknown categories.

import { assert, open, shows } from "./browser.mjs";

// The test sends an invalid row.
await open({ expectedErrors: ["status of 422"] }, async (page) => {
  const field = (name) => page.getByLabel(name, { exact: true });
  const sent = async (row) => {
    await shows(page, "#calls pre >> nth=0", JSON.stringify(row));
    await shows(page, "#prediction output", /\d/);
  };
  const row = {
    "size <m²>": 50,
    rooms: 4,
    garden: true,
    "colour/paint": "blue",
    sold: "2024-03-01",
    deck: "A",
    year: 1987,
  };

  // The form starts with an example and accepts other values.
  await field("size <m²>").fill("50");
  await field("rooms").fill("4");
  await field("garden").selectOption("true");
  await field("colour/paint").selectOption("blue");
  await field("sold").fill("2024-03-01");
  await field("deck").selectOption("A");
  await field("year").fill("1987");
  await sent(row);
  // Whole numbers stay whole, and years have no grouping.
  assert.deepEqual((await page.locator("#field-6-hint").innerText()).split(/\s+/), ["1900", "to", "2020"]);
  await page.getByRole("button", { name: "Random row" }).click();
  assert.match(await field("year").inputValue(), /^\d{4}$/);
  await page.getByRole("button", { name: "Reset" }).click();
  assert.match(await field("sold").inputValue(), /^2024-\d\d-\d\d$/);
  await field("colour/paint").selectOption("blue");
  await field("size <m²>").fill("50");
  await field("rooms").fill("4");
  await field("garden").selectOption("true");
  await field("sold").fill("2024-03-01");
  await field("year").fill("1987");
  await sent(row);
  await page.getByText("Notes on the training data").click();
  await shows(page, "#notes-list", "1 column has missing values: size <m²> (3, median)");

  // A date may be empty where the model imputes it; a level of missing values is the option "missing".
  assert.deepEqual(await field("deck").locator("option").allInnerTexts(), ["missing", "(other)", "A"]);
  await field("sold").focus();
  await shows(page, "#field-4-hint", "if empty: 2024-07-01");
  assert.equal(await field("size <m²>").getAttribute("placeholder"), "42");
  // Hints are visible only at the field with the focus. The mouse shows the range.
  assert.equal(await field("rooms").getAttribute("title"), "1 to 7");
  await field("rooms").focus();
  assert.deepEqual(
    await page
      .locator(".field .hint")
      .evaluateAll((all) => all.filter((one) => one.checkVisibility({ visibilityProperty: true })).map(({ id }) => id)),
    ["field-1-hint"],
  );
  await field("sold").fill("");
  await field("deck").selectOption({ label: "missing" });
  await sent({ ...row, sold: null, deck: null });
  await shows(page, ".warnings", "sold: missing, replaced by 2024-07-01");
  await shows(page, "#field-5-message", "Missing, replaced by (missing).");
  // The contributions are those of the imputed values.
  await shows(page, "#reasons", "sold 2024-07-01 (imputed)");
  await shows(page, "#reasons", "deck (missing) (imputed)");
  await field("sold").fill("2025-02-01");
  await shows(page, ".warnings", "sold: 2025-02-01 is outside the training range, 2024-01-01 to 2024-12-31");
  await field("sold").fill("2024-03-01");
  await field("deck").selectOption("A");
  await sent(row);
  assert.deepEqual(await field("garden").locator("option").allInnerTexts(), ["missing", "true", "false"]);
  assert.deepEqual(await field("colour/paint").locator("option").allInnerTexts(), ["blue", "red", "another"]);
  await shows(page, "#field-0-hint", "if empty: 42");

  // Values with imputation may be empty; integers have steps of one.
  await field("size <m²>").fill("");
  await field("garden").selectOption({ label: "missing" });
  await field("rooms").press("ArrowDown");
  await sent({ ...row, "size <m²>": null, garden: null, rooms: 3 });

  // An unknown category has a warning.
  await field("colour/paint").selectOption({ label: "another" });
  await sent({ ...row, "size <m²>": null, garden: null, rooms: 3, "colour/paint": "another" });
  await shows(page, ".warnings", 'colour/paint: "another" was not in the training data');

  // Errors are shown at their field, with any characters in its name.
  await page.getByText("Paste a row").click();
  await field("A row of JSON, or of CSV with or without a header").fill('wide,3,false,red,1.3.2024,A,"1.987"');
  await shows(page, "#field-0-message", 'Expected a number, got the string "wide".');
  await field("A row of JSON, or of CSV with or without a header").fill('NA,3,FALSE,red,1.3.2024,A,"1.987"');
  await sent({ ...row, "size <m²>": null, rooms: 3, garden: false, "colour/paint": "red" });

  // Rows of JSON by name and by position, and the page's own request.
  const box = field("A row of JSON, or of CSV with or without a header");
  await box.fill(JSON.stringify({ ...row, rooms: 2, "size <m²>": null }));
  await sent({ ...row, rooms: 2, "size <m²>": null });
  await box.fill(JSON.stringify({ X: [Object.values({ ...row, rooms: 6 })], interval: 0.9 }));
  await sent({ ...row, rooms: 6 });
  await page.getByRole("button", { name: "Copy the request" }).click();
  const request = await page.evaluate(() => navigator.clipboard.readText());
  await box.fill(request.replace('"rooms":6', '"rooms":5'));
  await sent({ ...row, rooms: 5 });
  await box.fill('{"rooms":5}');
  await shows(page, "#row-message", "Missing in the row: size <m²>, garden, colour/paint, sold, deck, year.");
  await box.fill("[1,2]");
  await shows(page, "#row-message", "Got 2 values, expected 7 values: size <m²>, rooms");
  await box.fill('NA,3,FALSE,red,1.3.2024,A,"1.987"');

  // A row with a value that is not in a list is not filled in, unless the model ignores unknown categories.
  await field("A row of JSON, or of CSV with or without a header").fill('60,5,maybe,green,1.3.2024,A,"1.987"');
  await shows(page, "#row-message", 'garden: "maybe" is not in the list.');
  await sent({ ...row, "size <m²>": null, rooms: 3, garden: false, "colour/paint": "red" });
  await field("A row of JSON, or of CSV with or without a header").fill('60,5,true,green,1.3.2024,A,"1.987"');
  await sent({ ...row, "size <m²>": 60, rooms: 5, garden: true, "colour/paint": "green" });
  await shows(page, ".warnings", 'colour/paint: "green" was not in the training data');
  await shows(page, "#reasons", "green");

  // A row is read by the conventions of the training file.
  await field("A row of JSON, or of CSV with or without a header").fill("60,5,true,red,1/3/2024,A,1987");
  await shows(page, "#row-message", 'sold: "1/3/2024" is not a date.');
  await field("A row of JSON, or of CSV with or without a header").fill('60,5,true,red,,B,"1.98"');
  await shows(page, "#field-6-message", "Expected a number, got the string");
  await field("A row of JSON, or of CSV with or without a header").fill('60,5,true,red,,(missing),"1.987"');
  await sent({ ...row, "size <m²>": 60, rooms: 5, "colour/paint": "red", sold: null, deck: null });
  await page.setInputFiles("#file", {
    name: "houses.csv",
    mimeType: "text/csv",
    buffer: Buffer.from("rooms;size <m²>;garden;colour/paint;sold;deck;year\n5;60;TRUE;red;1.3.2024;Z;1.987,5\n"),
  });
  await shows(page, "#table", "1 row predicted; 1 with warnings.");
  await shows(page, "#table", 'deck: "Z" was not in the training data');

  // The model has no intervals, so they are not requested.
  await shows(page, "#prediction", "This model has no intervals: it was trained without held-out rows.");
  assert.ok(!(await page.locator("#calls pre").first().innerText()).includes("interval"));

  // A decimal comma has a suggestion.
  await field("size <m²>").fill("4,5");
  await shows(page, "#field-0-message", "Write 4.5.");
});
