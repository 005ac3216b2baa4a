// Regressions: the prediction, the intervals, the contributions, and ways to fill in the form.

import { ask, assert, open, shows, until } from "./browser.mjs";

const FIRST_ROW = "59,2,32.1,101,157,93.2,38,4,4.8598,87";
const NAMES = ["age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6"];

await open({ hash: "#diabetes" }, async (page) => {
  const field = (name) => page.getByLabel(name, { exact: true });
  const values = () => Promise.all(NAMES.map((name) => field(name).inputValue()));
  const exact = () => page.locator("#prediction output").getAttribute("title");

  // The form starts with an example, which has no warnings.
  const described = await ask(page, "/models/diabetes");
  await shows(page, "#prediction output", /\d/);
  assert.deepEqual(
    await values(),
    NAMES.map((name) => String(described.examples[0][name])),
  );
  assert.equal(await page.locator(".warnings").count(), 0);

  // All models are listed, and the current one has a description.
  assert.deepEqual(await page.locator("#models a").allInnerTexts(), ["line", "diabetes", "iris", "breast-cancer"]);
  assert.equal(await page.locator("#models a[aria-current]").innerText(), "diabetes");
  await shows(
    page,
    "#lead",
    "Predicts progression from 10 features. Version 1, trained on 442 rows. Mean absolute error 41.6 on held-out rows.",
  );

  // A row can be pasted without a header, or with a header in another order.
  await page.getByText("Paste a row").click();
  await field("A row of JSON, or of CSV with or without a header").fill(FIRST_ROW);
  await shows(page, "#row-message", "Filled in 10 values.");
  await shows(page, "#prediction output", /^206$/);
  assert.deepEqual(await values(), FIRST_ROW.split(","));
  await field("A row of JSON, or of CSV with or without a header").fill(
    `id;${[...NAMES].reverse().join(";")}\n7;${FIRST_ROW.split(",").reverse().join(";")}\n`,
  );
  await shows(page, "#row-message", "Filled in 10 values.");
  assert.deepEqual(await values(), FIRST_ROW.split(","));
  await field("A row of JSON, or of CSV with or without a header").fill(
    `age|${NAMES.join("|")}\n1|${FIRST_ROW.replaceAll(",", "|")}`,
  );
  await shows(page, "#row-message", "The header contains age twice.");
  await field("A row of JSON, or of CSV with or without a header").fill("1,2,3");
  await shows(page, "#row-message", "Got 3 values, expected 10 values: age, sex");
  await field("A row of JSON, or of CSV with or without a header").fill("age,bmi\n1,2");
  await shows(page, "#row-message", "Missing in the header: sex, bp, s1");

  // The prediction is that of the API: rounded on the page, exact when copied.
  const row = Object.fromEntries(NAMES.map((name, position) => [name, Number(FIRST_ROW.split(",")[position])]));
  const answer = await ask(page, "/models/diabetes/predict", { X: [row], interval: 0.95, explain: true });
  assert.equal(await exact(), String(answer.y[0]));
  await page.getByRole("button", { name: "Copy the exact answer" }).click();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), String(answer.y[0]));

  // The prediction interval has three digits of its width and is drawn, at the selected level. The confidence interval
  // of the mean is below.
  const [low, high] = answer.interval[0];
  await shows(page, ".interval", `prediction interval: ${low.toFixed(0)} – ${high.toFixed(0)}`);
  const mean = answer.mean_interval[0].map((end) => end.toFixed(1));
  await shows(page, "#detail", `95 % confidence interval of the mean: ${mean.join(" – ")}`);
  assert.equal(await page.locator("svg.scale rect.span").count(), 1);
  await page.locator("#level").selectOption("0.8");
  const narrower = await ask(page, "/models/diabetes/predict", { X: [row], interval: 0.8 });
  await shows(page, ".interval", `${narrower.interval[0][0].toFixed(0)} – ${narrower.interval[0][1].toFixed(0)}`);
  await page.locator("#level").selectOption("0.95");
  await shows(page, ".interval", `${low.toFixed(0)} – ${high.toFixed(0)}`);

  // Contributions are sorted by size and signed, between the average row and the prediction.
  const sizes = Object.entries(answer.explanation.contributions[0]).sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]));
  const rows = page.locator("#reasons tbody tr:not(.sum)");
  assert.deepEqual(
    (await rows.locator("th").allInnerTexts()).map((text) => text.split(" ")[0]),
    sizes.map(([name]) => name),
  );
  assert.deepEqual(
    await rows.locator("td[title]").evaluateAll((cells) => cells.map((cell) => cell.title)),
    sizes.map(([, size]) => String(size)),
  );
  assert.deepEqual(await page.locator("#reasons .sum td").allInnerTexts(), [
    answer.explanation.base.toFixed(1),
    answer.y[0].toFixed(1),
  ]);
  for (const [position, [, size]] of sizes.entries()) {
    assert.equal(await rows.nth(position).locator("rect").getAttribute("class"), size < 0 ? "down" : "up");
  }

  // The command contains the last request.
  const command = await page.locator("#calls pre").nth(0).innerText();
  const base = process.env.PAGE.replace(/\/+$/, "");
  assert.ok(command.startsWith(`curl -s '${base}/models/diabetes/predict' `), command);
  const copied = async (what) => {
    await page.getByRole("button", { name: `Copy the ${what}`, exact: true }).click();
    return page.evaluate(() => navigator.clipboard.readText());
  };
  const request = await copied("request");
  assert.ok(command.includes(`-d '${request}'`));
  assert.deepEqual(JSON.parse(await page.locator("#calls pre").nth(1).innerText()), JSON.parse(request));
  // The response is shown on several lines, and copied unchanged.
  const came = await page.request.post(`${base}/models/diabetes/predict`, {
    data: request,
    headers: { "content-type": "application/json" },
  });
  assert.equal(await copied("response"), await came.text());
  assert.deepEqual(
    JSON.parse(await page.locator("#calls pre").nth(2).innerText()),
    await ask(page, "/models/diabetes/predict", JSON.parse(request)),
  );
  const confirmed = shows(page, "#status", "Copied");
  assert.equal(await copied("code"), command);
  await confirmed;

  // Typing requests a prediction. A value outside the training range has a warning.
  await field("bmi").fill("61");
  await shows(page, ".warnings", "bmi: 61 is outside the training range, 18 to 42.2");
  await shows(page, "#field-2-message", "Outside the training range.");
  assert.equal(await field("bmi").getAttribute("aria-invalid"), null);
  await field("bmi").fill("32.1");
  await shows(page, "#prediction output", /^206$/);
  await shows(page, "#field-2-message", /^$/);

  // Arrow keys step through a field, a slider moves it.
  await field("age").press("ArrowUp");
  assert.equal(await field("age").inputValue(), "60");
  await page
    .locator(".field input[type=range]")
    .first()
    .evaluate((slider) => {
      slider.value = 44.4;
      slider.dispatchEvent(new Event("input"));
    });
  assert.equal(await field("age").inputValue(), "44");

  // The scale grows with the answers, and is that of the row alone when another row is taken.
  const axis = () => page.locator("svg.scale text").allInnerTexts();
  await page.getByRole("button", { name: "Reset" }).click();
  await until(page, () => document.querySelector("#calls pre").textContent.includes('"age":64,'));
  const early = await axis();
  await field("bmi").fill("500");
  await shows(page, ".warnings", "bmi: 500");
  assert.notDeepEqual(await axis(), early);
  await page.getByRole("button", { name: "Reset" }).click();
  await until(page, () => !document.querySelector(".warnings"));
  assert.deepEqual(await axis(), early);

  // A random row is within the ranges, answered, and not unusual.
  const before = await exact();
  await page.getByRole("button", { name: "Random row" }).click();
  await until(page, (old) => document.querySelector("#prediction output")?.title !== old, before);
  await until(page, () => !document.querySelector(".warnings"));
  for (const [position, value] of (await values()).entries()) {
    const [least, most] = described.signature.features[position].range;
    assert.ok(Number(value) >= least && Number(value) <= most, `${value} is not in ${least} to ${most}`);
  }

  // Only the last request counts, even if the response to an earlier one arrives later.
  let held;
  const arrived = new Promise((resolve) => {
    held = resolve;
  });
  let release;
  await page.route(/predict$/, async (route) => {
    if (!route.request().postData().includes('"age":20')) return route.fallback();
    const response = await route.fetch();
    held();
    await new Promise((resolve) => {
      release = resolve;
    });
    return route.fulfill({ response }).catch(() => {});
  });
  await field("age").fill("20");
  await arrived;
  await field("age").fill("70");
  await until(page, () => document.querySelector("#calls pre")?.textContent.includes('"age":70'));
  release();
  await page.waitForTimeout(100);
  assert.ok((await page.locator("#calls pre").first().innerText()).includes('"age":70'));
});

