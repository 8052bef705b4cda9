// Makes one element look like another and keeps what is the same: so a page can change under somebody who types in it.

/** Makes the content of `from` that of `to`. Elements are the same by their id, or else by place and tag. */
export function morph(from, to) {
  const focused = document.activeElement;
  const selection = focused && "selectionStart" in focused ? [focused.selectionStart, focused.selectionEnd] : null;
  children(from, to);
  if (focused && focused !== document.activeElement && focused.isConnected) {
    // It was moved, and moving takes the focus away.
    focused.focus({ preventScroll: true });
    if (selection && selection[0] !== null) focused.setSelectionRange(...selection);
  }
}

function children(from, to) {
  let at = from.firstChild;
  for (const wanted of [...to.childNodes]) {
    const same = find(from, at, wanted);
    if (same) {
      if (same !== at) from.insertBefore(same, at);
      else at = at.nextSibling;
      node(same, wanted);
    } else {
      from.insertBefore(wanted, at);
    }
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

function find(from, at, wanted) {
  if (wanted.id) {
    for (let node = at; node; node = node.nextSibling) {
      if (node.id === wanted.id && node.nodeName === wanted.nodeName) return node;
    }
    return null;
  }
  return at && !at.id && at.nodeName === wanted.nodeName ? at : null;
}

function node(from, to) {
  if (from.nodeType !== Node.ELEMENT_NODE) {
    if (from.nodeValue !== to.nodeValue) from.nodeValue = to.nodeValue;
    return;
  }
  for (const { name } of [...from.attributes]) if (!to.hasAttribute(name)) from.removeAttribute(name);
  for (const { name, value } of [...to.attributes]) {
    if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  }
  // What somebody has typed stays; a hidden field is the page's own.
  if (from.nodeName === "INPUT") {
    if (from.type === "hidden") from.value = to.value;
    return;
  }
  children(from, to);
}
