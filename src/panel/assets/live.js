// The cameras. Their pictures and playlists take turns, so that no camera holds a connection that the SOS may need; and a
// picture that is not of now is not shown.

import { on } from "./link.js";
import { say, tell } from "./page.js";
import { LANES, isHeld, onHold, turn } from "./turns.js";

/** A camera that has a picture gives it within this; with many cameras each has less. */
const TURN_MS = 2000;
const SHORTEST_TURN_MS = 500;
/** The hub leaves a camera that nobody asked for in ten seconds, and a slow one would have to begin again each time. */
const ROUND_MS = 8000;
/** After so many turns in vain a camera waits among the doubtful ones. */
const MOST_MISSES = 3;
const AGAIN_MS = 3000;
const LOOK_MS = 1000;
/** Without a new picture for so long, and for each camera that takes turns, it is not live. */
const LATE_MS = 5000;
const LATE_EACH_MS = 500;
/** Videos fetch by themselves, as many pieces as they like. */
const MOST_VIDEOS = 2;

/** How long a turn lasts at most, so that each camera has one in a round. */
const turnMs = (lane) => Math.max(SHORTEST_TURN_MS, Math.min(TURN_MS, (ROUND_MS * LANES[lane]) / cameras.length));

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const cameras = [...document.querySelectorAll(".camera")].map((figure) => ({
  figure,
  name: `/cameras/${figure.dataset.number}`,
  seenAt: performance.now(),
  problem: "",
}));
const lateMs = LATE_MS + LATE_EACH_MS * cameras.length;
/** The videos that play, the one that has played longest first. */
const playing = [];
let waiting = [];

/** Waits until this is so; it is looked at again whenever something of the page has changed. */
async function until(condition) {
  while (!condition()) await new Promise((resolve) => waiting.push(resolve));
}

function changed() {
  const woken = waiting;
  waiting = [];
  for (const wake of woken) wake();
}

const isWanted = () => !document.hidden && !isHeld();

function away(camera, problem) {
  camera.problem = problem;
  const notice = camera.figure.querySelector(".picture > .away[role=status]");
  const text = isHeld() ? say("cameraHeld") : problem && `${problem} ${say("cameraTriesAgain")}`;
  notice.hidden = !text;
  tell(notice, text);
  camera.figure.classList.toggle("is-away", Boolean(text));
}

function isLive(camera) {
  camera.seenAt = performance.now();
  away(camera, "");
}

/** Takes the pictures of before away. */
function blank() {
  for (const { figure } of cameras) {
    const canvas = figure.querySelector("canvas");
    if (canvas) canvas.width = 0;
  }
}

/** `{ picture }`, or `{ problem }` as a sentence; neither where it was broken off. */
async function picture(address, signal) {
  let answer;
  try {
    answer = await fetch(address, { signal });
    if (!answer.ok) return { problem: await answer.text() };
    return { picture: await createImageBitmap(await answer.blob()) };
  } catch {
    return signal.aborted ? {} : { problem: say("cameraAway") };
  }
}

async function followPictures(camera) {
  const canvas = camera.figure.querySelector("canvas");
  const pen = canvas.getContext("2d");
  let misses = 0;
  for (;;) {
    await until(isWanted);
    const lane = misses < MOST_MISSES ? "good" : "doubtful";
    const found = await turn(lane, turnMs(lane), (signal) => picture(`${camera.name}/picture`, signal));
    misses = found.picture ? 0 : misses + 1;
    if (found.picture) {
      [canvas.width, canvas.height] = [found.picture.width, found.picture.height];
      pen.drawImage(found.picture, 0, 0);
      found.picture.close();
      isLive(camera);
    } else if (found.problem) {
      away(camera, found.problem);
      await pause(AGAIN_MS);
    }
  }
}

/** Why there is no playlist, as a sentence; empty if there is one. */
async function reason(address, signal) {
  try {
    const answer = await fetch(address, { signal });
    return answer.ok ? "" : await answer.text();
  } catch {
    return say("cameraAway");
  }
}

async function followVideo(camera) {
  const video = camera.figure.querySelector("video");
  const address = `${camera.name}/playlist.m3u8`;
  const plays = () => isWanted() && playing.includes(camera);
  camera.figure.querySelector(".play").addEventListener("click", () => play(camera));
  if (playing.length < MOST_VIDEOS) play(camera);
  for (;;) {
    await until(plays);
    const problem = await turn("doubtful", TURN_MS, (signal) => reason(address, signal));
    if (!problem && plays()) {
      isLive(camera);
      [camera.isBroken, camera.time] = [false, 0];
      video.onerror = () => {
        camera.isBroken = true;
        changed();
      };
      video.src = address;
      video.play().catch(() => {});
      await until(() => !plays() || camera.isBroken);
      video.removeAttribute("src");
      video.load();
    }
    if (plays()) {
      away(camera, problem || say("cameraAway"));
      await pause(AGAIN_MS);
    }
  }
}

/** Plays a video; if that is one too many, another one stops. */
function play(camera) {
  playing.push(camera);
  if (playing.length > MOST_VIDEOS) playing.shift();
  for (const { figure } of cameras) {
    const button = figure.querySelector(".play");
    if (button) button.hidden = playing.some((one) => one.figure === figure);
  }
  changed();
}

/** Says of each camera that has given nothing new for long that it is away. */
function look() {
  for (const camera of cameras) {
    const video = camera.figure.querySelector("video");
    if (video && !playing.includes(camera)) continue;
    if (video && video.currentTime !== camera.time) {
      camera.time = video.currentTime;
      if (!camera.isBroken) isLive(camera);
    }
    if (!isWanted()) camera.seenAt = performance.now();
    else if (!camera.problem && performance.now() - camera.seenAt > lateMs) {
      away(camera, say("cameraAway"));
      camera.isBroken = true;
      changed();
    }
  }
}

export function start() {
  for (const camera of cameras) {
    const { figure } = camera;
    const big = (is) => {
      figure.classList.toggle("big", is);
      document.documentElement.classList.toggle("has-big", is);
      figure.querySelector(is ? ".leave" : ".full").focus();
    };
    figure.querySelector(".full").addEventListener("click", () => big(true));
    figure.querySelector(".leave").addEventListener("click", () => big(false));
    figure.addEventListener("keydown", ({ key }) => key === "Escape" && figure.classList.contains("big") && big(false));
    if (figure.dataset.kind === "pictures") followPictures(camera);
    if (figure.dataset.kind === "video") followVideo(camera);
  }
  onHold(() => {
    for (const camera of cameras) if (camera.figure.dataset.kind !== "unsupported") away(camera, camera.problem);
    blank();
    changed();
  });
  document.addEventListener("visibilitychange", () => {
    blank();
    changed();
  });
  // The hub is gone, or this page has slept.
  on("link", (link) => link !== "up" && blank());
  setInterval(look, LOOK_MS);
}
