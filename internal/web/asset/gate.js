// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// The gate's page: it posts its forms without leaving the page and puts the server's
// answer in place of the one before. Without this script the same forms work as pages.

const RETRIES = [300, 700, 1500, 3000]; // milliseconds before each further try
const SAME = 2500; // a text that comes again within this time is the same trigger pull

const form = document.getElementById("scan");
const field = form.elements.text;
const offline = document.getElementById("offline");
const sound = document.getElementById("sound");

// newKey names one act, so that a retry of it is answered and not done again. (Not
// randomUUID, which only secure pages have.)
function newKey() {
  const b = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(b, (x) => x.toString(16).padStart(2, "0")).join("");
}

const wait = (ms) => new Promise((r) => setTimeout(r, ms));

async function post(url, body) {
  for (let i = 0; ; i++) {
    try {
      const r = await fetch(url, { method: "POST", body, redirect: "follow", headers: { Accept: "text/html" } });
      // 503 says that the answer may be lost: the same key asks for it again.
      if (r.status !== 503 && r.status !== 502 && r.status !== 504) return r;
    } catch {
      // No network, or a server that is being started again.
    }
    if (i >= RETRIES.length) return null;
    await wait(RETRIES[i]);
  }
}

function focusField() {
  field.focus({ preventScroll: true });
}

// Parts of the page that an answer replaces.
function swap(doc) {
  for (const id of ["answer", "counts", "last"]) {
    const now = document.getElementById(id);
    const then = doc.getElementById(id);
    if (now && then) now.replaceWith(document.adoptNode(then));
  }
}

function shown() {
  const answer = document.getElementById("answer");
  beep(answer.dataset.outcome);
  const asks = answer.querySelector("[data-focus]");
  if (asks) asks.focus({ preventScroll: true });
  else focusField();
  // The answer has the screen: what it says stands above the fold, whatever is over it.
  const box = answer.getBoundingClientRect();
  if (box.bottom > innerHeight || box.top < 0) answer.scrollIntoView({ block: "start" });
}

function failed(again) {
  const answer = document.getElementById("answer");
  answer.replaceChildren(offline.content.cloneNode(true));
  answer.dataset.outcome = "OFFLINE";
  answer.removeAttribute("aria-busy");
  answer.className = "verdict answer-offline";
  answer.querySelector("button").addEventListener("click", again);
}

// refused shows why something could not be done, in the place of an answer: the queue
// goes on from here.
function refused(doc) {
  const answer = document.getElementById("answer");
  answer.replaceChildren(...document.adoptNode(doc.querySelector("main")).childNodes);
  answer.dataset.outcome = "PROBLEM";
  answer.className = "verdict problem";
  answer.removeAttribute("aria-busy");
  focusField();
}

// Acts are done one after another, in the order in which they were asked for.
let tail = Promise.resolve();
let waiting = 0;

function act(url, body) {
  waiting++;
  document.getElementById("answer").setAttribute("aria-busy", "true");
  tail = tail.then(async () => {
    const r = await post(url, body);
    waiting--;
    if (r === null) return failed(() => act(url, body));
    if (r.status === 401) return location.reload(); // the session has ended: sign in and come back
    if (r.redirected && !/^\/[a-z]+\/gate\b/.test(new URL(r.url).pathname)) return location.assign(r.url);
    const doc = new DOMParser().parseFromString(await r.text(), "text/html");
    if (!doc.getElementById("answer")) return refused(doc);
    swap(doc);
    if (waiting > 0) document.getElementById("answer").setAttribute("aria-busy", "true");
    shown();
  });
}

let lastText = "";
let lastKey = "";
let lastWay = "";
let lastAt = -Infinity;

document.addEventListener("submit", (e) => {
  const f = e.target;
  if (!("swap" in f.dataset)) return;
  e.preventDefault();
  const body = new URLSearchParams(new FormData(f, e.submitter));
  if (f === form) {
    const text = field.value.trim();
    if (text === "") return focusField();
    const way = body.get("direction");
    const now = performance.now();
    const same = text === lastText && way === lastWay && now - lastAt < SAME;
    lastKey = same ? lastKey : newKey();
    [lastText, lastWay, lastAt] = [text, way, now];
    body.set(form.dataset.key, lastKey);
    field.value = "";
    act(f.action, body);
    return;
  }
  // A scanner fired into a field of the answer: it is the next traveller's pass.
  const stray = Array.from(f.elements).find((x) => x.type === "text" && /^DW\d:/i.test(x.value));
  if (stray) {
    field.value = stray.value;
    stray.value = "";
    form.requestSubmit();
    return;
  }
  // A second click on the same form carries the same key and is answered the same.
  act(f.action, body);
});

// The page keeps the scanner's field in focus: a tap on nothing in particular, a return
// to the page and a key that would go nowhere all lead there.
const busyWith = (el) => el?.closest?.("a,button,input,select,textarea,summary,label,video") != null;
document.addEventListener("click", (e) => {
  if (!busyWith(e.target) && String(getSelection()) === "") focusField();
});
addEventListener("focus", () => {
  if (!busyWith(document.activeElement)) focusField();
});
document.addEventListener("keydown", (e) => {
  if (e.key.length === 1 && !e.ctrlKey && !e.altKey && !e.metaKey && e.key !== " " && !busyWith(document.activeElement)) focusField();
}, true);
for (const radio of form.elements.direction) {
  radio.addEventListener("change", () => {
    form.dataset.direction = radio.value;
    focusField();
  });
}

// Sounds are off until the officer turns them on; the tablet remembers.
const TONES = { ALLOW: [[880, 90]], HOLD: [[520, 120], [520, 120]], REFER: [[520, 120], [520, 120]], REFUSE: [[220, 400]], CLOSED: [[220, 400]] };
let audio = null;
function beep(outcome) {
  if (!sound?.checked) return;
  audio ??= new AudioContext();
  let at = audio.currentTime + 0.02;
  for (const [hertz, ms] of TONES[outcome] ?? TONES.REFUSE) {
    const o = audio.createOscillator();
    const g = audio.createGain();
    o.frequency.value = hertz;
    g.gain.value = 0.2;
    o.connect(g).connect(audio.destination);
    o.start(at);
    o.stop(at + ms / 1000);
    at += ms / 1000 + 0.08;
  }
}
if (sound) {
  sound.closest("[hidden]")?.removeAttribute("hidden");
  try {
    sound.checked = localStorage.getItem("darwaza.sound") === "on";
    sound.addEventListener("change", () => {
      localStorage.setItem("darwaza.sound", sound.checked ? "on" : "off");
      if (sound.checked) beep("ALLOW");
      focusField();
    });
  } catch {
    // Storage that is switched off: the choice lasts as long as the page.
  }
}

focusField();
