//! A sum over all that happened in a run: two runs of one plan must come to the same.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::mem::discriminant;

use sos_hub::controller::input::Input;

use crate::history::Entry;
use crate::time::At;

#[derive(Clone, Debug, Default)]
pub struct Trace {
    hasher: DefaultHasher,
    pub inputs: u64,
}

impl Trace {
    pub fn entry(&mut self, at: At, entry: &Entry) {
        (at, discriminant(entry)).hash(&mut self.hasher);
        if let Entry::Sent(sent) = entry {
            sent.jti.hash(&mut self.hasher);
        }
        if let Entry::Said(meaning) = entry {
            format!("{meaning:?}").hash(&mut self.hasher);
        }
    }

    pub fn bytes(&mut self, at: At, bytes: &[u8]) {
        (at, bytes).hash(&mut self.hasher);
    }

    pub fn input(&mut self, input: &Input) {
        self.inputs += 1;
        discriminant(input).hash(&mut self.hasher);
    }

    pub fn sum(&self) -> u64 {
        self.hasher.finish()
    }
}
