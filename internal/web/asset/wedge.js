// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Fields for a hand scanner, which types like a keyboard and ends with Enter, and the
// button that opens the camera in its place.
//
//   <input data-wedge>                     ASCII whatever the keyboard's language is, no key
//                                          repeats, and the lines of a travel document as one text
//   <button data-camera="id of the input"  hidden until there is a camera to ask
//     data-scan data-reader data-wasm>     addresses of scan.js and of the detector

// What a scanner sends is the keys of a US keyboard. With a Persian or Urdu keyboard
// chosen on the tablet, letters of that language would arrive: the key's place on the
// board still says which one was meant.
const SHIFTED = { Minus: "_", BracketLeft: "{", BracketRight: "}", Quote: '"', Digit4: "$", Digit5: "%", Digit8: "*", Equal: "+", Semicolon: ":", Comma: "<" };
const PLAIN = { BracketLeft: "[", BracketRight: "]", Space: " ", Minus: "-", Period: ".", Slash: "/", Comma: ",", Semicolon: ";", Equal: "=" };

function usKey(e) {
  // Of a seal or a card small letters count; a pass has none.
  if (/^Key[A-Z]$/.test(e.code)) return /^(\{|s$|sh$|shc)/i.test(e.target.value) && !e.shiftKey ? e.code[3].toLowerCase() : e.code[3];
  if (e.shiftKey && SHIFTED[e.code]) return SHIFTED[e.code];
  if (/^Digit\d$/.test(e.code)) return e.code[5];
  return PLAIN[e.code] ?? "";
}

// waits reports whether the text is the beginning of a machine readable zone: a
// passport reader sends Enter after each of its lines.
function waits(text) {
  const t = text.replace(/\s/g, "").toUpperCase();
  return /^[PVIAC][A-Z0-9<]+$/.test(t) && t.includes("<") && t.length >= 28 && t.length < 72;
}

// holdBack keeps an Enter from sending a form that is empty or waits for a second line.
function holdBack(e, input) {
  const held = e.key === "Enter" && (input.value.trim() === "" || waits(input.value));
  if (held) e.preventDefault();
  return held;
}

// Some drivers of scanners send the character apart from the key.
document.addEventListener("keypress", (e) => {
  if (e.target instanceof HTMLInputElement && "wedge" in e.target.dataset) holdBack(e, e.target);
});

document.addEventListener("keydown", (e) => {
  const input = e.target;
  if (!(input instanceof HTMLInputElement) || !("wedge" in input.dataset)) return;
  if (e.ctrlKey || e.altKey || e.metaKey || e.isComposing) return;
  if (e.repeat && (e.key.length === 1 || e.key === "Enter")) {
    e.preventDefault();
    return;
  }
  if (holdBack(e, input)) return;
  if (e.key.length === 1 && e.key > "~") {
    const c = usKey(e);
    if (c === "") return;
    e.preventDefault();
    input.setRangeText(c, input.selectionStart, input.selectionEnd, "end");
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }
});

for (const button of document.querySelectorAll("[data-camera]")) {
  // Browsers give the camera to secure pages only; elsewhere there is nothing to offer.
  if (!navigator.mediaDevices?.getUserMedia) continue;
  const input = document.getElementById(button.dataset.camera);
  const view = document.getElementById(button.getAttribute("aria-controls"));
  const note = view.querySelector("[data-camera-note]");
  const video = view.querySelector("video");
  let close = null;
  button.hidden = false;
  const stop = () => {
    close?.();
    close = null;
    view.hidden = true;
    button.setAttribute("aria-expanded", "false");
    input.focus();
  };
  button.addEventListener("click", async () => {
    if (!view.hidden) return stop();
    view.hidden = false;
    note.hidden = true;
    button.setAttribute("aria-expanded", "true");
    try {
      const scan = await import(button.dataset.scan);
      close = await scan.open(video, { reader: button.dataset.reader, wasm: button.dataset.wasm }, (text) => {
        input.value = text;
        input.form.requestSubmit();
        if ("cameraOnce" in button.dataset) stop();
      });
      if (view.hidden) stop();
    } catch {
      note.hidden = false;
    }
  });
  addEventListener("pagehide", () => close?.());
}
