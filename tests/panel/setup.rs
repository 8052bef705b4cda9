//! The page that says what is wrong, and the tests on it.

use crate::installation::{Installation, Setup};
use crate::page::Page;

#[test]
fn what_is_wrong_is_said_with_how_to_mend_it() {
    let home = Installation::running(Setup { plan: Some("protect_basic"), ..Setup::default() });
    let page = Page::locked(&home);
    page.open("/setup");
    page.browser.wait_for_text_in("#obstacles", "The account's plan has no professional monitoring");
    page.browser.wait_for_text_in("#obstacles", "Order a plan with professional monitoring");
    home.center.plan("protect_plus", 2);
    page.browser.wait_for_text_in("#obstacles", "Nothing is wrong.");
}

#[test]
fn siren_and_center_are_tested_where_no_sos_is() {
    let home = Installation::running(Setup::default());
    let page = Page::unlocked(&home);
    page.open("/setup");
    page.is_connected();
    page.browser.press("Test the siren for two seconds");
    home.lines.siren_is(1);
    page.browser.wait_for_text_in("#tested", "two seconds");
    home.lines.siren_is(0);
    page.browser.press("Test the way to the monitoring center");
    page.browser.wait_for_text_in("#tested", "has confirmed the test signal");
    page.browser.run("document.querySelector('#lock').scrollIntoView({ block: 'center' });");
    page.browser.press("Forget the PIN on this browser");
    page.browser.wait("the page is locked", || page.browser.has("body[data-may=pin]"));
}
