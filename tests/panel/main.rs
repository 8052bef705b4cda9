//! The web panel of the shipped binary, as people meet it: in a real browser, with real brokers around the hub; and as
//! somebody meets it who means harm, with bytes of their own.

#[path = "../support/mod.rs"]
mod support;

#[path = "../support/browser.rs"]
mod browser;

macro_rules! shared {
    ($($name:ident $path:literal),* $(,)?) => {
        $(
            #[path = $path]
            #[allow(dead_code, reason = "each test program uses its part of what stands around the hub")]
            mod $name;
        )*
    };
}

shared! {
    app "../end_to_end/app.rs",
    center "../end_to_end/center.rs",
    client "../end_to_end/client.rs",
    hub_process "../end_to_end/hub_process.rs",
    installation "../end_to_end/installation.rs",
    lines "../end_to_end/lines.rs",
    tokens "../end_to_end/tokens.rs",
}

mod alone;
mod axe;
mod camera;
mod http;
mod page;
mod tls;

mod access;
mod attacks;
mod certificate;
mod connection;
mod crowds;
mod doubt;
mod gate;
mod hangs;
mod help;
mod known;
mod patience;
mod taps;

mod figures;
mod installed;
mod keyboard;
mod live;
mod load;
mod looks;
mod memory;

mod setup;
