"use strict";
// Makes a file of what was filled in. Nothing is sent: the file is kept where the browser keeps downloads.
const known = JSON.parse(document.getElementById("known").textContent);
const form = document.getElementById("form");
const said = document.getElementById("said");

function satoshi(text) {
  // decimal text to whole satoshi, without a float in between
  const found = /^\s*(\d{1,9})(?:[.,](\d{1,8}))?\s*$/.exec(text);
  return found ? Number(BigInt(found[1]) * 100000000n + BigInt((found[2] || "").padEnd(8, "0"))) : null;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const body = { ...known.fixed, format: known.format, made_at: new Date().toISOString().slice(0, 19) + "Z" };
  if (known.request) Object.assign(body, { request: known.request, digest: known.digest, amount: 0 });
  const into = known.inside ? (body[known.inside] = {}) : body;
  const ticked = [];
  for (const field of form.querySelectorAll("[name]")) {
    if (field.type === "checkbox") {
      if (field.checked) ticked.push(field.value);
      continue;
    }
    if (field.dataset.unit === "coin") {
      const amount = field.value.trim() ? satoshi(field.value) : 0;
      if (amount === null) {
        said.textContent = field.dataset.wrong;
        field.focus();
        return;
      }
      into[field.name] = amount;
    } else if (field.type === "datetime-local") {
      into[field.name] = field.value ? field.value + (field.value.length === 16 ? ":00Z" : "Z") : "";
    } else {
      into[field.name] = field.value;
    }
  }
  if (known.ticks) body[known.ticks] = ticked;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(body, null, 1) + "\n"], { type: "application/json" }));
  link.download = known.name;
  document.body.append(link);
  link.click();
  said.textContent = said.dataset.done;
});
document.documentElement.dataset.ready = "yes";
