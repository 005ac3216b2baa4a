// Schemas as text, in the notation of TypeScript: `{ age: number; sex?: "female" | "male" }`.

/** The component that a part of the document refers to, or the part itself. */
function resolve(part, components) {
  if (!part?.$ref) return part;
  const [, , kind, name] = part.$ref.split("/");
  return components[kind][name];
}

/** The name of the schema that a reference points to. */
const nameOf = (reference) => reference.split("/").pop();

/** A property's name, quoted if it is not an identifier. */
const key = (name) => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name));

/** The limits of a number, as a comment. */
function limits(schema) {
  const found = [
    ["minimum", "≥"],
    ["exclusiveMinimum", ">"],
    ["maximum", "≤"],
    ["exclusiveMaximum", "<"],
  ].filter(([name]) => Math.abs(schema[name]) < 1e15);
  // Rounded to the inner side of the limit, so that a reader can use the number.
  const plain = (value, sign) => (sign === "≤" ? Math.floor(value * 1e4) : Math.ceil(value * 1e4)) / 1e4;
  return found.map(([name, sign]) => `${sign} ${plain(schema[name], sign)}`).join(", ");
}

/** Several types, one of which applies. */
function alternatives(types) {
  const lines = [...new Set(types)];
  return lines.length === 1 ? lines[0] : lines.map((type) => (type.includes("\n") ? `(${type})` : type)).join(" | ");
}

/** A list of elements of this type. */
const listOf = (type) => (/^([\w.-]+(\[\])*|\{[\s\S]*\})$/.test(type) ? `${type}[]` : `(${type})[]`);

/** An object: one line per property, with its description as a comment. */
function objectType(schema, indent) {
  const inner = `${indent}  `;
  const lines = Object.entries(schema.properties ?? {}).map(([name, property]) => {
    const mark = schema.required?.includes(name) ? "" : "?";
    const notes = [limits(property), property.description].filter(Boolean).join("; ");
    return `${inner}${key(name)}${mark}: ${typeOf(property, inner)}${notes ? `  // ${notes}` : ""}`;
  });
  const others = schema.additionalProperties;
  // Names that are the same in generated code are no properties.
  const names = schema.propertyNames?.enum.filter((name) => !(name in (schema.properties ?? {}))).map(key);
  if (typeof others === "object")
    for (const name of names ?? ["[name]"]) lines.push(`${inner}${name}: ${typeOf(others, inner)}`);
  return lines.length === 0 ? "object" : `{\n${lines.join("\n")}\n${indent}}`;
}

/** The type of one of the schema's kinds. */
function kindType(kind, schema, indent) {
  if (kind === "array" && schema.prefixItems) {
    return `[${schema.prefixItems.map((item) => typeOf(item, indent)).join(", ")}]`;
  }
  if (kind === "array") return listOf(typeOf(schema.items ?? {}, indent));
  return kind === "object" ? objectType(schema, indent) : kind;
}

/** A schema as a type. */
function typeOf(schema, indent = "") {
  if (schema.$ref) return nameOf(schema.$ref);
  if (schema.enum) return alternatives(schema.enum.map((value) => JSON.stringify(value)));
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return alternatives(choices.map((choice) => typeOf(choice, indent)));
  const kinds = [schema.type ?? []].flat();
  return kinds.length === 0 ? "any" : alternatives(kinds.map((kind) => kindType(kind, schema, indent)));
}

/** The names of the schemas that a schema refers to. */
function references(schema, found = new Set()) {
  if (schema && typeof schema === "object") {
    if (schema.$ref) found.add(nameOf(schema.$ref));
    for (const part of Object.values(schema)) references(part, found);
  }
  return found;
}

/** A schema and all schemas that it refers to, each once. */
function describeType(schema, schemas) {
  const names = references(schema);
  for (const name of names) for (const next of references(schemas[name])) names.add(next);
  const parts = schema.$ref ? [] : [typeOf(schema)];
  for (const name of names) {
    const { description } = schemas[name];
    parts.push(`${description ? `// ${description}\n` : ""}${name} = ${typeOf(schemas[name])}`);
  }
  return parts.join("\n\n");
}
