// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Forms that ask and change nothing (a search for a good, the check of a quantity) are
// asked while the officer types. Without this script their buttons do the same.
//
//   <form method="get" data-live="id of the part that the answer replaces">

const PAUSE = 220; // milliseconds after the last key

for (const form of document.querySelectorAll("form[data-live]")) {
  let timer = 0;
  let asked = 0;
  const ask = async () => {
    const mine = ++asked;
    const url = new URL(form.action);
    url.search = new URLSearchParams(new FormData(form)).toString();
    let r;
    try {
      r = await fetch(url, { headers: { Accept: "text/html" } });
    } catch {
      return; // the button still works when the network is back
    }
    if (!r.ok || r.redirected || mine !== asked) return;
    const doc = new DOMParser().parseFromString(await r.text(), "text/html");
    const then = doc.getElementById(form.dataset.live);
    const now = document.getElementById(form.dataset.live);
    if (mine === asked && now && then) now.replaceWith(document.adoptNode(then));
  };
  form.addEventListener("input", () => {
    // What is on the page no longer answers what is in the field: nobody may act on it.
    asked++;
    for (const b of document.querySelectorAll(`#${form.dataset.live} [data-act]`)) b.disabled = true;
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE);
  });
  form.addEventListener("submit", (e) => {
    if (!("liveOnly" in form.dataset)) return;
    e.preventDefault();
    clearTimeout(timer);
    ask();
  });
}

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}
