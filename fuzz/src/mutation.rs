//! Mutations of seeds without coverage: fewer findings than libFuzzer's, but
//! on every machine.

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::Target;

/// Inputs made of a target's seeds, the same for the same seed number.
pub struct Mutations<'a> {
    target: &'a Target,
    seeds: &'a [Vec<u8>],
    chance: ChaCha8Rng,
}

impl<'a> Mutations<'a> {
    /// Mutations of these seeds, of which there must be some.
    pub fn new(target: &'a Target, seeds: &'a [Vec<u8>], number: u64) -> Self {
        assert!(!seeds.is_empty(), "{} has no seeds", target.name);
        Self { target, seeds, chance: ChaCha8Rng::seed_from_u64(number) }
    }

    fn any_seed(&mut self) -> &'a [u8] {
        &self.seeds[self.chance.random_range(0..self.seeds.len())]
    }

    /// Changes one thing.
    fn change(&mut self, bytes: &mut Vec<u8>) {
        let at = self.chance.random_range(0..=bytes.len());
        let end = self.chance.random_range(at..=bytes.len().min(at + 16));
        match self.chance.random_range(0..8) {
            0 if at < bytes.len() => bytes[at] ^= 1 << self.chance.random_range(0..8),
            1 if at < bytes.len() => bytes[at] = self.chance.random(),
            2 => drop(bytes.drain(at..end)),
            3 => {
                let copied = bytes[at..end].to_vec();
                let to = self.chance.random_range(0..=bytes.len());
                bytes.splice(to..to, copied);
            }
            4 => {
                let other = self.any_seed();
                let from = self.chance.random_range(0..=other.len());
                bytes.truncate(at);
                bytes.extend_from_slice(&other[from..]);
            }
            5 => {
                let digit = b'0' + self.chance.random_range(0..10u8);
                bytes.splice(at..end, [digit]);
            }
            _ => {
                let word = self.target.words[self.chance.random_range(0..self.target.words.len())];
                bytes.splice(at..end, word.bytes());
            }
        }
    }
}

impl Iterator for Mutations<'_> {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let mut bytes = self.any_seed().to_vec();
        for _ in 0..self.chance.random_range(1..=4) {
            self.change(&mut bytes);
        }
        bytes.truncate(self.target.longest);
        Some(bytes)
    }
}
