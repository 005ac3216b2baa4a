// Errors are shown at their place.

import { assert, open, shows } from "./browser.mjs";

const REFUSED = "the server responded with a status of 422";

await open({ hash: "#diabetes", expectedErrors: [REFUSED] }, async (page) => {
  const field = (name) => page.getByLabel(name, { exact: true });
  await field("bmi").fill("high");
  await shows(page, "#field-2-message", 'Expected a number, got the string "high".');
  assert.equal(await field("bmi").getAttribute("aria-invalid"), "true");
  assert.ok((await field("bmi").getAttribute("aria-describedby")).split(" ").includes("field-2-message"));
  await shows(page, "#prediction", "Invalid value: bmi.");
  await field("age").fill("");
  await shows(page, "#field-0-message", "Needs a value.");
  await shows(page, "#prediction", "Invalid value: age, bmi.");

  // Digits are sent unchanged, so a number that a double cannot represent is rejected.
  await field("bmi").fill("9007199254740993");
  await shows(page, "#field-2-message", "9007199254740993");

  // Messages disappear when the values are valid.
  await field("bmi").fill("+030.50");
  await field("age").fill("50");
  await shows(page, "#prediction output", /\d/);
  assert.equal(await page.locator("[aria-invalid]").count(), 0);
  assert.ok((await page.locator("#calls pre").nth(0).innerText()).includes('"bmi":30.50'));
  assert.ok((await page.locator("#calls pre").nth(1).innerText()).includes('"bmi": 30.50'));
});

// Without a connection there is a message, and the next request is sent.
await open({ hash: "#line", expectedErrors: ["ERR_FAILED", "status of 503"] }, async (page) => {
  await page.route(/predict$/, (route) => route.abort());
  await page.getByLabel("x", { exact: true }).fill("2");
  await shows(page, "#prediction", "No response from the service. Check that it runs and that you are online.");
  await page.unroute(/predict$/);
  await page.getByLabel("x", { exact: true }).fill("3");
  await shows(page, "#prediction output", "7");

  await page.route(/models$/, (route) =>
    route.fulfill({ status: 503, json: { detail: "the model cannot be loaded at the moment" } }),
  );
  await page.reload();
  await shows(page, "#trouble", "the model cannot be loaded at the moment");
  await page.unroute(/models$/);
  await page.getByRole("button", { name: "Try again" }).click();
  await page.locator("#prediction output").waitFor();
  assert.equal(await page.locator("#trouble").isVisible(), false);
  assert.equal(await page.evaluate(() => document.activeElement.id), "name");

  // If a model cannot be loaded, the form of the previous model is hidden.
  await page.route(/models\/iris$/, (route) => route.fulfill({ status: 503, json: { Message: "gone for lunch" } }));
  await page.getByRole("link", { name: "iris" }).click();
  await shows(page, "#trouble", "gone for lunch");
  assert.equal(await page.locator("#model").isVisible(), false);
  await page.getByRole("link", { name: "diabetes" }).click();
  await shows(page, "#name", "diabetes");
  assert.equal(await page.locator("#trouble").isVisible(), false);
});

// After a value without an interval, the next value has one.
await open({ hash: "#line", expectedErrors: [REFUSED] }, async (page) => {
  await page.getByLabel("x", { exact: true }).fill("1e307");
  await shows(page, "#prediction", /too large/i);
  await page.getByLabel("x", { exact: true }).fill("2");
  await shows(page, "#prediction output", /^5$/);
  assert.ok((await page.locator("#calls pre").first().innerText()).includes('"interval":0.95'));
});

// Copying works without the clipboard API.
await open({ hash: "#line" }, async (page) => {
  await page.evaluate(() => Object.defineProperty(navigator, "clipboard", { value: undefined }));
  const command = await page.locator("#calls pre").first().innerText();
  const button = page.getByRole("button", { name: "Copy the code" });
  await button.focus();
  await page.keyboard.press("Enter");
  await shows(page, "#calls", "Copied");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Copied");
  await page.getByText("Paste a row").click();
  await page.locator("#row").focus();
  await page.keyboard.press("Control+V");
  assert.equal(await page.locator("#row").inputValue(), command);
});

// Intervals, contributions and probabilities that the service does not support are omitted.
await open({ hash: "#line", expectedErrors: [REFUSED] }, async (page) => {
  await page.route(/predict$/, (route) => {
    const rejected = ["interval", "explain"].filter((key) => key in JSON.parse(route.request().postData()));
    if (rejected.length === 0) return route.fulfill({ json: { y: [5] } });
    const errors = rejected.map((key) => ({
      pointer: `#/${key}`,
      code: "unknown_key",
      detail: `the key "${key}" is not understood`,
    }));
    return route.fulfill({ status: 422, json: { code: "unknown_key", detail: errors[0].detail, errors } });
  });
  await page.reload();
  await shows(page, "#prediction output", "5");
  assert.equal(await page.locator("#why").isVisible(), false);

  await page.route(/predict$/, (route) => {
    if (!("interval" in JSON.parse(route.request().postData()))) return route.fulfill({ json: { y: [5] } });
    return route.fulfill({
      status: 422,
      json: { code: "no_interval", detail: "the model was saved without what an interval needs" },
    });
  });
  await page.reload();
  await shows(page, "#prediction", "No interval: the model was saved without what an interval needs.");

  // Another level may have an interval.
  await page.route(/predict$/, (route) => {
    const { interval } = JSON.parse(route.request().postData());
    if (interval === undefined) return route.fulfill({ json: { y: [5] } });
    if (interval <= 0.8) return route.fulfill({ json: { y: [5], interval: [[4, 6.5]] } });
    const detail = "the level 0.95 needs 19 held-out rows, the model has 9. Ask for a lower level";
    const errors = [{ pointer: "#/interval", code: "no_interval", detail }];
    return route.fulfill({ status: 422, json: { code: "no_interval", detail, errors } });
  });
  await page.reload();
  await shows(page, "#prediction", "No interval: the level 0.95 needs 19 held-out rows");
  await page.locator("#level").selectOption("0.8");
  await shows(page, ".interval", "4.00 – 6.50");
});

// Text of models and responses is not interpreted as HTML.
await open({ hash: "#line" }, async (page) => {
  const markup = "<img src=x onerror=document.title='wrong'>";
  await page.route(/predict$/, (route) =>
    route.fulfill({
      json: {
        y: [5],
        warnings: [{ row: 0, feature: markup, message: markup }],
        explanation: { base: 1, contributions: [{ [markup]: 4 }] },
      },
    }),
  );
  await page.reload();
  await shows(page, ".warnings", markup);
  await shows(page, "#reasons", markup);
  assert.equal(await page.locator("img").count(), 0);
});
