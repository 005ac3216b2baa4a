// Takes the screenshot of the README from a running service. usage: node tests/page/screenshot.mjs
// http://localhost:9000

import { createRequire } from "node:module";

const base = process.argv[2] ?? "http://localhost:9000";
const require = createRequire(new URL("../../.venv/page/package.json", import.meta.url));
const { chromium } = require("playwright-core");

const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
const page = await browser.newPage({ viewport: { width: 1280, height: 890 }, colorScheme: "light" });
await page.goto(`${base}/#diabetes`);
await page.locator("#reasons").getByText("bmi").first().waitFor();
await page.screenshot({ path: "docs/page.png" });
await browser.close();
