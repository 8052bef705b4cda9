// The cameras. One picture is asked for after the other, so that no camera holds a connection that the SOS may need.

import { element, make, say, within } from "./page.js";

const AGAIN_MS = 3000;
/** The hub waits ten seconds for a picture. */
const STALLED_MS = 13000;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function visible() {
  if (!document.hidden) return Promise.resolve();
  return new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true })).then(visible);
}

function away(figure, problem) {
  const notice = figure.querySelector(".picture > .away[role=status]");
  notice.hidden = !problem;
  const text = problem ? `${problem} ${say("cameraTriesAgain")}` : "";
  if (notice.textContent !== text) notice.textContent = text;
  figure.classList.toggle("is-away", Boolean(problem));
}

/** Loads one address into the picture; throws if none came. */
function load(picture, address) {
  return new Promise((resolve, reject) => {
    const stalled = setTimeout(reject, STALLED_MS);
    const done = (settle) => () => {
      clearTimeout(stalled);
      settle();
    };
    picture.onload = done(resolve);
    picture.onerror = done(reject);
    picture.src = address;
  });
}

async function reason(address) {
  try {
    const answer = await fetch(address, { signal: within(STALLED_MS) });
    return answer.ok ? "" : await answer.text();
  } catch {
    return say("cameraAway");
  }
}

async function followPictures(figure) {
  const picture = figure.querySelector("img");
  const address = `/cameras/${figure.dataset.number}/picture`;
  for (let number = 0; ; number += 1) {
    await visible();
    try {
      await load(picture, `${address}?${number}`);
      away(figure, "");
    } catch {
      const problem = await reason(address);
      if (problem) {
        away(figure, problem);
        await pause(AGAIN_MS);
      }
    }
  }
}

async function followVideo(figure) {
  const video = figure.querySelector("video");
  const address = `/cameras/${figure.dataset.number}/playlist.m3u8`;
  for (;;) {
    await visible();
    const problem = await reason(address);
    if (!problem) {
      away(figure, "");
      const broken = new Promise((resolve) => (video.onerror = resolve));
      video.src = address;
      video.play().catch(() => {});
      await broken;
    }
    away(figure, problem || say("cameraAway"));
    await pause(AGAIN_MS);
  }
}

export function start() {
  for (const figure of document.querySelectorAll(".camera")) {
    const big = (is) => {
      figure.classList.toggle("big", is);
      document.documentElement.classList.toggle("has-big", is);
      figure.querySelector(is ? ".leave" : ".full").focus();
    };
    figure.querySelector(".full").addEventListener("click", () => big(true));
    figure.querySelector(".leave").addEventListener("click", () => big(false));
    figure.addEventListener("keydown", ({ key }) => key === "Escape" && figure.classList.contains("big") && big(false));
    if (figure.dataset.kind === "pictures") followPictures(figure);
    if (figure.dataset.kind === "video") followVideo(figure);
  }
}
