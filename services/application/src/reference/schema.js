// Schemas of an OpenAPI document: as a tree to look into, and as an example to send.

export function element(name, properties, ...children) {
  const made = document.createElement(name);
  Object.assign(made, properties);
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

export function resolve(spec, schema) {
  let found = schema;
  for (let depth = 0; found && found.$ref && depth < 10; depth += 1) {
    found = found.$ref.split("/").slice(1).reduce((at, part) => at && at[part], spec);
  }
  return found || {};
}

const nameOf = (schema) => (schema && schema.$ref ? schema.$ref.split("/").pop() : null);
const typesOf = (schema) => (Array.isArray(schema.type) ? schema.type : schema.type ? [schema.type] : []);

// The alternatives of a schema that are not null, and whether null is one of them.
function alternatives(schema) {
  const all = schema.oneOf || schema.anyOf;
  if (!all) return { parts: [schema], nullable: typesOf(schema).includes("null") };
  const parts = all.filter((part) => part.type !== "null");
  return { parts, nullable: parts.length < all.length };
}

// All parts of an `allOf` as one object.
function merged(spec, schema) {
  if (!schema.allOf) return schema;
  const parts = schema.allOf.map((part) => merged(spec, resolve(spec, part)));
  return {
    ...schema,
    type: "object",
    properties: Object.assign({}, ...parts.map((part) => part.properties || {}), schema.properties),
    required: [...parts.flatMap((part) => part.required || []), ...(schema.required || [])],
  };
}

// "string (uuid)", "integer or null", "list of Asset": as one would say it.
function describe(spec, schema) {
  const { parts, nullable } = alternatives(schema || {});
  const words = parts.map((part) => {
    const found = resolve(spec, part);
    const types = typesOf(found).filter((type) => type !== "null");
    if (types.includes("array")) return `list of ${describe(spec, found.items || {})}`;
    if (found.properties || found.allOf) return nameOf(part) || "object";
    if (found.oneOf || found.anyOf) return nameOf(part) || describe(spec, found);
    const type = found.enum ? "string" : types.join(" or ") || "anything";
    return found.format ? `${type} (${found.format})` : type;
  });
  return [...new Set(words), ...(nullable ? ["null"] : [])].join(" or ");
}

function limits(schema) {
  const between = (low, high, unit) => {
    if (low === undefined && high === undefined) return null;
    if (high === undefined) return `at least ${low}${unit}`;
    return low === undefined ? `at most ${high}${unit}` : `${low} to ${high}${unit}`;
  };
  return [
    between(schema.minLength, schema.maxLength, " characters"),
    between(schema.minimum, schema.maximum, ""),
    between(schema.minItems, schema.maxItems, " items"),
    schema.pattern ? `like ${schema.pattern}` : null,
    schema.default === undefined ? null : `default ${JSON.stringify(schema.default)}`,
  ].filter(Boolean);
}

// What can be looked into: the objects a schema is made of, through lists and alternatives.
function objectsIn(spec, schema) {
  return alternatives(schema || {}).parts.flatMap((part) => {
    const found = merged(spec, resolve(spec, part));
    if (found.properties) return [{ name: nameOf(part), schema: found }];
    if (typesOf(found).includes("array")) return objectsIn(spec, found.items);
    return found.oneOf || found.anyOf ? objectsIn(spec, found) : [];
  });
}

const valuesOf = (spec, schema) => alternatives(schema || {}).parts.flatMap((part) => {
  const found = resolve(spec, part);
  return found.enum || (found.items ? valuesOf(spec, found.items) : found.oneOf ? valuesOf(spec, found) : []);
});

// One name with its type, what it means, and (opened when it is asked for) what it is made of.
export function property(spec, name, schema, { required, place } = {}) {
  const [part] = alternatives(schema || {}).parts;
  const found = resolve(spec, part);
  const text = (schema && schema.description) || part.description || found.description;
  const values = valuesOf(spec, schema);
  const notes = [...limits(found), ...(values.length ? [values.map((value) => JSON.stringify(value)).join(" · ")] : [])];
  const objects = objectsIn(spec, schema);
  const head = element("span", { className: "property" },
    element("code", { className: "name", textContent: name }),
    element("span", { className: "type", textContent: describe(spec, schema) }),
    place ? element("span", { className: "badge", textContent: place }) : null,
    required ? element("span", { className: "badge needed", textContent: "required" }) : null);
  const about = [
    text ? element("span", { className: "about", textContent: text }) : null,
    notes.length ? element("span", { className: "limits", textContent: notes.join(", ") }) : null,
  ];
  if (!objects.length) return element("li", {}, head, ...about);
  const inside = element("details", {}, element("summary", {}, head, ...about));
  // Schemas may hold themselves: each level is made when it is opened.
  inside.addEventListener("toggle", () => {
    if (inside.open && inside.childElementCount === 1) inside.append(...objects.map((object) => properties(spec, object.schema)));
  });
  return element("li", {}, inside);
}

export function properties(spec, schema) {
  const required = new Set(schema.required || []);
  return element("ul", { className: "properties" },
    ...Object.entries(schema.properties || {}).map(([name, value]) => property(spec, name, value, { required: required.has(name) })));
}

// A body's schema: its properties at once, or one line if it has none.
export function tree(spec, schema) {
  const objects = objectsIn(spec, schema);
  const title = describe(spec, schema);
  const direct = merged(spec, resolve(spec, schema));
  if (direct.properties) return properties(spec, direct);
  return element("div", {}, element("p", { className: "type", textContent: title }), ...objects.map((object) => properties(spec, object.schema)));
}

// Something of that form to begin with.
export function example(spec, schema, depth = 0) {
  const found = merged(spec, resolve(spec, alternatives(schema || {}).parts[0]));
  if (found.example !== undefined) return found.example;
  if (found.default !== undefined) return found.default;
  if (found.enum) return found.enum[0];
  if (found.oneOf || found.anyOf) return example(spec, found, depth + 1);
  const type = typesOf(found)[0];
  if (found.properties) {
    if (depth > 3) return {};
    return Object.fromEntries(Object.entries(found.properties).map(([name, value]) => [name, example(spec, value, depth + 1)]));
  }
  if (type === "array") return depth > 3 ? [] : [example(spec, found.items, depth + 1)];
  if (type === "integer" || type === "number") return found.minimum ?? 1;
  if (type === "boolean") return false;
  if (found.format === "date-time") return "2026-01-31T12:00:00Z";
  if (found.format === "uuid") return "01980000-0000-7000-8000-000000000000";
  return type === "string" ? "…" : null;
}
