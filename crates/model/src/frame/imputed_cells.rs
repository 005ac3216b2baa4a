//! The cells of a frame whose value was missing and was imputed, for warnings.

/// One bit for each cell, row-major, up to the last imputed one: a 64th of the size of the frame's values.
#[derive(Debug, Default)]
pub(crate) struct ImputedCells {
    bits: Vec<u64>,
}

impl ImputedCells {
    /// Adds the cell at an index of the frame's values.
    pub(super) fn add(&mut self, index: usize) {
        let (word, bit) = place(index);
        if word >= self.bits.len() {
            self.bits.resize(word + 1, 0);
        }
        if let Some(word) = self.bits.get_mut(word) {
            *word |= bit;
        }
    }

    /// Whether there are no such cells.
    pub(crate) fn is_empty(&self) -> bool {
        self.bits.is_empty()
    }

    /// The indexes of the cells, in ascending order.
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> {
        let of_word = |(place, word): (usize, &u64)| {
            let word = *word;
            (0..64).filter(move |bit| word & (1 << bit) != 0).map(move |bit| place * 64 + bit)
        };
        self.bits.iter().enumerate().filter(|(_, word)| **word != 0).flat_map(of_word)
    }

    /// Whether the cell at an index of the frame's values is one.
    pub(crate) fn contains(&self, index: usize) -> bool {
        let (word, bit) = place(index);
        self.bits.get(word).is_some_and(|word| word & bit != 0)
    }
}

/// The position of a bit's word, and the bit.
fn place(index: usize) -> (usize, u64) {
    (index / 64, 1 << (index % 64))
}
