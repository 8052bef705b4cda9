//! Draws the wiring diagram of `docs/wiring.md`:
//!
//! ```sh
//! cargo run --example wiring > docs/wiring.svg
//! ```

use std::fmt::Write;

const WIDTH: u32 = 860;
const HEIGHT: u32 = 520;

/// Where the header's pins are.
const HEADER_RIGHT: u32 = 250;

/// A pin of the header that is used: its height, its name, and its number.
const PINS: [(u32, &str, &str); 7] = [
    (100, "5 V or 3.3 V", "2 or 1"),
    (140, "GPIO17  siren", "11"),
    (180, "ground", "9"),
    (290, "GPIO22  button", "15"),
    (330, "ground", "14"),
    (410, "GPIO27  LED", "13"),
    (450, "ground", "25"),
];

fn main() {
    print!("{}", svg());
}

/// The whole file.
pub fn svg() -> String {
    let mut drawing = Drawing(String::new());
    drawing.header();
    drawing.siren();
    drawing.button();
    drawing.led();
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"14\">\n<title>Siren, button and LED at the header of a Raspberry Pi</title>\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>\n{}</svg>\n",
        drawing.0
    )
}

struct Drawing(String);

impl Drawing {
    fn header(&mut self) {
        self.shape(40, 50, HEADER_RIGHT - 40, 430, "#dff0d8");
        self.text(55, 75, "Raspberry Pi, 40-pin header");
        for (y, name, number) in PINS {
            self.text(60, y + 5, name);
            self.text(HEADER_RIGHT - 72, y + 5, &format!("pin {number}"));
            self.dot(HEADER_RIGHT, y);
        }
    }

    /// The relay keeps the siren's supply apart from the Pi.
    fn siren(&mut self) {
        self.shape(400, 70, 150, 140, "#d9edf7");
        self.text(400, 60, "relay module for 3.3 V signals");
        for (y, pin, left) in [(100, "VCC", "#c0392b"), (140, "IN", "#2471a3"), (180, "GND", "#333333")] {
            self.wire(&[(HEADER_RIGHT, y), (400, y)], left);
            self.text(408, y + 5, pin);
        }
        for (y, pin) in [(100, "COM"), (180, "NO")] {
            self.text(508, y + 5, pin);
            self.dot(550, y);
        }
        self.shape(640, 70, 180, 60, "#fcf8e3");
        self.text(652, 95, "siren's own supply, 12 V");
        self.text(652, 115, "+  (fuse)            −");
        self.shape(640, 190, 180, 60, "#f2dede");
        self.text(652, 225, "siren   +              −");
        self.wire(&[(550, 100), (640, 100)], "#c0392b");
        self.wire(&[(550, 180), (595, 180), (595, 220), (640, 220)], "#c0392b");
        self.wire(&[(800, 130), (800, 190)], "#333333");
    }

    fn button(&mut self) {
        self.wire(&[(HEADER_RIGHT, 290), (560, 290)], "#2471a3");
        self.wire(&[(HEADER_RIGHT, 330), (640, 330), (640, 290), (620, 290)], "#333333");
        self.wire(&[(560, 290), (612, 272)], "#333333");
        self.dot(560, 290);
        self.dot(620, 290);
        self.text(665, 296, "button, closes to ground");
        // For a long cable.
        self.shape(330, 236, 80, 20, "#eeeeee");
        self.text(340, 251, "10 kΩ");
        self.wire(&[(410, 246), (430, 246), (430, 290)], "#888888");
        self.wire(&[(330, 246), (300, 246)], "#888888");
        self.text(262, 226, "3.3 V (pin 1)");
        self.text(440, 251, "for a long cable only");
    }

    fn led(&mut self) {
        self.wire(&[(HEADER_RIGHT, 410), (340, 410)], "#2471a3");
        self.shape(340, 400, 80, 20, "#eeeeee");
        self.text(358, 415, "330 Ω");
        self.wire(&[(420, 410), (500, 410)], "#2471a3");
        self.triangle(500, 410);
        self.wire(&[(530, 410), (580, 410), (580, 450), (HEADER_RIGHT, 450)], "#333333");
        self.text(600, 415, "LED (the longer leg to the resistor)");
    }

    fn shape(&mut self, x: u32, y: u32, width: u32, height: u32, fill: &str) {
        self.put(&format!(
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"6\" fill=\"{fill}\" stroke=\"#333333\"/>"
        ));
    }

    fn text(&mut self, x: u32, y: u32, text: &str) {
        self.put(&format!("<text x=\"{x}\" y=\"{y}\" fill=\"#222222\" xml:space=\"preserve\">{text}</text>"));
    }

    fn dot(&mut self, x: u32, y: u32) {
        self.put(&format!("<circle cx=\"{x}\" cy=\"{y}\" r=\"4\" fill=\"#333333\"/>"));
    }

    fn triangle(&mut self, x: u32, y: u32) {
        let (top, bottom, tip) = (y - 14, y + 14, x + 28);
        self.put(&format!(
            "<path d=\"M{x} {top} L{x} {bottom} L{tip} {y} Z M{tip} {top} L{tip} {bottom}\" fill=\"#f7dc6f\" stroke=\"#333333\" stroke-width=\"2\"/>"
        ));
    }

    fn wire(&mut self, points: &[(u32, u32)], colour: &str) {
        let points: Vec<String> = points.iter().map(|(x, y)| format!("{x},{y}")).collect();
        let points = points.join(" ");
        self.put(&format!("<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"3\"/>"));
    }

    fn put(&mut self, element: &str) {
        // Writing into a text cannot fail.
        let _ = writeln!(self.0, "{element}");
    }
}
