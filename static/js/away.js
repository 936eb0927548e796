// A browser may keep a page that was left, to show it again when one goes back. Meanwhile the page must hold no line to the server:
// whoever opens one says here how it is closed, and how it is opened again. Nothing may be opened in between.
export function whileAway(close, reopen) {
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => event.persisted && reopen());
}
