// Shows /api/openapi.json. Builds elements only, never markup from strings.

import { element, example, property, resolve, tree } from "./schema.js";

const METHODS = ["get", "head", "post", "put", "patch", "delete", "options"];
const main = document.getElementById("operations");
const filter = document.getElementById("filter");
const chips = document.getElementById("tags");

const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

// The command that does it, with names in capitals where something has to be filled in.
function curl(spec, path, method, entry, parameters) {
  const place = (name) => name.toUpperCase().replaceAll(/[^A-Z0-9]+/g, "_");
  const url = location.origin + path.replaceAll(/\{([^}]+)\}/g, (_, name) => place(name));
  const lines = [method === "head" ? "curl --head" : method === "get" ? "curl" : `curl -X ${method.toUpperCase()}`];
  const open = entry.security && entry.security.some((one) => Object.keys(one).length === 0);
  if (!open) lines.push(`-H "Authorization: Bearer $KINORA_TOKEN"`);
  for (const { name, in: where, required } of parameters) {
    if (where !== "header" || (!required && name !== "If-Match")) continue;
    const known = { "Tus-Resumable": "1.0.0", "If-Match": '"REVISION"', "Upload-Offset": "0" };
    lines.push(`-H ${quoted(`${name}: ${known[name] ?? place(name)}`)}`);
  }
  const body = resolve(spec, entry.requestBody).content || {};
  const [type] = Object.keys(body);
  if (type === "application/json") {
    lines.push(`-H 'Content-Type: application/json'`, `-d ${quoted(JSON.stringify(example(spec, body[type].schema), null, 2))}`);
  } else if (type) {
    lines.push(`-H ${quoted(`Content-Type: ${type}`)}`, "--data-binary @FILE");
  }
  lines.push(quoted(url));
  return lines.join(" \\\n  ");
}

function say(text) {
  document.getElementById("said").textContent = text;
}

function copyable(label, text) {
  const button = element("button", { type: "button", className: "copy", textContent: "Copy" });
  const code = element("pre", { textContent: text, tabIndex: 0 });
  button.setAttribute("aria-label", `Copy ${label}`);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
      say("Copied.");
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    } catch {
      // No right to the clipboard: select it, so that the keyboard copies it.
      getSelection().selectAllChildren(code);
      say("Press Ctrl+C to copy.");
    }
  });
  return element("div", { className: "code" }, element("div", { className: "codeHead" }, element("span", { textContent: label }), button), code);
}

function content(spec, holder) {
  return Object.entries((holder && holder.content) || {}).map(([type, body]) =>
    element("div", {}, element("p", { className: "media", textContent: type }), body.schema ? tree(spec, body.schema) : null));
}

function answers(spec, entry) {
  return Object.entries(entry.responses || {}).map(([status, raw]) => {
    const answer = resolve(spec, raw);
    const kind = /^[23]/.test(status) ? "good" : "bad";
    const parts = content(spec, answer);
    const headers = Object.entries(answer.headers || {});
    const head = [
      element("code", { className: `status ${kind}`, textContent: status === "default" ? "4xx, 5xx" : status }),
      element("span", { textContent: answer.description || "" }),
    ];
    if (!parts.length && !headers.length) return element("div", { className: "answer" }, ...head);
    const list = element("ul", { className: "properties" }, ...headers.map(([name, header]) => property(spec, name, resolve(spec, header).schema, { place: "header" })));
    // What is wrong is told in one form everywhere: it need not fill every page.
    return element("details", { className: "answer", open: kind === "good" }, element("summary", {}, ...head), headers.length ? list : null, ...parts);
  });
}

function section(title, ...children) {
  const inside = children.flat().filter(Boolean);
  return inside.length ? element("section", {}, element("h3", { textContent: title }), ...inside) : null;
}

function fill(spec, path, method, entry, parameters) {
  const list = parameters.length
    ? element("ul", { className: "properties" }, ...parameters.map((one) =>
      property(spec, one.name, { description: one.description, ...one.schema }, { required: one.required, place: one.in })))
    : null;
  return element("div", { className: "inside" },
    element("div", { className: "words" },
      ...(entry.description || "").split(/\n{2,}/).filter(Boolean).map((text) => element("p", { textContent: text.replaceAll("\n", " ") })),
      section("Parameters", list),
      section("Body", content(spec, resolve(spec, entry.requestBody))),
      section("Answers", answers(spec, entry))),
    element("div", { className: "aside" }, copyable("curl", curl(spec, path, method, entry, parameters))));
}

// Operation's element → what fills it when it is opened first.
const fillers = new WeakMap();

