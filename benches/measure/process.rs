//! What the kernel says of a process.

use std::fs;

pub struct Process(pub u32);

/// Memory in KiB.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    pub rss: u64,
    pub pss: u64,
    pub anonymous: u64,
}

/// What all threads together have used so far.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    pub cpu_ms: f64,
    pub voluntary_switches: u64,
    pub involuntary_switches: u64,
}

impl Process {
    pub fn memory(&self) -> Memory {
        let status = self.read("status");
        let rollup = self.read("smaps_rollup");
        Memory { rss: number(&status, "VmRSS:"), pss: number(&rollup, "Pss:"), anonymous: number(&status, "RssAnon:") }
    }

    pub fn usage(&self) -> Usage {
        let mut usage = Usage { cpu_ms: 0.0, voluntary_switches: 0, involuntary_switches: 0 };
        for task in self.tasks() {
            let status = self.read(&format!("task/{task}/status"));
            usage.voluntary_switches += number(&status, "voluntary_ctxt_switches:");
            usage.involuntary_switches += number(&status, "nonvoluntary_ctxt_switches:");
            let schedstat = self.read(&format!("task/{task}/schedstat"));
            let nanoseconds: f64 = schedstat.split(' ').next().and_then(|text| text.parse().ok()).unwrap_or(f64::NAN);
            usage.cpu_ms += nanoseconds / 1e6;
        }
        usage
    }

    /// The wake-ups of each thread so far: name and voluntary switches.
    pub fn switches_of_threads(&self) -> Vec<(String, u64)> {
        let switches = |task: String| {
            let status = self.read(&format!("task/{task}/status"));
            let name = status.lines().next().and_then(|line| line.split_whitespace().nth(1)).unwrap_or_default();
            (name.to_owned(), number(&status, "voluntary_ctxt_switches:"))
        };
        self.tasks().into_iter().map(switches).collect()
    }

    fn tasks(&self) -> Vec<String> {
        let dir = fs::read_dir(format!("/proc/{}/task", self.0)).expect("the threads of the hub");
        let mut tasks: Vec<String> = dir.flatten().map(|entry| entry.file_name().to_string_lossy().into()).collect();
        tasks.sort();
        tasks
    }

    fn read(&self, file: &str) -> String {
        let path = format!("/proc/{}/{file}", self.0);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
    }
}

/// The number after this word at the beginning of a line.
fn number(text: &str, word: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(word));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or_else(|| panic!("no {word}"))
}
