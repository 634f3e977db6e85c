// Shows /api/openapi.json. Builds elements only, never markup from strings.
"use strict";

const METHODS = ["get", "head", "post", "put", "patch", "delete", "options"];

function element(name, properties, ...children) {
  const made = document.createElement(name);
  Object.assign(made, properties);
  made.append(...children.filter((child) => child !== null));
  return made;
}

function resolve(spec, schema) {
  let found = schema;
  for (let depth = 0; found && found.$ref && depth < 10; depth += 1) {
    found = found.$ref.split("/").slice(1).reduce((at, part) => at && at[part], spec);
  }
  return found || {};
}

// A schema as an outline: names, types and notes.
function outline(spec, schema, depth) {
  const name = schema && schema.$ref ? schema.$ref.split("/").pop() : null;
  if (depth > 3 && name) return name;
  const found = resolve(spec, schema);
  if (found.enum) return found.enum.map((value) => JSON.stringify(value)).join(" | ");
  const parts = found.oneOf || found.anyOf;
  if (parts) return parts.map((part) => outline(spec, part, depth)).join(" | ");
  if (found.allOf) return found.allOf.map((part) => outline(spec, part, depth)).join(" & ");
  const type = Array.isArray(found.type) ? found.type.join(" | ") : found.type || "any";
  if (type.startsWith("array")) return `[${outline(spec, found.items || {}, depth + 1)}]`;
  if (found.properties) {
    const indent = "  ".repeat(depth + 1);
    const required = new Set(found.required || []);
    const lines = Object.entries(found.properties).map(([key, value]) => {
      const note = value.description ? `  // ${value.description.split("\n")[0]}` : "";
      return `${indent}${key}${required.has(key) ? "" : "?"}: ${outline(spec, value, depth + 1)}${note}`;
    });
    return `{\n${lines.join("\n")}\n${"  ".repeat(depth)}}`;
  }
  return found.format ? `${type} (${found.format})` : type;
}

function content(spec, title, holder) {
  const entries = Object.entries((holder && holder.content) || {});
  return entries.map(([type, body]) =>
    element("div", {}, element("h4", { textContent: `${title} (${type})` }),
      element("pre", { textContent: outline(spec, body.schema || {}, 0) })));
}

function parameters(spec, list) {
  if (!list.length) return null;
  const rows = list.map((raw) => {
    const parameter = resolve(spec, raw);
    return element("tr", {},
      element("td", {}, element("code", { textContent: parameter.name })),
      element("td", { textContent: parameter.in + (parameter.required ? ", required" : "") }),
      element("td", { textContent: outline(spec, parameter.schema || {}, 0) }),
      element("td", { textContent: parameter.description || "" }));
  });
  return element("table", {}, element("tbody", {}, ...rows));
}

function operation(spec, path, method, entry, shared) {
  const inside = element("div", {});
  if (entry.description) inside.append(element("p", { textContent: entry.description }));
  const table = parameters(spec, [...shared, ...(entry.parameters || [])]);
  if (table) inside.append(table);
  inside.append(...content(spec, "Body", resolve(spec, entry.requestBody)));
  for (const [status, raw] of Object.entries(entry.responses || {})) {
    const answer = resolve(spec, raw);
    inside.append(element("h4", { textContent: `${status} ${answer.description || ""}` }), ...content(spec, "Answer", answer));
  }
  const made = element("details", { id: entry.operationId || "" },
    element("summary", {},
      element("span", { className: "method", textContent: method.toUpperCase() }),
      element("code", { className: "path", textContent: path }),
      element("span", { className: "what", textContent: entry.summary || "" })),
    inside);
  made.dataset.text = `${method} ${path} ${entry.summary || ""} ${entry.operationId || ""}`.toLowerCase();
  return made;
}

async function show() {
  const main = document.getElementById("operations");
  const answer = await fetch("/api/openapi.json");
  const spec = await answer.json();
  document.getElementById("about").textContent = `${spec.info.description || ""} Version ${spec.info.version}.`;
  const groups = new Map((spec.tags || []).map((tag) => [tag.name, []]));
  for (const [path, item] of Object.entries(spec.paths)) {
    for (const method of METHODS.filter((name) => item[name])) {
      const tag = (item[method].tags || ["other"])[0];
      if (!groups.has(tag)) groups.set(tag, []);
      groups.get(tag).push(operation(spec, path, method, item[method], item.parameters || []));
    }
  }
  main.replaceChildren();
  for (const [tag, operations] of groups) {
    if (operations.length) main.append(element("section", {}, element("h2", { textContent: tag }), ...operations));
  }
  document.getElementById("filter").addEventListener("input", (event) => {
    const wanted = event.target.value.trim().toLowerCase();
    for (const details of main.querySelectorAll("details")) details.hidden = !details.dataset.text.includes(wanted);
    for (const section of main.querySelectorAll("section")) section.hidden = !section.querySelector("details:not([hidden])");
  });
}

show().catch((error) => {
  document.getElementById("operations").textContent = `The document could not be loaded: ${error}`;
});
