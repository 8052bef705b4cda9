//! Any address and any form that a browser may send to the operator console.

use sos_hub::center::console::address::{Page, decoded, decoded_text, encoded, field};
use sos_hub::wire::text::tidy;

/// Lines: an address, a value, a form.
pub fn check(data: &[u8]) {
    let mut lines = data.splitn(3, |byte| *byte == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    let (address, value, form) = (line(), line(), line());

    if let Some(page) = str::from_utf8(address).ok().and_then(Page::at) {
        assert_eq!(Page::at(&page.address()).as_ref(), Some(&page), "a page is found by its address");
        assert!(page.address().is_ascii() && page.address().starts_with('/') && !page.address().starts_with("//"));
    }
    if let Ok(value) = str::from_utf8(value) {
        assert_eq!(decoded_text(&encoded(value)).as_deref(), Some(value), "a value survives the way out and back");
        if let Some(text) = decoded(value) {
            assert_eq!(text, tidy(&text, 128), "it is fit to be shown");
        }
        let filled = format!("other=1&text={}&text=no", encoded(value));
        assert_eq!(field(filled.as_bytes(), "text").as_deref(), Some(value), "the first of that name");
    }
    for name in ["step", "button", "text", "password", "name", "next"] {
        if let Some(value) = field(form, name) {
            assert!(value.len() <= form.len());
            let position = form.windows(name.len()).position(|window| window == name.as_bytes());
            assert!(position.is_some(), "what is not in a form has no value");
        }
    }
}
