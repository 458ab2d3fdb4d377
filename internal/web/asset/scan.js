// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// The camera: it looks for a QR code with the browser's own detector, else with
// zxing-wasm, which is fetched only then. Loaded when an officer asks for the camera.

const EVERY = 120; // milliseconds between two looks

function addScript(url) {
  return new Promise((resolve, reject) => {
    const s = document.createElement("script");
    s.src = url;
    s.onload = resolve;
    s.onerror = () => reject(new Error("no detector"));
    document.head.append(s);
  });
}

// detector returns a function from a video or picture to the text of a code in it, or "".
export async function detector(urls) {
  if ("BarcodeDetector" in globalThis) {
    try {
      const kinds = await BarcodeDetector.getSupportedFormats();
      if (kinds.includes("qr_code")) {
        const d = new BarcodeDetector({ formats: ["qr_code"] });
        return async (picture) => (await d.detect(picture))[0]?.rawValue ?? "";
      }
    } catch {
      // A detector that cannot start is as good as none.
    }
  }
  if (!globalThis.ZXingWASM) await addScript(urls.reader);
  await ZXingWASM.prepareZXingModule({
    overrides: { locateFile: () => urls.wasm },
    fireImmediately: true,
  });
  const canvas = document.createElement("canvas");
  const g = canvas.getContext("2d", { willReadFrequently: true });
  return async (picture) => {
    const w = picture.videoWidth || picture.naturalWidth || picture.width;
    const h = picture.videoHeight || picture.naturalHeight || picture.height;
    if (!w || !h) return "";
    // More than about a megapixel costs time and finds no more.
    const k = Math.min(1, 1280 / Math.max(w, h));
    canvas.width = Math.round(w * k);
    canvas.height = Math.round(h * k);
    g.drawImage(picture, 0, 0, canvas.width, canvas.height);
    const found = await ZXingWASM.readBarcodes(g.getImageData(0, 0, canvas.width, canvas.height), {
      formats: ["QRCode"],
      maxNumberOfSymbols: 1,
    });
    return found[0]?.text ?? "";
  };
}

// open shows the camera in the video and calls found with each new text, until the
// returned function is called. A text that stays in view is told once.
export async function open(video, urls, found) {
  const stream = await navigator.mediaDevices.getUserMedia({
    audio: false,
    video: { facingMode: "environment", width: { ideal: 1280 }, height: { ideal: 720 } },
  });
  let running = true;
  const close = () => {
    running = false;
    for (const t of stream.getTracks()) t.stop();
    video.srcObject = null;
  };
  try {
    video.srcObject = stream;
    await video.play();
    const look = await detector(urls);
    let last = "";
    let seenAt = 0;
    (async () => {
      while (running) {
        try {
          const text = document.hidden ? "" : await look(video);
          const now = performance.now();
          if (text && (text !== last || now - seenAt > 3000) && running) found(text);
          if (text) {
            last = text;
            seenAt = now;
          }
        } catch {
          // One frame that cannot be read says nothing about the next.
        }
        await new Promise((r) => setTimeout(r, EVERY));
      }
    })();
  } catch (e) {
    close();
    throw e;
  }
  return close;
}
