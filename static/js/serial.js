// The serial port of a machine, by xterm: bytes as they come, keys as they are typed.
import { FitAddon } from "@xterm/addon-fit";
import { Terminal } from "@xterm/xterm";
import "@xterm/xterm/css/xterm.css";
import { start, typing } from "./console.js";

const screen = document.getElementById("screen");
const PIECE = 64 * 1024; // the server takes messages up to 256 KiB
let typed = () => {};

function open(url, events) {
  const mono = getComputedStyle(document.documentElement).getPropertyValue("--nb-mono");
  const terminal = new Terminal({
    cursorBlink: true,
    fontFamily: mono,
    fontSize: 14,
    scrollback: 5000,
    screenReaderMode: true,
    theme: { background: "#0b0f15", foreground: "#d5dde8" },
  });
  const fit = new FitAddon();
  terminal.loadAddon(fit);
  terminal.open(screen);
  fit.fit();
  const resized = new ResizeObserver(() => fit.fit());
  resized.observe(screen);

  const socket = new WebSocket(url, ["binary"]);
  socket.binaryType = "arraybuffer";
  const bytes = new TextEncoder();
  const send = (data) => {
    for (let at = 0; at < data.length; at += PIECE) socket.send(data.subarray(at, at + PIECE));
  };
  let early = ""; // typed before the port is there: the terminal has the focus already
  typed = (text) => {
    if (socket.readyState === WebSocket.CONNECTING) early += text;
    else if (socket.readyState === WebSocket.OPEN) send(bytes.encode(text));
  };
  terminal.onData((text) => typed(text));
  terminal.onBinary((text) => socket.readyState === WebSocket.OPEN && socket.send(Uint8Array.from(text, (sign) => sign.charCodeAt(0))));
  socket.addEventListener("message", (event) => terminal.write(new Uint8Array(event.data)));
  // A refusal comes as an open socket that closes with its code at once.
  socket.addEventListener("open", () => early && typed(early));
  socket.addEventListener("open", () => setTimeout(() => socket.readyState === WebSocket.OPEN && events.connected(), 100));
  socket.addEventListener("close", (event) => events.closed(event.code));
  return {
    close() {
      socket.close();
      resized.disconnect();
      terminal.dispose();
    },
    focus: () => terminal.focus(),
  };
}

typing((text) => {
  typed(text.replaceAll("\n", "\r"));
  return 0;
});

start(open, "serial");
