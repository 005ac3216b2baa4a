// The API documentation: routes by protocol, requests that can be sent, error codes, at two widths in both color schemes.

import { assert, check, open, until } from "./browser.mjs";

const base = process.env.PAGE.replace(/\/+$/, "");
const docs = `${base}/docs`;
const shown = (page) => until(page, () => document.querySelector("#routes:not([aria-busy]) details"));

for (const colorScheme of ["light", "dark"]) {
  for (const width of [360, 1440]) {
    const options = { colorScheme, viewport: { width, height: 800 }, reducedMotion: "reduce" };
    const state = (what) => `${what}, ${colorScheme}, ${width} pixels`;
    await open(options, async (page) => {
      await page.goto(docs);
      await shown(page);
      await check(page, state("the routes"));
      const dark = await page.evaluate(() => matchMedia("(prefers-color-scheme: dark)").matches);
      const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      assert.equal(background === "rgb(248, 250, 252)", !dark, background);
      // With everything open.
      await page.getByText("/v2/models/{model}/infer", { exact: true }).click();
      const operation = page.locator("details.operation[open]");
      // Its parts are made when it opens.
      await operation.getByRole("button", { name: "Send" }).waitFor();
      for (const part of await operation.locator("details > summary").all()) await part.click();
      await operation.getByText("V2InferRequest =").waitFor();
      await operation.getByRole("button", { name: "Send" }).click();
      await operation.getByText("Status 200").waitFor();
      await check(page, state("an operation"));
      await page.goto(`${docs}/errors`);
      await check(page, state("the errors"));
    });
  }
}

await open({ expectedErrors: ["status of 422"] }, async (page) => {
  await page.goto(docs);
  await shown(page);
  // All routes, those of the service first, then the errors.
  const { paths, tags } = await (await page.request.get(`${base}/openapi.json`)).json();
  const headings = await page.getByRole("heading", { level: 2 }).allTextContents();
  assert.deepEqual(headings, [...tags.map(({ name }) => name), "Error codes"]);
  const links = await page.locator("#contents a").allTextContents();
  assert.deepEqual(links, headings);
  const operations = Object.values(paths).flatMap((item) => Object.keys(item));
  assert.equal(await page.locator("details.operation").count(), operations.length);

  // A link to an operation opens it, with a complete request.
  await page.goto(`${docs}#post-/models/iris/predict`);
  const operation = page.locator("details.operation[open]");
  const body = operation.getByLabel("Body");
  assert.deepEqual(Object.keys(JSON.parse(await body.inputValue()).X[0]).length, 4);
  await operation.getByLabel("probabilities").selectOption("true");
  await operation.getByText("Command", { exact: true }).click();
  const command = await operation.getByRole("region", { name: "Command" }).textContent();
  assert.ok(command.startsWith(`curl -s '${base}/models/iris/predict?probabilities=true' \\\n`), command);
  await operation.getByRole("button", { name: "Send" }).click();
  await operation.getByText("Status 200").waitFor();
  assert.match(await operation.getByRole("region", { name: "Answer" }).textContent(), /"probabilities": \[/);
  // The types of the model, and their limits as plain numbers.
  await operation.getByText("Type of the request").click();
  const types = await operation.getByRole("region", { name: "Type of the request" }).textContent();
  assert.ok(types.includes("X: (iris.row | iris.values)[] | iris.columns"), types);
  assert.ok(types.includes("sepal_length: number  // from 4.3 to 7.9 in the training data"), types);
  assert.ok(types.includes("// > 0, ≤ 0.9705;"), types);
  // CSV is sent as such.
  await operation.getByLabel("Example").selectOption({ label: "csv (text/csv)" });
  assert.match(await body.inputValue(), /^sepal_length,sepal_width,petal_length,petal_width\n/);
  await operation.getByRole("button", { name: "Send" }).click();
  await operation.getByText("Status 200").waitFor();
  // An error leads to its cause and its remedy.
  await body.fill("sepal_length\nhigh\n");
  await operation.getByRole("button", { name: "Send" }).click();
  await operation.getByText("Status 422").waitFor();
  await operation.getByText("Statuses and errors").click();
  await operation.getByRole("link", { name: "missing_feature" }).click();
  assert.ok(page.url().endsWith("/docs#error-missing_feature"), page.url());
  const error = page.locator("article:target");
  assert.match(await error.textContent(), /missing_feature 422.*A row lacks a feature\..*Remedy: Send all features/);

  // The place of the URL is shown although the routes above it appear later.
  await page.goto("about:blank");
  await page.goto(`${docs}#error-no_rows`);
  await shown(page);
  const top = await page.locator("#error-no_rows").evaluate((article) => article.getBoundingClientRect().top);
  assert.ok(top >= 0 && top < 1000, `${top}`);
});