function operation(spec, path, method, entry, shared) {
  const parameters = [...shared, ...(entry.parameters || [])].map((raw) => resolve(spec, raw));
  const made = element("details", { id: entry.operationId || "", className: "operation" },
    element("summary", {},
      element("span", { className: `method ${method}`, textContent: method.toUpperCase() }),
      // Long addresses break behind their slashes.
      element("code", { className: "path" }, ...path.split(/(?<=\/)/).flatMap((part) => [part, document.createElement("wbr")])),
      element("span", { className: "what", textContent: entry.summary || "" })));
  made.dataset.text = `${method} ${path} ${entry.summary || ""} ${entry.operationId || ""}`.toLowerCase();
  fillers.set(made, () => {
    if (made.childElementCount === 1) made.append(fill(spec, path, method, entry, parameters));
  });
  made.addEventListener("toggle", () => {
    if (made.open) fillers.get(made)();
    if (made.open) history.replaceState(null, "", `#${made.id}`);
  });
  return made;
}

// The address keeps what is looked for: it can be shared.
function wanted() {
  const query = new URLSearchParams(location.search);
  return { text: query.get("q") || "", tag: query.get("tag") || "" };
}

function look({ text, tag }) {
  const query = new URLSearchParams();
  if (text) query.set("q", text);
  if (tag) query.set("tag", tag);
  history.replaceState(null, "", `${location.pathname}${query.size ? `?${query}` : ""}${location.hash}`);
  const words = text.trim().toLowerCase().split(/\s+/);
  let found = 0;
  for (const group of main.querySelectorAll(".group")) {
    const fits = !tag || group.dataset.tag === tag;
    let here = 0;
    for (const one of group.querySelectorAll(".operation")) {
      one.hidden = !fits || !words.every((word) => one.dataset.text.includes(word));
      if (!one.hidden) here += 1;
    }
    group.hidden = here === 0;
    found += here;
  }
  for (const chip of chips.querySelectorAll("button")) {
    chip.setAttribute("aria-pressed", String(chip.dataset.tag === tag));
    // On a phone they stand in a row that scrolls.
    if (chip.dataset.tag === tag) chips.scrollLeft = chip.parentElement.offsetLeft - chips.clientWidth / 2 + chip.clientWidth / 2;
  }
  document.getElementById("nothing").hidden = found > 0;
  say(`${found} operations`);
}

function showTags(groups) {
  const all = [["", { operations: [...groups.values()].flatMap((group) => group.operations) }], ...groups];
  chips.replaceChildren(...all.map(([tag, { operations }]) => {
    const chip = element("button", { type: "button" }, element("span", { className: "tag", textContent: tag || "All" }), element("span", { className: "count", textContent: String(operations.length) }));
    chip.dataset.tag = tag;
    chip.addEventListener("click", () => {
      look({ text: filter.value, tag });
      main.scrollIntoView();
    });
    return element("li", {}, chip);
  }));
}

function openNamed() {
  const named = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!named || !named.classList.contains("operation")) return;
  // Now, and not when the event comes: what follows must not be pushed away after it was drawn.
  fillers.get(named)();
  named.open = true;
  named.scrollIntoView();
}

async function show() {
  const answer = await fetch("/api/openapi.json");
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
  const spec = await answer.json();
  document.getElementById("version").textContent = spec.info.version;
  const groups = new Map((spec.tags || []).map((tag) => [tag.name, { text: tag.description, operations: [] }]));
  for (const [path, item] of Object.entries(spec.paths)) {
    for (const method of METHODS.filter((name) => item[name])) {
      const tag = (item[method].tags || ["other"])[0];
      if (!groups.has(tag)) groups.set(tag, { operations: [] });
      groups.get(tag).operations.push(operation(spec, path, method, item[method], item.parameters || []));
    }
  }
  for (const [tag, group] of groups) if (!group.operations.length) groups.delete(tag);
  main.replaceChildren(
    element("p", { className: "note", textContent: spec.info.description || "" }),
    ...[...groups].map(([tag, { text, operations }]) => {
      const made = element("section", { className: "group" }, element("h2", { textContent: tag }), text ? element("p", { className: "lead", textContent: text }) : null, ...operations);
      made.dataset.tag = tag;
      return made;
    }),
    element("p", { id: "nothing", className: "note", hidden: true, textContent: "No operation fits. Search by address, method or what it does, or choose All." }));
  showTags(groups);
  main.removeAttribute("aria-busy");
  const first = wanted();
  filter.value = first.text;
  look(first);
  filter.addEventListener("input", () => look({ text: filter.value, tag: wanted().tag }));
  addEventListener("hashchange", openNamed);
  openNamed();
}

document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !event.target.closest("input, textarea")) {
    event.preventDefault();
    filter.select();
  } else if (event.key === "Escape" && event.target === filter) {
    filter.value = "";
    filter.dispatchEvent(new Event("input"));
  }
});

show().catch((error) => {
  main.removeAttribute("aria-busy");
  main.replaceChildren(element("p", { className: "note", textContent: `The description could not be loaded: ${error.message}. Load the page again in a moment.` }));
});
