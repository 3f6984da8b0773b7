//! Asking for memory before it is needed: what is waited for one after the
//! other alone is waited for together. It changes no outcome.

use std::slice;

use prefetch_index::prefetch_index;

/// Bytes of a cache line.
const LINE: usize = 64;

/// Prefetches the line in which a value begins.
#[inline(always)]
pub fn prefetch<T>(value: &T) {
    prefetch_index(slice::from_ref(value), 0);
}

/// Prefetches the lines of so many bytes from a word on.
#[inline(always)]
pub(crate) fn prefetch_from(word: &i64, bytes: usize) {
    // The last one by its end: the first may begin in the middle of a line.
    let last = bytes.saturating_sub(size_of::<i64>());
    for at in (0..last).step_by(LINE).chain([last]) {
        // Places behind the word: nothing is read of them.
        prefetch_index(slice::from_ref(word), at / size_of::<i64>());
    }
}
