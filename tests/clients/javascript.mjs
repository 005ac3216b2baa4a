const base = process.argv[2] ?? "http://localhost:9000";
const answer = await fetch(`${base}/models/iris/predict`, {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ X: [[5.1, 3.5, 1.4, 0.2]] }),
});
if (!answer.ok) throw new Error(await answer.text());
console.log((await answer.json()).y);
