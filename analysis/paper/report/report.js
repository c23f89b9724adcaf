// The page is whole without this: it folds long sections, finds, copies, and saves what it holds.
"use strict";

const folds = [...document.querySelectorAll("main details.fold")];
const said = made("span", { role: "status" });

function made(name, attributes, text = "") {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.textContent = text;
  return element;
}

function button(text, label, action) {
  const element = made("button", { type: "button", class: "file", "aria-label": label }, text);
  element.addEventListener("click", action);
  return element;
}

function fold(open) {
  for (const each of folds) each.open = open;
}

function unfoldTarget() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  for (let at = target.closest("details"); at; at = at.parentElement.closest("details")) at.open = true;
  target.scrollIntoView({ behavior: "instant" });
}

function search(query) {
  const wanted = query.toLowerCase().split(/\s+/).filter(Boolean);
  const holds = (link) => {
    const text = `${link.textContent} ${textOf(link)}`.toLowerCase();
    return wanted.every((word) => text.includes(word));
  };
  let found = 0;
  for (const line of document.querySelectorAll("nav ol > li")) {
    const parts = [...line.querySelectorAll("li")];
    for (const part of parts) part.hidden = !wanted.length || !holds(part.firstElementChild);
    line.hidden = !holds(line.firstElementChild);
    found += !line.hidden + parts.filter((part) => !part.hidden).length;
  }
  said.textContent = wanted.length ? `${found} found` : "";
}

function textOf(link) {
  const target = document.getElementById(link.hash.slice(1));
  return (target.localName === "h2" ? target.closest("section") : target).textContent;
}

// Through the selection: a table keeps its cells in a spreadsheet and in a text.
function copy(node) {
  const selection = getSelection();
  selection.removeAllRanges();
  const range = document.createRange();
  range.selectNode(node);
  selection.addRange(range);
  const done = document.execCommand("copy");
  if (done) selection.removeAllRanges();
  said.textContent = done ? "Copied" : "Selected: copy it by hand";
}

function save(content, name) {
  const address = URL.createObjectURL(content);
  made("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60000);
}

async function unpacked(address) {
  const bytes = Uint8Array.from(atob(address.split(",")[1]), (letter) => letter.charCodeAt(0));
  const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(plain).blob();
}

async function followed(event) {
  if (event.target.closest('a[href^="#"]')) setTimeout(unfoldTarget);
  const link = event.target.closest("a.file");
  if (!link) return;
  const figure = link.closest("figure");
  if (link.dataset.name && window.DecompressionStream) {
    event.preventDefault();
    save(await unpacked(link.href), link.dataset.name);
  } else if (figure && link.pathname.endsWith(".svg")) {
    event.preventDefault();
    const drawing = new XMLSerializer().serializeToString(figure.querySelector("svg"));
    save(new Blob([drawing], { type: "image/svg+xml" }), link.pathname.split("/").pop());
  }
}

const entry = made("input", { type: "search", id: "find", placeholder: "outcome, study, word" });
entry.addEventListener("input", () => search(entry.value));
const tools = made("p", { class: "tools" });
tools.append(made("label", { for: "find" }, "Find"), entry);
tools.append(button("Unfold all", "Unfold all sections", () => fold(true)));
tools.append(button("Fold all", "Fold all long sections", () => fold(false)), said);
document.querySelector("nav h2").after(tools);
search("");

for (const table of document.querySelectorAll("table"))
  table.caption.firstElementChild.append(" ", button("Copy", "Copy this table", () => copy(table)));
for (const each of document.querySelectorAll("main p:not(:has(> .file)), main dd, main li, main figcaption")) {
  const own = button("Copy", "Copy this text", () => copy(each));
  own.classList.add("copy");
  each.append(" ", own);
}

let opened = [];
addEventListener("beforeprint", () => {
  opened = folds.map((each) => each.open);
  fold(true);
});
addEventListener("afterprint", () => folds.forEach((each, place) => (each.open = opened[place])));
addEventListener("hashchange", unfoldTarget);
document.addEventListener("click", followed);
fold(false);
unfoldTarget();
