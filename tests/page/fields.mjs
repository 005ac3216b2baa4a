// A model of every type of feature, with values that may be missing and categories that may be new.

import { assert, open, shows } from "./browser.mjs";

// One row is refused below.
await open({ complaints: ["status of 422"] }, async (page) => {
  const field = (name) => page.getByLabel(name, { exact: true });
  const sent = async (row) => {
    await shows(page, "#calls pre >> nth=0", JSON.stringify(row));
    await shows(page, "#said output", /\d/);
  };
  const row = { "size <m²>": 50, rooms: 4, garden: true, "colour/paint": "blue" };

  // A row to begin with is there at once; the fields take any other.
  await field("size <m²>").fill("50");
  await field("rooms").fill("4");
  await field("garden").selectOption("true");
  await field("colour/paint").selectOption("blue");
  await sent(row);
  assert.deepEqual(await field("garden").locator("option").allInnerTexts(), ["missing", "true", "false"]);
  assert.deepEqual(await field("colour/paint").locator("option").allInnerTexts(), ["blue", "red", "another"]);
  await shows(page, "#field-0-hint", "if empty: 42");

  // What may be missing may be left empty; what must be whole steps by one.
  await field("size <m²>").fill("");
  await field("garden").selectOption({ label: "missing" });
  await field("rooms").press("ArrowDown");
  await sent({ ...row, "size <m²>": null, garden: null, rooms: 3 });

  // A category that is new is told to be so.
  await field("colour/paint").selectOption({ label: "another" });
  await sent({ ...row, "size <m²>": null, garden: null, rooms: 3, "colour/paint": "another" });
  await shows(page, ".warnings", 'colour/paint: "another" was not in the training data');

  // Faults find their field, whatever characters its name has.
  await page.getByText("Paste a row").click();
  await field("A row of CSV, alone or under its header").fill("wide,3,false,red");
  await shows(page, "#field-0-message", 'Expected a number, got the string "wide".');
  await field("A row of CSV, alone or under its header").fill("NA,3,FALSE,red");
  await sent({ "size <m²>": null, rooms: 3, garden: false, "colour/paint": "red" });

  // What a list does not have fills nothing, and not the half of a row; where the model takes any category, it gets it.
  await field("A row of CSV, alone or under its header").fill("60,5,maybe,green");
  await shows(page, "#row-message", 'garden cannot be "maybe": choose it from the list.');
  await sent({ "size <m²>": null, rooms: 3, garden: false, "colour/paint": "red" });
  await field("A row of CSV, alone or under its header").fill("60,5,true,green");
  await sent({ "size <m²>": 60, rooms: 5, garden: true, "colour/paint": "green" });
  await shows(page, ".warnings", 'colour/paint: "green" was not in the training data');
  await shows(page, "#reasons", "green");

  // This model's file says nothing of its errors: it is not asked for what it has not.
  await shows(page, "#said", "This model has no intervals: it was trained without held-out rows.");
  assert.ok(!(await page.locator("#calls pre").first().innerText()).includes("interval"));

  // Who writes a comma for the point is told so.
  await field("size <m²>").fill("4,5");
  await shows(page, "#field-0-message", "Write 4.5.");
});
