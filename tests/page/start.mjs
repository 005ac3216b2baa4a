// The start of the page: what Ordinate is, the links, the first model, and a screen without scrolling.

import { assert, open, shows } from "./browser.mjs";

const base = process.env.PAGE.replace(/\/+$/, "");

// The default model `line` has a single feature, so the page starts with the next one.
await open({}, async (page) => {
  await shows(page, "#name", /^diabetes$/);
  assert.equal(await page.locator("#models a[aria-current]").innerText(), "diabetes");
  await shows(page, "header", "Trains and serves linear models: predictions with intervals and the contribution of");
  await page.getByRole("link", { name: "line" }).click();
  await shows(page, "#name", /^line$/);
  await page.goBack();
  await shows(page, "#name", /^diabetes$/);

  // The links lead to the documentation of this service, with its stage or base path.
  for (const [name, path, type] of [
    ["API documentation", "/docs", "text/html; charset=utf-8"],
    ["OpenAPI", "/openapi.json", "application/json"],
  ]) {
    const url = await page.getByRole("link", { name, exact: true }).evaluate((link) => link.href);
    assert.equal(url, base + path);
    const response = await page.request.get(url);
    assert.deepEqual([response.status(), response.headers()["content-type"]], [200, type]);
  }
});

// A model in the address may have a version. An unknown model is replaced by the first, with the error of the service.
await open({ hash: "#iris@1" }, async (page) => {
  await shows(page, "#name", /^iris@1$/);
  assert.equal(await page.locator("#models a[aria-current]").innerText(), "iris");
  await shows(page, "#calls pre >> nth=0", `${base}/models/iris@1/predict`);
});
await open({ hash: "#irs", expectedErrors: ["status of 404"] }, async (page) => {
  await shows(page, "#name", /^diabetes$/);
  await shows(page, "#unknown", /no model "irs".*did you mean "iris"\?.* This is diabetes\./s);
  await page.getByRole("link", { name: "line" }).click();
  await shows(page, "#name", /^line$/);
  assert.ok(!(await page.locator("#unknown").isVisible()));
});

// The first one that can be loaded is shown; the default one if no other can.
await open({ expectedErrors: ["status of 503"] }, async (page) => {
  const fail = (route) => route.fulfill({ status: 503, json: { detail: "gone" } });
  await page.route(/models\/diabetes$/, fail);
  await page.reload();
  await shows(page, "#name", /^iris$/);
  await page.route(/models\/(iris|breast-cancer)$/, fail);
  await page.reload();
  await shows(page, "#name", /^line$/);
  await page.unroute(/models\/(iris|breast-cancer)$/, fail);
  await page.route(/models\/line$/, fail);
  await page.reload();
  await shows(page, "#name", /^iris$/);
});

// The prediction and all shown contributions fit on the screen of a laptop, for 30 features too.
for (const name of ["diabetes", "iris", "breast-cancer"]) {
  await open({ hash: `#${name}`, viewport: { width: 1440, height: 900 } }, async (page) => {
    await page.locator("#reasons tr.sum").last().waitFor();
    for (const part of ["#prediction", "#detail", "#why"]) {
      const { y, height } = await page.locator(part).boundingBox();
      assert.ok(y >= 0 && y + height <= 900, `${name}: ${part} ends at ${y + height} pixels`);
    }
  });
}