// The address contains the model; going back shows the previous one.
await open({ hash: "#diabetes" }, async (page) => {
  await page.getByRole("link", { name: "line" }).click();
  await shows(page, "#name", /^line$/);
  await shows(page, "#prediction .target", /^y$/);
  await page.getByLabel("x", { exact: true }).fill("1234567");
  await shows(page, "#prediction output", "2,469,135");
  await page.goBack();
  await shows(page, "#name", /^diabetes$/);
});

// Rounding keeps the digits that the width of the interval needs.
await open({ hash: "#line" }, async (page) => {
  await shows(page, ".interval", "The model fits its training rows exactly.");
  for (const [value, ends, shown, interval] of [
    [3.2, [0.0004, 100000], "3.20", "0.000400 – 100,000"],
    [0.00042, [0.00001, 0.02], "0.000420", "0.0000100 – 0.0200"],
    [12345.678, [12345.1, 12346.2], "12,345.68", "12,345.10 – 12,346.20"],
    [1, [0.9999999, 1.0000001], "1.000000000", "0.999999900 – 1.000000100"],
    [-0.00001, [-3, 3], "−0.0000100", "−3.00 to 3.00"],
    [-1.234e12, [-2e12, -5e11], "−1.23T", "−2T to −500B"],
    [12345678, [12345675, 12345681], "12.345678M", "12.345675M – 12.345681M"],
    [1e300, [-1e300, 1.7e308], "1 × 10³⁰⁰", "−1 × 10³⁰⁰ to 1.7 × 10³⁰⁸"],
  ]) {
    await page.route(/predict$/, (route) =>
      route.fulfill({
        json: { y: [value], interval: [ends], explanation: { unit: "target", base: 6, contributions: [{ x: 1 }] } },
      }),
    );
    await page.getByRole("button", { name: "Reset" }).click();
    await shows(page, ".interval", interval);
    assert.equal(await page.locator("#prediction output").innerText(), shown);
    assert.equal(await page.locator("#prediction output").getAttribute("title"), String(value));
    await page.unroute(/predict$/);
  }

  // Small contributions are short and not written as 0; those to logarithms are written as factors.
  const explain = async (explanation, expected) => {
    await page.route(/predict$/, (route) => route.fulfill({ json: { y: [50], interval: [[40, 60]], explanation } }));
    await page.getByRole("button", { name: "Reset" }).click();
    await until(page, (text) => document.querySelector("#reasons").innerText.includes(text), expected[0]);
    assert.deepEqual(await page.locator("#reasons td:last-child").allInnerTexts(), expected);
    const width = await page.locator("#reasons rect").first().getAttribute("width");
    await page.unroute(/predict$/);
    return Number.parseFloat(width);
  };
  const small = { unit: "target", base: 49.97, contributions: [{ x: 0.001, z: -0.0004 }] };
  assert.ok((await explain(small, ["49.97", "< 0.01", "> −0.01", "49.97"])) < 1);
  const factors = { unit: "log-target", base: Math.log(100), contributions: [{ x: Math.log(0.944), z: Math.log(25) }] };
  assert.ok((await explain(factors, ["100", "× 25.0", "−5.6 %", "2,360"])) > 50);
});
