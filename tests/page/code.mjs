// The code of the last request: it runs, can be copied, and its box ends at a line.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { ask, assert, open, shows } from "./browser.mjs";

/** Runs the code of each tab. The package requests is one that the tools in .venv need. */
const RUN = {
  curl: (code) => ["bash", ["-c", code]],
  Python: (code) => [".venv/bin/python", ["-c", code.replace("print(response.json())", "print(response.text)")]],
  JavaScript: (code) => [
    process.execPath,
    ["--input-type=module", "-e", code.replace("await response.json()", "await response.text()")],
  ],
};

async function checkCode(page, path, model) {
  await page.getByRole("tab", { name: "curl", exact: true }).click();
  const request = await page.locator("#calls pre").nth(1).innerText();
  const expected = await ask(page, path, JSON.parse(request));
  for (const [language, command] of Object.entries(RUN)) {
    const tab = page.getByRole("tab", { name: language, exact: true });
    await tab.click();
    assert.equal(await tab.getAttribute("aria-selected"), "true");
    assert.equal(await page.getByRole("tab", { selected: true }).count(), 1);
    const code = await page.getByRole("tabpanel", { name: language, exact: true }).innerText();
    await page.getByRole("button", { name: "Copy the code" }).click();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    assert.equal(copied, code);
    const { stdout } = await promisify(execFile)(...command(copied), { env: { ...process.env, NO_PROXY: "*" } });
    assert.deepEqual(JSON.parse(stdout), expected, `${model} in ${language}`);
  }
}

// The test sends an invalid row.
await open({ hash: "#diabetes", expectedErrors: ["status of 422"] }, async (page) => {
  await checkCode(page, "/models/diabetes/predict", "diabetes");

  // The chosen language stays when values change. The arrow keys choose another one.
  await page.getByLabel("bmi", { exact: true }).fill("30.50");
  await shows(page, "#program", '"bmi": 30.50');
  assert.equal(await page.getByRole("tab", { selected: true }).innerText(), "JavaScript");
  await page.getByRole("tab", { name: "JavaScript" }).press("ArrowRight");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "curl");
  await shows(page, "#program", "curl -s ");
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("ArrowLeft");
  await shows(page, "#program", "import requests");

  // JavaScript would round large integers.
  await page.getByLabel("age", { exact: true }).fill("9007199254740993");
  await page.getByRole("tab", { name: "JavaScript" }).click();
  await shows(page, "#program", '\\"age\\":9007199254740993');
});

// The boxes show whole lines.
for (const width of [360, 1440]) {
  await open({ hash: "#breast-cancer", viewport: { width, height: 900 } }, async (page) => {
    const boxes = await page.locator("#calls code").evaluateAll((all) =>
      all.map((box) => ({
        height: box.clientHeight,
        content: box.scrollHeight,
        line: Number.parseFloat(getComputedStyle(box).lineHeight),
      })),
    );
    assert.equal(boxes.length, 3);
    for (const { height, line } of boxes) assert.equal(height % line, 0, `${height} pixels of ${line} a line`);
    assert.ok(
      boxes.some(({ height, content }) => height < content),
      "no box scrolls",
    );
  });
}
