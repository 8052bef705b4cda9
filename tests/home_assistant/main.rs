//! The shipped hub as Home Assistant meets it on the wire, with the shipped rules of the home's broker. Home Assistant
//! itself is too large for every run: `real/run` shows the hub to one.

#[path = "../support/mod.rs"]
mod support;

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

mod device;
mod entities;
mod world;
