// What a screen reader, a keyboard and weak eyes need, as far as a script can tell. Returns what is wrong, in words.
const wrong = [];
const visible = (element) => element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true });
const inUse = document.querySelector("dialog[open]") ?? document.body;
const all = (selector) => [...inUse.querySelectorAll(selector)].filter(visible);
const shown = (element) => element.outerHTML.slice(0, 80);

function name(element) {
  const referred = (element.getAttribute("aria-labelledby") ?? "").split(" ").map((id) => document.getElementById(id)?.textContent);
  const labels = [...(element.labels ?? [])].map((label) => label.textContent);
  const own = element.getAttribute("alt") ?? element.textContent;
  return [element.getAttribute("aria-label"), ...referred, ...labels, own].find((text) => text?.trim()) ?? "";
}

if (!document.documentElement.lang) wrong.push("the page has no language");
if (!document.title) wrong.push("the page has no title");
if (document.querySelectorAll("main").length !== 1) wrong.push("the page has no single main part");
if (inUse === document.body && all("h1").length !== 1) wrong.push("the page has no single first heading");
const ids = [...document.querySelectorAll("[id]")].map(({ id }) => id);
for (const id of ids) if (ids.filter((other) => other === id).length > 1) wrong.push(`the id ${id} is there twice`);
for (const attribute of ["aria-labelledby", "aria-describedby", "aria-controls"])
  for (const element of document.querySelectorAll(`[${attribute}]`))
    for (const id of element.getAttribute(attribute).split(" "))
      if (!document.getElementById(id)) wrong.push(`${attribute} names ${id}, which is not there`);
for (const element of all("button, a[href], input, select, textarea, img, video, dialog, nav, [role=slider], [role=timer] ~ button, section[aria-labelledby]"))
  if (!name(element)) wrong.push(`no name: ${shown(element)}`);
for (const element of all("[role=slider]"))
  for (const attribute of ["aria-valuenow", "aria-valuemin", "aria-valuemax"])
    if (!element.hasAttribute(attribute)) wrong.push(`no ${attribute}: ${shown(element)}`);
for (const element of all("[tabindex]")) if (element.tabIndex > 0) wrong.push(`an order of its own: ${shown(element)}`);
for (const element of all("[aria-hidden=true] button, [aria-hidden=true] a, button button, a button, button a"))
  wrong.push(`cannot be reached: ${shown(element)}`);
let level = inUse === document.body ? 0 : 1;
for (const heading of all("h1, h2, h3, h4")) {
  const next = Number(heading.localName[1]);
  if (next > level + 1) wrong.push(`a heading is left out before: ${shown(heading)}`);
  level = next;
}
for (const list of all("ul, ol")) for (const child of list.children) if (child.localName !== "li") wrong.push(`no item of a list: ${shown(child)}`);
for (const element of all("button, input, nav a, [role=slider], summary")) {
  const { width, height } = element.getBoundingClientRect();
  if (width < 44 || height < 32) wrong.push(`small (${width} by ${height}): ${shown(element)}`);
}

const paint = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
function rgba(color) {
  paint.clearRect(0, 0, 1, 1);
  paint.fillStyle = color;
  paint.fillRect(0, 0, 1, 1);
  const [r, g, b, a] = paint.getImageData(0, 0, 1, 1).data;
  return [r, g, b, a / 255];
}
const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a), 1];
function ground(element) {
  if (!element) return rgba(getComputedStyle(document.body).backgroundColor);
  const shape = element.matches("#sos") && element.querySelector("svg path");
  const color = rgba(shape ? getComputedStyle(shape).fill : getComputedStyle(element).backgroundColor);
  return color[3] === 1 ? color : over(color, ground(element.parentElement));
}
const light = ([r, g, b]) => {
  const [R, G, B] = [r, g, b].map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * R + 0.7152 * G + 0.0722 * B;
};
const walker = document.createTreeWalker(inUse, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const { textContent, parentElement } = walker.currentNode;
  if (!textContent.trim() || !visible(parentElement) || parentElement.closest("script, noscript, .visually-hidden, .skip")) continue;
  const style = getComputedStyle(parentElement);
  const behind = ground(parentElement);
  const [a, b] = [light(over(rgba(style.color), behind)), light(behind)];
  const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  const size = parseFloat(style.fontSize);
  const enough = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
  if (contrast < enough) wrong.push(`contrast ${contrast.toFixed(2)}: ${textContent.trim().slice(0, 40)} in ${shown(parentElement)}`);
}

for (const { localName, scrollWidth, clientWidth } of [document.scrollingElement, inUse])
  if (scrollWidth > clientWidth) wrong.push(`wider than there is room: ${localName}, ${scrollWidth} of ${clientWidth}`);
for (const element of all("button, h1, h2, p, li, summary, .slider, input, figcaption")) {
  const place = element.getBoundingClientRect();
  if (place.right > innerWidth + 1 || place.left < -1) wrong.push(`out of the window: ${shown(element)}`);
}
return wrong;
