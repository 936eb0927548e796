// What every console page does, whatever it shows: ask for an access, connect, say what goes on, connect again, keep the keys apart,
// and name who else is here. Each connection asks the server for a fresh access, so a used or expired token is replaced without a word
// as long as the person still may; a refusal is shown in the server's own sentence.
import { whileAway } from "./away.js";

export const page = document.getElementById("console");
export const words = page.dataset;
const screen = document.getElementById("screen");
const RETRY_S = [1, 2, 3, 5, 8, 10];
const OTHERS_EVERY_MS = 5000;

let shown = null;
let open = null;
let kind = "";
let visit = "";
let tries = 0;
let timer = null;
let turn = 0; // counts the connections: an access that comes when its own is over is not used

/** Begin. ``opens(url, events)`` shows the console and returns what has ``close()`` and ``focus()``. */
export function start(opens, wanted) {
  open = opens;
  kind = wanted;
  whileAway(disconnect, reconnect);
  connect();
}

/** Say how it stands. */
export function tell(state, text) {
  page.dataset.state = state;
  document.getElementById("console-state").querySelector("[data-text]").textContent = text;
  const overlay = document.getElementById("console-overlay");
  overlay.hidden = state === "connected";
  overlay.querySelector("[data-text]").textContent = text;
  overlay.querySelector("[data-spinner]").hidden = state === "refused" || state === "off";
  for (const button of document.querySelectorAll("[data-needs-screen]")) button.disabled = state !== "connected";
}

/** A right to connect: asked for each time, or the one that stands in this page's own address, which is good once. */
async function access() {
  if (words.websocket) {
    const once = words.websocket;
    words.websocket = "";
    return { websocket: once };
  }
  if (!words.accessUrl) return { message: words.wordsSpent, final: true };
  const token = document.querySelector('meta[name="csrf-token"]').content;
  const answer = await fetch(words.accessUrl, {
    method: "POST",
    headers: { "X-CSRFToken": token, Accept: "application/json" },
    body: new URLSearchParams({ kind }),
    redirect: "manual",
  });
  if (answer.type === "opaqueredirect" || answer.status === 401) return { message: words.wordsSignedOut, final: true };
  const body = await answer.json().catch(() => ({}));
  if (answer.ok) return body;
  return { message: body.message ?? words.wordsFailed, final: answer.status === 403 || answer.status === 404, off: body.off };
}

/** What the server's close code means to a person. */
function closedBecause(code) {
  return { 4403: words.accessUrl ? words.wordsFailed : words.wordsSpent, 4410: words.wordsEnded, 4429: words.wordsFull, 4503: words.wordsSilent }[code] ?? words.wordsLost;
}

function disconnect() {
  turn += 1;
  clearTimeout(timer);
  const former = shown;
  shown = null;
  former?.close();
}

function reconnect() {
  tries = 0;
  connect();
}

async function connect() {
  disconnect();
  const asked = turn;
  tell("connecting", words.wordsAsking);
  const given = await access().catch(() => ({ message: words.wordsLost }));
  if (asked !== turn) return;
  if (given.message) {
    if (given.final) return tell("refused", given.message);
    if (given.off) {
      timer = setTimeout(connect, 3000);
      return tell("off", given.message);
    }
    return again(given.message);
  }
  visit = given.visit ?? "";
  tell("connecting", words.wordsConnecting);
  const url = new URL(given.websocket, location.href);
  url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  screen.replaceChildren();
  const mine = open(url.href, {
    connected() {
      tries = 0;
      tell("connected", words.wordsConnected);
      mine.focus();
    },
    closed(code) {
      if (mine === shown) again(closedBecause(code));
    },
    refused(text) {
      shown = null;
      tell("refused", text || words.wordsFailed);
    },
  });
  shown = mine;
  const active = document.activeElement;
  if (!active || active === document.body) mine.focus(); // what is typed from now on is meant for the machine
}

function again(text) {
  let left = RETRY_S[Math.min(tries, RETRY_S.length - 1)];
  tries += 1;
  const tick = () => {
    if (left <= 0) return connect();
    tell("lost", `${text} ${words.wordsAgain.replace("{n}", left)}`);
    left -= 1;
    timer = setTimeout(tick, 1000);
  };
  clearTimeout(timer);
  tick();
}

const deeds = {
  fullscreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else page.requestFullscreen().catch(() => {});
  },
  reconnect,
  type(button) {
    const form = document.getElementById("console-type");
    form.hidden = !form.hidden;
    button.setAttribute("aria-expanded", String(!form.hidden));
    if (!form.hidden) form.querySelector("textarea").focus();
  },
};

/** Let buttons do more: ``{name: deed}`` for ``data-deed``. */
export function also(more) {
  Object.assign(deeds, more);
}

/** Send what stands in the form for text by ``types(text)``, which returns how many signs it had to leave out. */
export function typing(types) {
  const form = document.getElementById("console-type");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = form.querySelector("textarea");
    const lost = types(text.value.replaceAll("\r\n", "\n"));
    if (lost) form.querySelector("[data-text]").textContent = words.wordsTyped.replace("{n}", lost);
    else text.value = "";
    shown?.focus();
  });
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-deed]");
  if (!button) return;
  deeds[button.dataset.deed]?.(button);
  if (!["reconnect", "type"].includes(button.dataset.deed)) shown?.focus();
});

// Keys go to the guest while the screen has the focus; this chord, pressed there, gives them back to the page.
document.addEventListener(
  "keydown",
  (event) => {
    if (!(event.ctrlKey && event.altKey && event.shiftKey) || !screen?.contains(document.activeElement)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    document.activeElement.blur();
    document.getElementById("console-bar").querySelector("button, a").focus();
  },
  true,
);
if (screen) {
  addEventListener("focusin", () => page.toggleAttribute("data-keys", screen.contains(document.activeElement)));
  addEventListener("focusout", () => page.removeAttribute("data-keys"));
}

/** Name who else has a console of this machine open. */
async function nameOthers() {
  if (document.hidden) return;
  const answer = await fetch(words.visitorsUrl, { headers: { Accept: "application/json" }, redirect: "manual" }).catch(() => null);
  if (!answer?.ok) return;
  const { visitors } = await answer.json();
  const clock = new Intl.DateTimeFormat(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const names = visitors
    .filter((one) => one.visit !== visit)
    .map((one) => words.wordsOther.replace("{name}", one.name).replace("{time}", clock.format(new Date(one.since))));
  const box = document.getElementById("console-others");
  const text = names.length ? words.wordsOthers.replace("{names}", names.join("; ")) : "";
  box.hidden = !text;
  if (box.querySelector("[data-text]").textContent !== text) box.querySelector("[data-text]").textContent = text;
}

if (words.visitorsUrl) {
  setTimeout(nameOthers, 1000);
  setInterval(nameOthers, OTHERS_EVERY_MS);
}
