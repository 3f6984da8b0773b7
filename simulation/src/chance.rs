//! Chance that can be repeated: each part of a run draws from a stream of its
//! own, named by the seed and the part, so that leaving one part out does not
//! change what the others draw.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A stream of random choices.
#[derive(Debug)]
pub struct Chance(ChaCha8Rng);

impl Chance {
    /// The stream of one part of a run.
    pub fn of(seed: u64, part: &str) -> Self {
        let named = part.bytes().fold(seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(5)
        });
        Self(ChaCha8Rng::seed_from_u64(named))
    }

    /// A number of a span, both ends included.
    pub fn between(&mut self, least: i64, most: i64) -> i64 {
        self.0.random_range(least..=most.max(least))
    }

    /// Whether something happens that happens so often in a thousand times.
    pub fn per_mille(&mut self, rate: i64) -> bool {
        self.between(0, 999) < rate
    }

    /// One of several.
    pub fn pick<'a, T>(&mut self, among: &'a [T]) -> &'a T {
        &among[self.0.random_range(0..among.len())]
    }

    /// 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0.random()
    }
}
