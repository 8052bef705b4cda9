// Looks for the hub again, so that a tablet on the wall does not stay on this page.

const AGAIN_MS = 3000;

async function look() {
  const broken = new AbortController();
  setTimeout(() => broken.abort(), AGAIN_MS);
  const answer = await fetch("/manifest.webmanifest", { cache: "no-store", signal: broken.signal }).catch(() => null);
  if (answer?.ok) location.reload();
}

setInterval(look, AGAIN_MS);
