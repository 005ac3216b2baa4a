//! Sums over rows in blocks, by several threads.
//!
//! The sums of the blocks are added in the order of the rows, so that the number of threads does not change a bit.

/// Rows in a block: few enough for the processor's cache.
pub(super) const BLOCK_ROWS: usize = 256;

/// The largest design whose blocks are kept in memory, in bytes.
pub(super) const MOST_BYTES: u64 = 512 << 20;

/// The most numbers in the sums of blocks that threads compute at a time.
const SUMS_AT_A_TIME: usize = 4_000_000;

/// The most blocks that a thread sums at a time.
const BLOCKS_A_THREAD: usize = 32;

/// The number of blocks that threads sum at a time, if the sums of each have this many numbers.
pub(super) fn blocks_at_a_time(numbers: usize, threads: usize) -> usize {
    (SUMS_AT_A_TIME / numbers.max(1)).clamp(threads, threads * BLOCKS_A_THREAD)
}

/// Calls `of_block` with every block and its number, counted from `first`, and `add` with the results in order.
pub(super) fn sum_in_order<B: Sync, T: Send>(
    threads: usize,
    first: usize,
    blocks: &[B],
    of_block: &(impl Fn(usize, &B) -> T + Sync),
    add: &mut impl FnMut(T),
) {
    let chunk = blocks.len().div_ceil(threads).max(1);
    let sum = |first: usize, blocks: &[B]| -> Vec<T> {
        (first..).zip(blocks).map(|(number, block)| of_block(number, block)).collect()
    };
    if chunk >= blocks.len() {
        sum(first, blocks).into_iter().for_each(add);
        return;
    }
    let summed: Vec<Vec<T>> = std::thread::scope(|scope| {
        let start = |(blocks, first)| (blocks, first, scope.spawn(move || sum(first, blocks)));
        let chunks: Vec<_> = blocks.chunks(chunk).zip((first..).step_by(chunk)).map(start).collect();
        // The blocks of a thread that panicked are summed here, with the same panic.
        chunks.into_iter().map(|(blocks, first, thread)| thread.join().unwrap_or_else(|_| sum(first, blocks))).collect()
    });
    summed.into_iter().flatten().for_each(add);
}
