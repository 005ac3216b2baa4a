// A model with features of all types, missing values and unknown categories.

import { assert, open, shows } from "./browser.mjs";

// The test sends an invalid row.
await open({ expectedErrors: ["status of 422"] }, async (page) => {
  const field = (name) => page.getByLabel(name, { exact: true });
  const sent = async (row) => {
    await shows(page, "#calls pre >> nth=0", JSON.stringify(row));
    await shows(page, "#prediction output", /\d/);
  };
  const row = { "size <m²>": 50, rooms: 4, garden: true, "colour/paint": "blue" };

  // The form starts with an example and accepts other values.
  await field("size <m²>").fill("50");
  await field("rooms").fill("4");
  await field("garden").selectOption("true");
  await field("colour/paint").selectOption("blue");
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
  await field("A CSV row, with or without a header").fill("wide,3,false,red");
  await shows(page, "#field-0-message", 'Expected a number, got the string "wide".');
  await field("A CSV row, with or without a header").fill("NA,3,FALSE,red");
  await sent({ "size <m²>": null, rooms: 3, garden: false, "colour/paint": "red" });

  // A row with a value that is not in a list is not filled in, unless the model ignores unknown categories.
  await field("A CSV row, with or without a header").fill("60,5,maybe,green");
  await shows(page, "#row-message", 'garden: "maybe" is not in the list.');
  await sent({ "size <m²>": null, rooms: 3, garden: false, "colour/paint": "red" });
  await field("A CSV row, with or without a header").fill("60,5,true,green");
  await sent({ "size <m²>": 60, rooms: 5, garden: true, "colour/paint": "green" });
  await shows(page, ".warnings", 'colour/paint: "green" was not in the training data');
  await shows(page, "#reasons", "green");

  // The model has no intervals, so they are not requested.
  await shows(page, "#prediction", "This model has no intervals: it was trained without held-out rows.");
  assert.ok(!(await page.locator("#calls pre").first().innerText()).includes("interval"));

  // A decimal comma has a suggestion.
  await field("size <m²>").fill("4,5");
  await shows(page, "#field-0-message", "Write 4.5.");
});
