// A catalog of 150 models.

import { assert, check, open, shows, until } from "./browser.mjs";

await open({ hash: "#model-120" }, async (page) => {
  const links = page.locator("#models a");
  const visible = () => links.filter({ visible: true }).allInnerTexts();
  const more = page.getByRole("button", { name: "More models" });

  // A model that is not yet in the list is shown.
  await shows(page, "#name", /^model-120$/);
  assert.equal(await links.count(), 100);
  assert.equal(await page.locator("#models a[aria-current]").count(), 0);

  // The list has two rows and is scrolled to its model.
  assert.ok((await page.locator("#models").boundingBox()).height < 100);
  await links.getByText("model-099").click();
  await shows(page, "#name", /^model-099$/);
  await until(page, () => document.querySelector("#models").scrollTop > 100);

  // The next page is added, and the focus is on its first model.
  await more.click();
  await until(page, () => document.querySelectorAll("#models a").length === 150);
  assert.equal(await more.isVisible(), false);
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "model-101");
  assert.deepEqual((await links.allInnerTexts()).slice(98, 102), ["model-099", "model-100", "model-101", "model-102"]);
  assert.equal(await page.locator("#models a[aria-current]").innerText(), "model-099");

  // The filter is for any part of a name; Enter opens the first.
  const filter = page.getByLabel("Filter models");
  await filter.fill("L-14");
  assert.deepEqual(
    await visible(),
    Array.from({ length: 10 }, (_, last) => `model-14${last}`),
  );
  await filter.press("Enter");
  await shows(page, "#name", /^model-140$/);
  await filter.fill("");
  assert.equal((await visible()).length, 150);
  await check(page, "many models");
});

// A few models have neither a filter nor a second page.
await open({ hash: "#model-120" }, async (page) => {
  await page.route(/models$/, async (route) => {
    const { models } = await (await route.fetch()).json();
    await route.fulfill({ json: { models: models.slice(0, 12) } });
  });
  await page.reload();
  await until(page, () => document.querySelectorAll("#models a").length === 12);
  assert.equal(await page.getByLabel("Filter models").isVisible(), false);
  assert.equal(await page.getByRole("button", { name: "More models" }).isVisible(), false);
});
