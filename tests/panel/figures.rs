//! How long people wait for the panel, on a machine that does nothing else:
//!
//! `SOS_FIGURES=15 cargo test --release --test panel figures -- --nocapture`

use crate::browser::Browser;
use crate::installation::{Installation, Setup};
use crate::page::{POLICE, Page};

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

#[test]
fn figures() {
    let times: usize = std::env::var("SOS_FIGURES").map_or(1, |times| times.parse().expect("a number"));
    let home = Installation::running(Setup { countdown_seconds: 30, ..Setup::default() });
    let loads = (0..times).map(|_| {
        let browser = Browser::start();
        browser.before_pages(
            "new MutationObserver(() => {
               if (document.documentElement?.dataset.link === 'up') window.upAt ??= performance.now();
             }).observe(document, { attributes: true, subtree: true, childList: true });",
        );
        browser.open(&format!("http://{}/", home.panel()));
        browser.wait("the state", || browser.run("return window.upAt ?? 0;").as_f64() > Some(0.0));
        browser.run("return window.upAt;").as_f64().expect("a time")
    });
    println!("from an empty cache to the hub's state, median of {times}: {:.0} ms", median(loads.collect()));

    let page = Page::unlocked(&home);
    page.browser.run(
        "const real = window.fetch; window.took = []; let asked = 0; const seen = new Set();
         window.fetch = (address, options) => {
           if (address === '/commands/request') asked = performance.now();
           return real(address, options);
         };
         new MutationObserver(() => {
           for (const card of document.querySelectorAll('.incident[data-stage=countdown]')) {
             if (!seen.has(card)) window.took.push(performance.now() - asked);
             seen.add(card);
           }
         }).observe(document.querySelector('#cards'), { childList: true });",
    );
    for _ in 0..times {
        page.counts_down_for(POLICE);
        page.cancel("police");
        page.card("Cancelled in time");
        page.browser.click_on("#close");
    }
    let took = page.browser.run("return window.took;");
    let took: Vec<f64> = took.as_array().expect("times").iter().filter_map(serde_json::Value::as_f64).collect();
    assert_eq!(took.len(), times);
    println!("from the end of a drag to its countdown, median of {times}: {:.0} ms", median(took));
}
