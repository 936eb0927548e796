// Runs before the first paint. The server has written the chosen theme into <html>; only "auto" is left to decide here.
const root = document.documentElement;
const system = matchMedia("(prefers-color-scheme: dark)");

function apply() {
  if (root.dataset.theme === "auto") root.dataset.bsTheme = system.matches ? "dark" : "light";
}

apply();
system.addEventListener("change", apply);
