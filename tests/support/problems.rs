//! What is said of a configuration file, and changes to one that make it say something.

use std::path::Path;

use sos_hub::config::Problems;

/// A changed text and what is said of it.
pub struct Change {
    pub text: String,
    pub expected: &'static str,
}

/// Reads blocks of `- line` (taken out of `least`), `+ line` (put in its place) and the line that is said then.
pub fn changes(least: &str, blocks: &'static str) -> impl Iterator<Item = Change> {
    blocks.trim().split("\n\n").map(move |block| {
        let lines =
            |mark| block.lines().filter_map(move |line| line.strip_prefix(mark)).map(|line| format!("{line}\n"));
        let (old, new): (String, String) = (lines("- ").collect(), lines("+ ").collect());
        assert_eq!(least.matches(&old).count(), 1, "{old}");
        Change { text: least.replace(&old, &new), expected: block.lines().last().unwrap() }
    })
}

/// A line each: `error 4:8 ^^ sentence`. The directory's name is cut out.
pub fn summary(dir: &Path, problems: &Problems) -> Vec<String> {
    let rendered = problems.to_string().replace(&format!("{}/", dir.display()), "");
    let mut list = Vec::new();
    for block in rendered.split("\n\n").filter(|block| block.contains("--> ")) {
        let mut lines = block.lines();
        let (kind, sentence) = lines.next().unwrap().split_once(": ").unwrap();
        let (_, place) = lines.next().unwrap().trim().split_once(".toml").unwrap();
        let carets = lines.last().unwrap_or_default().trim_start_matches([' ', '|']);
        list.push(format!("{kind} {} {carets} {sentence}", place.trim_start_matches(':')).replace("  ", " "));
    }
    list
}
