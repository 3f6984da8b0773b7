//! Chance that can be repeated: every decision draws from a stream of its own,
//! named by the seed and by what is decided, so that neither time nor the
//! number of listeners nor the order of decisions changes it.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// The stream of random numbers of one decision.
pub fn stream(seed: u64, name: &[&[u8]]) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(hash(seed, name))
}

/// A number that depends on the seed and every part of the name (FNV-1a, 64 bits).
pub fn hash(seed: u64, name: &[&[u8]]) -> u64 {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    let mut hash = seed.to_le_bytes().iter().fold(OFFSET, step);
    for part in name {
        hash = part.iter().fold(hash, step);
        // A separator, so that ("ab", "c") and ("a", "bc") differ.
        hash = step(hash, &0xff);
    }
    hash
}

fn step(hash: u64, byte: &u8) -> u64 {
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    (hash ^ u64::from(*byte)).wrapping_mul(PRIME)
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;

    #[test]
    fn one_name_draws_one_stream_and_another_name_another() {
        let draw = |seed, name: &[&[u8]]| stream(seed, name).random::<u64>();

        assert_eq!(draw(1, &[b"BTC", b"1"]), draw(1, &[b"BTC", b"1"]));
        assert_ne!(draw(1, &[b"BTC", b"1"]), draw(2, &[b"BTC", b"1"]));
        assert_ne!(draw(1, &[b"BTC", b"1"]), draw(1, &[b"BT", b"C1"]));
    }
}
