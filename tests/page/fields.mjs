// A model of every type of feature, with values that may be missing and categories that may be new.

import { assert, open, shows } from "./browser.mjs";

// One row is refused below.
await open({ complaints: ["status of 422"] }, async (page) => {
  const field = (name) => page.getByLabel(name, { exact: true });
  const sent = async (row) => {
    await shows(page, "#calls pre >> nth=1", JSON.stringify(row));
    await shows(page, "#said output", /\d/);
  };
  const row = { "size <m²>": 50, rooms: 4, garden: true, "colour/paint": "blue" };

  // Numbers start with their mean, categories with the most frequent one.
  await sent(row);
  assert.deepEqual(await field("garden").locator("option").allInnerTexts(), ["missing", "true", "false"]);
  assert.deepEqual(await field("colour/paint").locator("option").allInnerTexts(), [
    "blue",
    "red",
    "another, not in the training data",
  ]);
  await shows(page, "#field-0-hint", "empty means 42");

  // What may be missing may be left empty; what must be whole steps by one.
  await field("size <m²>").fill("");
  await field("garden").selectOption({ label: "missing" });
  await field("rooms").press("ArrowDown");
  await sent({ ...row, "size <m²>": null, garden: null, rooms: 3 });

  // A category that is new is told to be so.
  await field("colour/paint").selectOption({ label: "another, not in the training data" });
  await sent({ ...row, "size <m²>": null, garden: null, rooms: 3, "colour/paint": "another" });
  await shows(page, ".warnings", 'colour/paint: "another" was not in the training data');

  // Faults find their field, whatever characters its name has.
  await page.getByText("Paste a row").click();
  await field("A row of CSV, alone or under its header").fill("wide,3,false,red");
  await shows(page, "#field-0-message", 'Expected a number, got the string "wide".');
  await field("A row of CSV, alone or under its header").fill("NA,3,FALSE,red");
  await sent({ "size <m²>": null, rooms: 3, garden: false, "colour/paint": "red" });
  await field("A row of CSV, alone or under its header").fill("60,3,false,green");
  await shows(page, "#row-message", 'colour/paint cannot be "green": choose it from the list.');
});
