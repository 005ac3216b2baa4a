// A client with the types of openapi-typescript: `tests/clients/run` generates schema.d.ts from the OpenAPI document,
// checks this program against it with tsc, and runs it.

import createClient from "openapi-fetch";

/** @typedef {import("./schema.js").paths} Paths */

const [, , baseUrl] = /** @type {any} */ (globalThis).process.argv;
const client = /** @type {import("openapi-fetch").Client<Paths>} */ (createClient({ baseUrl }));

/** @type {(condition: boolean, message: unknown) => asserts condition} */
function check(condition, message) {
  if (!condition) throw new Error(JSON.stringify(message));
}

// A prediction: the request and the answer have types.
const flower = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };
const predicted = await client.POST("/models/iris/predict", { body: { X: [flower], probabilities: true } });
check(predicted.data !== undefined, predicted.error);
/** @type {"setosa" | "versicolor" | "virginica" | undefined} */
const species = predicted.data.y[0];
check(species === "setosa", predicted.data);
check((predicted.data.probabilities?.[0]?.setosa ?? 0) > 0.9, predicted.data);

// Metadata.
const described = await client.GET("/models/{name}", { params: { path: { name: "iris" } } });
check(described.data?.classes?.length === 3, described.error);
const tensors = await client.GET("/v2/models/{model}", { params: { path: { model: "iris" } } });
check(tensors.data?.inputs[0]?.shape[1] === 4, tensors.error);

// Errors: the compiler finds them, and the answer of the server has a type, too.
const wrong = await client.POST("/models/iris/predict", {
  // @ts-expect-error: a text is not a number.
  body: { X: [{ ...flower, petal_width: "wide" }] },
});
check(wrong.error?.code === "invalid_value" && wrong.error.status === 422, wrong);
const unknown = await client.GET("/models/{name}", {
  // @ts-expect-error: no model has this name.
  params: { path: { name: "rose" } },
});
check(unknown.error?.code === "unknown_model", unknown);
console.log("ok");
