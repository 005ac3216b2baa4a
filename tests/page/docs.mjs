// The API documentation on a phone: operations can be found, read and tried.

import { assert, open } from "./browser.mjs";

await open({ viewport: { width: 390, height: 844 } }, async (page) => {
  const fits = async () => {
    const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.ok(content <= window, `the page has a width of ${content} pixels, the screen ${window}`);
  };
  await page.goto(`${process.env.PAGE.replace(/\/+$/, "")}/docs`);
  const links = page.locator("#operations a");
  await links.nth(1).waitFor();
  const { paths } = await (await page.request.get(`${process.env.PAGE.replace(/\/+$/, "")}/openapi.json`)).json();
  const operations = Object.values(paths).flatMap((item) => Object.keys(item));
  assert.equal(await links.count(), operations.length);
  assert.ok(await links.first().isVisible());
  await fits();

  // A link opens its operation, and the list closes.
  await page.getByRole("link", { name: "POST /models/iris/predict", exact: true }).click();
  const button = page.getByRole("button", { name: "TRY", exact: true });
  await button.waitFor();
  assert.equal(await links.first().isVisible(), false);
  assert.ok(page.url().endsWith("/docs#post-/models/iris/predict"), page.url());
  await button.scrollIntoViewIfNeeded();
  // The start and the end of the line are visible together, without horizontal scrolling.
  const heading = await page.getByText("REQUEST", { exact: true }).first().boundingBox();
  const { x, width } = await button.boundingBox();
  assert.ok(heading.x >= 0 && x + width <= 390, `REQUEST starts at ${heading.x}, TRY ends at ${x + width}`);
  await fits();
  await button.click();
  await page.getByText("Status: OK:200").waitFor();
});
