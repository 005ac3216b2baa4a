// A form with dates and long categories, and a model with a long name: nothing is cut off, and nothing overlaps.

import { assert, check, open, shows } from "./browser.mjs";

for (const width of [1440, 800, 360]) {
  await open({ viewport: { width, height: 900 } }, async (page) => {
    const fields = await page.locator(".field").all();
    for (const [position, field] of fields.entries()) {
      const control = field.locator("input:not([type=range]), select");
      const { width: wide, height } = await control.boundingBox();
      assert.ok(wide >= 160 && height >= 38, `${width}: field ${position} has ${wide} × ${height} pixels`);
      // The hint of the field with the focus does not cover the next name.
      await control.focus();
      const hint = await field.locator(".hint").boundingBox();
      const own = await field.boundingBox();
      for (const other of fields.slice(position + 1)) {
        const label = await other.locator("label").boundingBox();
        const isBelow = hint && label.y > own.y && Math.abs(label.x - own.x) < 8;
        assert.ok(!isBelow || hint.y + hint.height <= label.y, `${width}: the hint of field ${position} covers a name`);
      }
    }
    // Dates have a time of day if the training data have one.
    assert.deepEqual(
      await page.locator(".field input:not([type=range])").evaluateAll((all) => all.map(({ type }) => type)),
      ["date", "datetime-local"],
    );
    await page.locator("#field-1").fill("2024-03-01T17:30");
    await shows(page, "#calls pre >> nth=0", '"seen":"2024-03-01T17:30"');
    await shows(page, "#prediction output", /\d/);
    await check(page, `${width} pixels`);
  });
}
