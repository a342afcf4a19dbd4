// What every page has: keys, the box that takes anything, and what opens above the page. All of it can be done without.
const inField = (target) => target.matches("input, textarea, select, [contenteditable]");

const ACTIONS = "ecptnow"; // keys that act on what is chosen
let held = ""; // one of them, pressed before the drawer of what is chosen was there
document.addEventListener("drawer", () => {
  const key = held;
  held = "";
  if (key) press(key);
});

function tell(text) {
  document.getElementById("said").textContent = text;
}

function press(key) {
  const drawer = document.getElementById("drawer");
  if (drawer && ACTIONS.includes(key)) {
    if (drawer.inert) {
      held = key;
      return true;
    }
    if (!drawer.querySelector(`[data-keys="${key}"]`)) {
      tell(document.getElementById("sheet").dataset.nothing);
      return true;
    }
  }
  // what is drawn last counts: the drawer before the head
  const found = [...document.querySelectorAll(`[data-keys="${CSS.escape(key)}"]`)].filter(
    (each) => !each.disabled && each.getClientRects().length,
  );
  const one = found.at(-1);
  if (!one) return false;
  if (inField(one)) one.focus();
  else one.click();
  if (one.tagName === "SUMMARY" && one.parentElement.open) {
    one.parentElement.querySelector("input:not([type=hidden]), textarea, select")?.focus();
  }
  return true;
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    if (document.querySelector("dialog[open]")) return; // it closes itself
    if (inField(event.target)) return event.target.blur();
    const open = [...document.querySelectorAll("details.pop[open]")];
    for (const each of open) each.open = false;
    if (!open.length) press("Escape");
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || inField(event.target)) return;
  if (press(event.key)) event.preventDefault();
});

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener) document.getElementById(opener.dataset.opens).showModal();
  // one at a time is open, and a click elsewhere closes it
  for (const open of document.querySelectorAll("details.pop[open]")) {
    if (!open.contains(event.target)) open.open = false;
  }
});

for (const box of document.querySelectorAll("textarea#box")) {
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    box.form.requestSubmit();
  });
}

async function bring(file) {
  const answer = await fetch(`/find?file=${encodeURIComponent(file.name.slice(0, 150) || "file")}`, {
    method: "POST",
    credentials: "same-origin",
    headers: { "Content-Type": "application/octet-stream", "X-Requested-With": "drop" },
    body: file,
  }).catch(() => null);
  if (!answer) return tell(document.getElementById("said").dataset.lost);
  if (answer.ok && answer.headers.get("content-type").startsWith("text/plain")) location.assign(await answer.text());
  else {
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    tell(page.querySelector("main")?.textContent.trim() ?? answer.statusText);
  }
}

for (const place of document.querySelectorAll("[data-drop]")) {
  for (const kind of ["dragenter", "dragover"]) {
    document.addEventListener(kind, (event) => {
      if (![...event.dataTransfer.types].includes("Files")) return;
      event.preventDefault();
      place.classList.add("over");
    });
  }
  document.addEventListener("dragleave", (event) => event.relatedTarget || place.classList.remove("over"));
  document.addEventListener("drop", (event) => {
    place.classList.remove("over");
    const [file] = event.dataTransfer.files;
    if (!file) return;
    event.preventDefault();
    bring(file);
  });
  const choose = document.getElementById("choose");
  choose.hidden = false;
  choose.addEventListener("click", () => {
    const picker = document.createElement("input");
    picker.type = "file";
    picker.addEventListener("change", () => picker.files[0] && bring(picker.files[0]));
    picker.click();
  });
}

// a chosen file becomes the text of a field, so that the form is the same without script
for (const picker of document.querySelectorAll("input[type=file][data-into]")) {
  picker.addEventListener("change", async () => {
    if (picker.files[0]) document.getElementById(picker.dataset.into).value = await picker.files[0].text();
  });
}

// a form with a file that was chosen: the file is the body, all else stands in the address
for (const form of document.querySelectorAll("form[data-raw]")) {
  form.addEventListener("submit", async (event) => {
    const [file] = form.querySelector("[data-raw-file]").files;
    if (!file) return;
    event.preventDefault();
    const query = new URLSearchParams({ name: file.name.slice(0, 200) });
    for (const field of form.querySelectorAll("input[name], select[name]")) {
      if (field.name !== "name") query.set(field.name, field.value);
    }
    const answer = await fetch(`${form.dataset.raw}?${query}`, {
      method: "POST",
      credentials: "same-origin",
      headers: { "Content-Type": "application/octet-stream", "X-Requested-With": "drop" },
      body: file,
    }).catch(() => null);
    if (!answer) return tell(document.getElementById("said").dataset.lost);
    if (answer.ok && answer.headers.get("content-type").startsWith("text/plain")) return location.assign(await answer.text());
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    tell(page.querySelector("main")?.textContent.trim() ?? answer.statusText);
  });
}

document.addEventListener("htmx:error", () => tell(document.getElementById("said").dataset.lost));
// what is only for script
for (const each of document.querySelectorAll("[data-opens], [data-script]")) each.hidden = false;

// a number that leads to rows which are folded opens them
function unfold() {
  const rows = location.hash && document.getElementById(location.hash.slice(1));
  if (rows instanceof HTMLDetailsElement) rows.open = true;
}
addEventListener("hashchange", unfold);
unfold();

document.body.dataset.ready ??= "yes";
