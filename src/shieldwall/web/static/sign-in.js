// Signs in with a passkey, or makes the first one from a one-time link, whose secret stands behind the # and so is sent nowhere
// before it is used.
const API = "/api/v1";
let secret = location.hash.slice(1);
const element = (id) => document.getElementById(id);
const texts = element("signing").dataset;

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

async function ask(path, body, method = "POST") {
  const answer = await fetch(API + path, {
    method,
    credentials: "same-origin",
    headers: body === undefined ? {} : { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const found = answer.status === 204 ? {} : await answer.json();
  if (!answer.ok) throw new Error(found.detail + (found.hint ? "\n" + found.hint : ""));
  return found;
}

function creation(options) {
  return {
    ...options,
    challenge: bytes(options.challenge),
    user: { ...options.user, id: bytes(options.user.id) },
    excludeCredentials: (options.excludeCredentials ?? []).map((one) => ({ ...one, id: bytes(one.id) })),
  };
}

function request(options) {
  return {
    ...options,
    challenge: bytes(options.challenge),
    allowCredentials: (options.allowCredentials ?? []).map((one) => ({ ...one, id: bytes(one.id) })),
  };
}

function plain(made) {
  const response = { clientDataJSON: text(made.response.clientDataJSON) };
  for (const part of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (made.response[part]) response[part] = text(made.response[part]);
  }
  if (made.response.getTransports) response.transports = made.response.getTransports();
  return { id: made.id, rawId: text(made.rawId), type: made.type, response, clientExtensionResults: {} };
}

async function register() {
  const { challenge, options } = await ask("/registration/begin", { secret });
  const made = await navigator.credentials.create({ publicKey: creation(options) });
  await ask("/registration/finish", { challenge, credential: plain(made), name: element("name").value || "passkey" });
  history.replaceState(null, "", location.pathname);
  secret = "";
  element("lead").textContent = texts.made;
  element("go").textContent = texts.sign;
  element("name").hidden = element("name-label").hidden = true;
  document.body.dataset.ready = "waiting";
}

async function signIn() {
  const { challenge, options } = await ask("/sign-in/begin", {});
  const made = await navigator.credentials.get({ publicKey: request(options) });
  await ask("/sign-in/finish", { challenge, credential: plain(made) });
  document.body.dataset.ready = "signed-in";
  location.assign(texts.next);
}

async function confirm() {
  const { challenge, options } = await ask("/session/confirm/begin", {});
  const made = await navigator.credentials.get({ publicKey: request(options) });
  await ask("/session/confirm/finish", { challenge, credential: plain(made) });
  document.body.dataset.ready = "confirmed";
  location.assign(texts.next);
}

async function go(event) {
  event.preventDefault();
  element("go").disabled = true;
  element("said").textContent = "";
  try {
    if (secret) await register();
    else if (texts.confirm) await confirm();
    else await signIn();
  } catch (error) {
    element("said").textContent = error instanceof DOMException ? texts.refused : error.message;
    document.body.dataset.ready = "failed";
  }
  element("go").disabled = false;
}

addEventListener("hashchange", () => location.reload()); // a link was opened in a tab that is here already
if (secret) {
  element("lead").textContent = texts.link;
  element("go").textContent = texts.make;
  element("name").hidden = element("name-label").hidden = false;
}
element("form").addEventListener("submit", go);
element("oidc")?.addEventListener("click", async () => location.assign((await ask("/oidc/begin", undefined, "GET")).url));
document.body.dataset.ready = "waiting";
// back from the organisation's provider: a session may be there
if (location.search.includes("here")) ask("/session", undefined, "GET").then(() => location.assign(texts.next), () => {});
