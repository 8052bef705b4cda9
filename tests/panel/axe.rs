//! What keeps people from using a page, as axe-core finds it.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::page::Page;

/// As in `.ci/install`, which fetches it.
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/axe-core-4.14.1.js");

/// All its rules, those included that are off unless asked for because they came with a later edition of the standard.
const RUN: &str = "
    return axe.run(document, { rules: { 'target-size': { enabled: true } }, resultTypes: ['violations'] })
      .then(({ violations, passes }) => ({
        rules: passes.length,
        found: violations.flatMap(({ id, nodes }) =>
          nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)}: ${failureSummary}`)),
      }));";

/// What does not fit into the window or is too small for a finger; axe-core does not look for either.
const FIT: &str = "
    const inUse = document.querySelector('dialog[open]') ?? document.body;
    const wrong = [];
    const shown = (element) => element.outerHTML.slice(0, 120);
    for (const { localName, scrollWidth, clientWidth } of [document.scrollingElement, inUse])
      if (scrollWidth > clientWidth) wrong.push(`${localName} is wider than there is room: ${scrollWidth} of ${clientWidth}`);
    for (const element of inUse.querySelectorAll('button, h1, h2, p, li, summary, .slider, input, figcaption')) {
      if (!element.checkVisibility({ visibilityProperty: true }) || element.matches('.visually-hidden')) continue;
      const { left, right, width, height } = element.getBoundingClientRect();
      if (right > innerWidth + 1 || left < -1) wrong.push(`out of the window: ${shown(element)}`);
      const isPressed = element.matches('button, input, summary, .slider');
      if (isPressed && (width < 44 || height < 32)) wrong.push(`small, ${width} by ${height}: ${shown(element)}`);
    }
    return wrong;";

/// Fails if there is anything wrong with the page as it is now.
pub fn finds_nothing(page: &Page, what: &str) {
    if page.browser.run("return typeof axe;") == "undefined" {
        assert!(Path::new(FILE).exists(), "axe-core is not there: run .ci/install");
        page.browser.run(&fs::read_to_string(FILE).expect("axe-core"));
    }
    let result = page.browser.run(RUN);
    assert!(result["rules"].as_u64().is_some_and(|rules| rules >= 10), "{what}: it has looked at nothing: {result}");
    assert_eq!(result["found"], json!([]), "{what}");
    assert_eq!(page.browser.run(FIT), Value::Array(Vec::new()), "{what}");
}
