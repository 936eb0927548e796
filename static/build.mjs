// Build the bundle: `npm run build` writes static/dist/, which collectstatic then gives names with hashes.
//
// theme.js is a classic script because it must run before the first paint; all others are modules that share chunks.
// A chunk carries a hash in its own name, since nothing rewrites import statements later.

import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "dist");
const icons = join(here, "..", "node_modules", "@tabler", "icons", "icons", "outline");

const common = { bundle: true, minify: true, legalComments: "none", logLevel: "info", outdir: out };

const modules = {
  ...common,
  entryPoints: ["app", "vnc", "serial", "watch", "log"].map((name) => join(here, "js", `${name}.js`)),
  format: "esm",
  target: "es2022",
  splitting: true,
  chunkNames: "chunks/[name]-[hash]",
};
const theme = { ...common, entryPoints: [join(here, "js", "theme.js")], format: "iife", target: "es2020" };
const styles = { ...common, entryPoints: [join(here, "css", "app.css")] };

/** One file with a <symbol> per icon named in icons.json; pages point at them with <use>. */
async function writeSprite() {
  const names = JSON.parse(await readFile(join(here, "icons.json"), "utf8"));
  const symbols = await Promise.all(
    names.map(async (name) => {
      const svg = await readFile(join(icons, `${name}.svg`), "utf8");
      const shapes = svg.slice(svg.indexOf(">") + 1, svg.lastIndexOf("</svg>"));
      const drawn = shapes.replace(/<path stroke="none"[^>]*>/, "").replace(/\s+/g, " ").trim();
      return `<symbol id="${name}" viewBox="0 0 24 24">${drawn}</symbol>`;
    }),
  );
  await writeFile(join(out, "icons.svg"), `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>\n`);
}

async function prepare() {
  await rm(out, { recursive: true, force: true });
  await mkdir(out, { recursive: true });
  await copyFile(join(here, "favicon.svg"), join(out, "favicon.svg"));
  await writeSprite();
}

await prepare();
if (process.argv.includes("--watch")) {
  for (const options of [modules, theme, styles]) await (await esbuild.context(options)).watch();
} else {
  await Promise.all([modules, theme, styles].map((options) => esbuild.build(options)));
}
