// The sheet: one selection for the picture, its table and the drawer; arrows that walk along the money; a slider that speaks.
const tell = (text) => (document.getElementById("said").textContent = text);
const sheet = () => document.getElementById("sheet");
const frame = () => sheet().querySelector(".lanes-frame");
const chosen = () => new URLSearchParams(location.search).get("box") ?? "";
const named = (key, root = sheet()) => [...root.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)];

function mark(key) {
  for (const each of sheet().querySelectorAll('[data-key][aria-current="true"]')) each.removeAttribute("aria-current");
  for (const each of named(key)) each.setAttribute("aria-current", "true");
}

function look(key) {
  const box = frame().querySelector(`a[data-key="${CSS.escape(key)}"]`);
  if (!box) return;
  const place = box.getBoundingClientRect();
  const around = frame().getBoundingClientRect();
  if (place.left < around.left + 60 || place.right > around.right - 60) frame().scrollLeft += place.left - around.left - around.width / 3;
  if (place.top < around.top + 40 || place.bottom > around.bottom - 20) frame().scrollTop += place.top - around.top - around.height / 3;
}

let asked = 0;
async function choose(key, focus = true) {
  const number = ++asked;
  mark(key);
  tell("");
  // until it tells of what is chosen now, nothing in it can be used: an act must not fall on what was chosen before
  document.getElementById("drawer").inert = true;
  const place = key ? `${location.pathname}?box=${encodeURIComponent(key)}` : location.pathname;
  history.replaceState(null, "", place);
  look(key);
  if (focus) frame().querySelector(`a[data-key="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
  const answer = await fetch(key ? `${place}&part=drawer` : place, { credentials: "same-origin" }).catch(() => null);
  if (number !== asked) return; // somebody walked on
  if (!answer) return tell(document.getElementById("said").dataset.lost);
  if (answer.redirected) return location.assign(answer.url);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const drawer = page.getElementById("drawer");
  if (!drawer) return;
  document.getElementById("drawer").replaceWith(document.adoptNode(drawer));
  htmx.process(drawer);
  sheet().dataset.chosen = key;
  document.dispatchEvent(new Event("drawer"));
}

function walk(key, way) {
  const boxes = [...frame().querySelectorAll("a[data-key]")];
  const here = boxes.find((each) => each.dataset.key === key) ?? null;
  if (!here) return boxes[0]?.dataset.key;
  if (way === "ArrowLeft") return here.dataset.before; // time goes from the left in every language
  if (way === "ArrowRight") return here.dataset.after;
  const at = here.getBoundingClientRect();
  const beside = boxes
    .map((each) => ({ each, place: each.getBoundingClientRect() }))
    .filter(({ each, place }) => each !== here && Math.abs(place.left - at.left) < 40)
    .filter(({ place }) => (way === "ArrowDown" ? place.top > at.top : place.top < at.top))
    .sort((one, other) => Math.abs(one.place.top - at.top) - Math.abs(other.place.top - at.top));
  return beside[0]?.each.dataset.key;
}

document.addEventListener("keydown", (event) => {
  if (!event.key.startsWith("Arrow") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches("input, textarea, select")) return;
  const key = walk(chosen(), event.key);
  if (!key) return;
  event.preventDefault();
  choose(key);
});

document.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  const link = event.target.closest("#sheet a[data-key], #sheet [data-select]");
  if (!link) return;
  event.preventDefault();
  choose(link.dataset.key ?? link.dataset.select, Boolean(link.dataset.key));
});

document.addEventListener("input", (event) => {
  if (event.target.name !== "stop") return;
  const stops = event.target.dataset.stops.split(" ");
  event.target.form.querySelector("output").textContent = stops[event.target.value];
});

// columns of the table twin are sorted here; the order of the picture comes back by a third click
document.addEventListener("click", (event) => {
  const head = event.target.closest("table[data-sortable] th[data-sort]");
  if (!head) return;
  const table = head.closest("table");
  const body = table.tBodies[0];
  const rows = [...body.rows];
  rows.forEach((row, place) => (row.dataset.place ??= place));
  const next = { none: "ascending", ascending: "descending", descending: "none" }[head.getAttribute("aria-sort") ?? "none"];
  for (const each of table.querySelectorAll("th[aria-sort]")) each.removeAttribute("aria-sort");
  if (next !== "none") head.setAttribute("aria-sort", next);
  const value = (row) => {
    const cell = row.cells[head.cellIndex];
    return head.dataset.sort === "number" ? BigInt(cell.dataset.value) : cell.textContent;
  };
  const order = (one, other) => {
    const [a, b] = [value(one), value(other)];
    return a < b ? -1 : a > b ? 1 : 0;
  };
  rows.sort((one, other) =>
    next === "none" ? one.dataset.place - other.dataset.place : next === "ascending" ? order(one, other) : order(other, one),
  );
  body.append(...rows);
});

function sortable() {
  for (const head of document.querySelectorAll("table[data-sortable] th[data-sort]:not(:has(button))")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "link";
    button.append(...head.childNodes);
    head.append(button);
  }
}

// after a step the picture is another one: keep the place and say what is chosen
let left = 0;
let top = 0;
let steps = 0;
document.addEventListener("htmx:before:swap", () => ([left, top] = [frame().scrollLeft, frame().scrollTop]));
document.addEventListener("htmx:after:swap", (event) => {
  if (event.detail?.ctx?.response?.raw?.ok) tell("");
  asked += 1; // the answer to a step has the drawer with it
  const place = event.detail?.ctx?.response?.raw?.url;
  if (place && new URL(place).pathname === location.pathname) history.replaceState(null, "", place.replace(location.origin, ""));
  [frame().scrollLeft, frame().scrollTop] = [left, top];
  const key = chosen();
  if (key) {
    look(key);
    frame().querySelector(`a[data-key="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
  }
  sortable();
  sheet().dataset.steps = ++steps;
});

sortable();
if (chosen()) look(chosen());
document.body.dataset.ready = "sheet";
