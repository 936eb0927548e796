// Boot logs that grow while one looks: every <pre data-log="websocket address"> of the page. It follows the end until someone
// scrolls up, and keeps at most MOST characters, since a guest that prints without end must not fill the browser.
import { whileAway } from "./away.js";
import { LogText } from "./logtext.js";

const MOST = 2_000_000;
const RETRY_MS = 3000;

class LogView {
  constructor(box) {
    this.box = box;
    this.follow = true;
    this.text = new LogText();
    this.status = document.getElementById(box.dataset.logStatus);
    this.button = document.getElementById(box.dataset.logFollow);
    this.box.addEventListener("scroll", () => this.setFollow(this.atEnd()));
    this.button?.addEventListener("click", () => {
      this.setFollow(true);
      this.toEnd();
    });
    this.toEnd();
    whileAway(
      () => this.close(),
      () => this.box.isConnected && this.open(),
    );
    this.open();
  }

  close() {
    clearTimeout(this.timer);
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }

  open() {
    this.close();
    const address = new URL(this.box.dataset.log, location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = (this.socket = new WebSocket(address));
    socket.binaryType = "arraybuffer";
    let fresh = true;
    socket.addEventListener("open", () => this.tell("live"));
    socket.addEventListener("message", (event) => {
      if (fresh) this.text = new LogText();
      fresh = false;
      const frame = typeof event.data === "string" ? event.data : new TextDecoder().decode(event.data);
      this.text.add(frame);
      this.paint();
    });
    socket.addEventListener("close", (event) => {
      if (socket !== this.socket) return;
      this.tell("lost");
      const refused = event.code >= 4400 && event.code < 4500 && event.code !== 4429;
      if (!refused && this.box.isConnected) this.timer = setTimeout(() => this.box.isConnected && this.open(), RETRY_MS);
    });
  }

  paint() {
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = null;
      if (getSelection()?.containsNode(this.box, true) && !getSelection().isCollapsed) return setTimeout(() => this.paint(), 500);
      this.box.textContent = this.text.toString(MOST);
      if (this.follow) this.toEnd();
    });
  }

  atEnd() {
    return this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight < 40;
  }

  toEnd() {
    this.box.scrollTop = this.box.scrollHeight;
  }

  setFollow(follow) {
    this.follow = follow;
    if (this.button) this.button.hidden = follow;
  }

  tell(kind) {
    if (!this.status) return;
    this.status.dataset.state = kind;
    this.status.textContent = this.status.getAttribute(`data-words-${kind}`);
  }
}

for (const box of document.querySelectorAll("[data-log]")) new LogView(box);

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-log-wrap]");
  if (!button) return;
  const box = document.getElementById(button.dataset.logWrap);
  button.setAttribute("aria-pressed", box.classList.toggle("nb-wrap"));
});
