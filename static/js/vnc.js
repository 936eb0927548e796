// The screen of a machine, by noVNC.
import RFB from "@novnc/novnc";
import { also, start, typing } from "./console.js";
import { keysOf } from "./uskeys.js";

const screen = document.getElementById("screen");
let rfb = null;

function open(url, events) {
  const socket = new WebSocket(url, ["binary"]);
  let code = 0;
  socket.addEventListener("close", (event) => (code = event.code));
  const display = (rfb = new RFB(screen, socket, { shared: true }));
  display.background = "transparent";
  display.scaleViewport = scaled();
  display.clipViewport = !scaled();
  display.focusOnClick = true;
  display.addEventListener("connect", () => events.connected());
  display.addEventListener("disconnect", () => events.closed(code));
  display.addEventListener("securityfailure", (event) => events.refused(event.detail.reason));
  return { close: () => display.disconnect(), focus: () => display.focus() };
}

function scaled() {
  return document.getElementById("scale").getAttribute("aria-pressed") === "true";
}

function press(code, sym, shift) {
  if (shift) rfb.sendKey(0xffe1, "ShiftLeft", true);
  rfb.sendKey(sym, code, true);
  rfb.sendKey(sym, code, false);
  if (shift) rfb.sendKey(0xffe1, "ShiftLeft", false);
}

also({
  "ctrl-alt-del": () => rfb?.sendCtrlAltDel(),
  scale(button) {
    button.setAttribute("aria-pressed", !scaled());
    localStorage.setItem("nb-console-scale", scaled() ? "1" : "0");
    if (!rfb) return;
    rfb.scaleViewport = scaled();
    rfb.clipViewport = !scaled();
  },
});

typing((text) => {
  const { keys, lost } = keysOf(text);
  for (const key of keys) press(key.code, key.sym, key.shift);
  return lost;
});

document.getElementById("scale").setAttribute("aria-pressed", localStorage.getItem("nb-console-scale") !== "0");
start(open, "novnc");
