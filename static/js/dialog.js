// The one dialog of the page. A link with data-dialog is an ordinary page without scripts; with them its content comes in here.
// <dialog> gives the focus trap, Esc and the return of focus.
export function startDialog(htmx) {
  const dialog = document.getElementById("dialog");
  if (!dialog) return;
  const body = dialog.querySelector("[data-dialog-body]");

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-dialog]");
    if (link && event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      htmx.ajax("GET", link.href, { target: body, swap: "innerHTML" });
    }
    if (event.target.closest("[data-dialog-close]") && dialog.open) {
      event.preventDefault();
      dialog.close();
    }
    if (event.target === dialog) dialog.close();
  });

  body.addEventListener("htmx:afterSwap", () => {
    const title = body.querySelector("h1, h2");
    if (title) {
      title.id = "dialog-title";
      dialog.setAttribute("aria-labelledby", "dialog-title");
    }
    if (!dialog.open) dialog.showModal();
    const first = body.querySelector("[autofocus], .is-invalid");
    if (first) first.focus();
  });
  dialog.addEventListener("close", () => body.replaceChildren());
  document.addEventListener("nb:close-dialog", () => dialog.open && dialog.close());
}
