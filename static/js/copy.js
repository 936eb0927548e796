// <button data-copy="text"> or data-copy-from="selector" puts text on the clipboard and says so for a moment.
export function startCopyButtons() {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy], [data-copy-from]");
    if (!button) return;
    event.preventDefault();
    const text = button.dataset.copy ?? document.querySelector(button.dataset.copyFrom)?.textContent ?? "";
    const done = await put(text.trim());
    button.dataset.copied = done ? "yes" : "no";
    setTimeout(() => delete button.dataset.copied, 1500);
  });
}

/** Plain http on another machine has no clipboard interface; the old command still works there. */
async function put(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "nb-offscreen";
    (document.querySelector("dialog[open]") ?? document.body).append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

/** <button data-save-from="selector" data-save-as="name"> saves text as a file. */
export function startSaveButtons() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-save-from]");
    if (!button) return;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([document.querySelector(button.dataset.saveFrom).textContent], { type: "text/plain" }));
    link.download = button.dataset.saveAs;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
}
