//! HLS playlists, with the hub's addresses in place of the camera's.

/// The playlist with each address replaced by what `renamed` gives; lines whose address it refuses go, with what was
/// said about them. `None` if it has more lines, or would become longer, than it may.
pub fn rewritten(
    playlist: &str,
    lines: usize,
    bytes: usize,
    renamed: impl Fn(&str) -> Option<String>,
) -> Option<String> {
    let mut text = String::new();
    let mut about = Vec::new();
    for (number, line) in playlist.lines().enumerate() {
        if number >= lines || text.len() > bytes {
            return None;
        }
        let line = line.trim_end();
        if line.is_empty() {
            continue;
        }
        if line.starts_with('#') {
            about.extend(tag(line, &renamed));
            // What is said of the next address goes with it.
            if line.starts_with("#EXTINF")
                || line.starts_with("#EXT-X-STREAM-INF")
                || line.starts_with("#EXT-X-BYTERANGE")
            {
                continue;
            }
        } else if let Some(address) = renamed(line) {
            about.push(address);
        } else {
            about.clear();
        }
        for line in about.drain(..) {
            text.push_str(&line);
            text.push('\n');
        }
    }
    (text.len() <= bytes).then_some(text)
}

/// A tag with the address in its attribute `URI` replaced; `None` if that is refused.
fn tag(line: &str, renamed: impl Fn(&str) -> Option<String>) -> Option<String> {
    let Some((before, rest)) = line.split_once("URI=\"") else { return Some(line.to_owned()) };
    let (address, after) = rest.split_once('"')?;
    Some(format!("{before}URI=\"{}\"{after}", renamed(address)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_is_ours_and_foreign_ones_go() {
        let playlist = "#EXTM3U\r\n#EXT-X-MAP:URI=\"init.mp4\",BYTERANGE=\"1@0\"\n#EXT-X-KEY:METHOD=AES-128,URI=\"http://evil/k\"\n\
                        #EXTINF:2,\na.ts\n\n#EXTINF:3,\nhttp://evil/b.ts\n#EXTINF:4,\nc.ts\n#EXT-X-ENDLIST\n";
        let ours = |address: &str| (!address.contains("evil")).then(|| format!("media/{address}"));
        assert_eq!(
            rewritten(playlist, 1000, 1000, ours).unwrap(),
            "#EXTM3U\n#EXT-X-MAP:URI=\"media/init.mp4\",BYTERANGE=\"1@0\"\n#EXTINF:2,\nmedia/a.ts\n#EXTINF:4,\nmedia/c.ts\n\
             #EXT-X-ENDLIST\n"
        );
        assert_eq!(rewritten(playlist, 8, 1000, ours), None);
        assert_eq!(rewritten(playlist, 1000, 50, ours), None);
    }
}
