// The console page. Each connection asks the server for a fresh access, so a used or expired token is replaced without a word
// as long as the person still may; a refusal is shown in the server's own sentence.
import RFB from "@novnc/novnc";

const page = document.getElementById("console");
const screen = document.getElementById("screen");
const state = document.getElementById("console-state");
const words = page.dataset;
const RETRY_S = [1, 2, 3, 5, 8, 10];

let rfb = null;
let tries = 0;
let timer = null;

function tell(kind, text) {
  page.dataset.state = kind;
  state.querySelector("[data-text]").textContent = text;
  const overlay = document.getElementById("console-overlay");
  overlay.hidden = kind === "connected";
  overlay.querySelector("[data-text]").textContent = text;
  overlay.querySelector("[data-spinner]").hidden = kind === "refused" || kind === "off";
  for (const button of document.querySelectorAll("[data-needs-screen]")) button.disabled = kind !== "connected";
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
    redirect: "manual",
  });
  if (answer.type === "opaqueredirect" || answer.status === 401) return { message: words.wordsSignedOut, final: true };
  const body = await answer.json().catch(() => ({}));
  if (answer.ok) return body;
  return { message: body.message ?? words.wordsFailed, final: answer.status === 403 || answer.status === 404, off: body.off };
}

/** What the server's close code means to a person. */
function closedBecause(code) {
  return { 4403: words.accessUrl ? words.wordsFailed : words.wordsSpent, 4410: words.wordsEnded, 4503: words.wordsSilent }[code] ?? words.wordsLost;
}

async function connect() {
  clearTimeout(timer);
  rfb?.disconnect();
  rfb = null;
  tell("connecting", words.wordsAsking);
  let given;
  try {
    given = await access();
  } catch {
    return again(words.wordsLost);
  }
  if (given.message) {
    if (given.final) return tell("refused", given.message);
    if (given.off) {
      timer = setTimeout(connect, 3000);
      return tell("off", given.message);
    }
    return again(given.message);
  }
  tell("connecting", words.wordsConnecting);
  const url = new URL(given.websocket, location.href);
  url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  screen.replaceChildren();
  const socket = new WebSocket(url.href, ["binary"]);
  let code = 0;
  socket.addEventListener("close", (event) => (code = event.code));
  const display = (rfb = new RFB(screen, socket, { shared: true }));
  display.background = "transparent";
  display.scaleViewport = scaled();
  display.clipViewport = !scaled();
  display.focusOnClick = true;
  display.addEventListener("connect", () => {
    tries = 0;
    tell("connected", words.wordsConnected);
    display.focus();
  });
  display.addEventListener("disconnect", () => {
    if (display === rfb) again(closedBecause(code));
  });
  display.addEventListener("securityfailure", (event) => {
    rfb = null;
    tell("refused", event.detail.reason || words.wordsFailed);
  });
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

function scaled() {
  return document.getElementById("scale").getAttribute("aria-pressed") === "true";
}

const deeds = {
  "ctrl-alt-del": () => rfb?.sendCtrlAltDel(),
  scale(button) {
    button.setAttribute("aria-pressed", !scaled());
    localStorage.setItem("nb-console-scale", scaled() ? "1" : "0");
    if (!rfb) return;
    rfb.scaleViewport = scaled();
    rfb.clipViewport = !scaled();
  },
  fullscreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else page.requestFullscreen().catch(() => {});
  },
  reconnect() {
    tries = 0;
    connect();
  },
  "tty-1": () => chord(["ControlLeft", 0xffe3], ["AltLeft", 0xffe9], ["F1", 0xffbe]),
  "tty-2": () => chord(["ControlLeft", 0xffe3], ["AltLeft", 0xffe9], ["F2", 0xffbf]),
};

function chord(...keys) {
  for (const [code, sym] of keys) rfb?.sendKey(sym, code, true);
  for (const [code, sym] of keys.reverse()) rfb?.sendKey(sym, code, false);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-deed]");
  if (!button) return;
  deeds[button.dataset.deed]?.(button);
  if (button.dataset.deed !== "reconnect") rfb?.focus();
});

// Keys go to the guest while the screen has the focus; this chord, pressed there, gives them back to the page.
document.addEventListener(
  "keydown",
  (event) => {
    if (!(event.ctrlKey && event.altKey && event.shiftKey) || !screen.contains(document.activeElement)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    rfb?.blur();
    document.getElementById("console-bar").querySelector("button, a").focus();
  },
  true,
);
addEventListener("focusin", () => page.toggleAttribute("data-keys", screen.contains(document.activeElement)));
addEventListener("focusout", () => page.removeAttribute("data-keys"));

document.getElementById("scale").setAttribute("aria-pressed", localStorage.getItem("nb-console-scale") !== "0");
connect();
