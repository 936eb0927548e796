// Text as the keys of a US keyboard: a guest gets keys, not signs, and this is the layout that it has unless somebody changed it.
const ROWS = [
  ["`1234567890-=", "~!@#$%^&*()_+", ["Backquote", ..."1234567890".split("").map((digit) => `Digit${digit}`), "Minus", "Equal"]],
  ["[]\\;',./", '{}|:"<>?', ["BracketLeft", "BracketRight", "Backslash", "Semicolon", "Quote", "Comma", "Period", "Slash"]],
];
const OTHERS = { "\n": ["Enter", 0xff0d], "\t": ["Tab", 0xff09], " ": ["Space", 0x20] };

const KEYS = new Map();
for (const [plain, shifted, codes] of ROWS) {
  codes.forEach((code, place) => {
    KEYS.set(plain[place], { code, sym: plain.charCodeAt(place), shift: false });
    KEYS.set(shifted[place], { code, sym: shifted.charCodeAt(place), shift: true });
  });
}
for (let letter = 97; letter <= 122; letter++) {
  const small = String.fromCharCode(letter);
  const code = `Key${small.toUpperCase()}`;
  KEYS.set(small, { code, sym: letter, shift: false });
  KEYS.set(small.toUpperCase(), { code, sym: letter - 32, shift: true });
}
for (const [sign, [code, sym]] of Object.entries(OTHERS)) KEYS.set(sign, { code, sym, shift: false });

/** The keys to press one after the other, and how many signs have none. */
export function keysOf(text) {
  const signs = [...text];
  const keys = signs.map((sign) => KEYS.get(sign)).filter(Boolean);
  return { keys, lost: signs.length - keys.length };
}
