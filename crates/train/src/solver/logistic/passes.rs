//! Passes over rows in tiles: losses, gradients, and products of the Hessian with vectors.

use super::super::design_rows::DesignRows;
use super::super::error::SolveError;
use super::super::simd::{LANES, Lanes};
use super::block_losses::{BlockLosses, ComputeLosses, CurvatureTimes};
use super::indicators::{ColumnSplit, Ones, SplitVectors};
use super::iterate::LossSums;
use super::standardised_rows::{Block, RowBlock, StandardisedRows};
use super::tiles::{Tiles, padded};

/// A block of rows in tiles.
#[derive(Debug)]
pub(super) struct TileBlock {
    /// The dense columns and the intercept.
    tiles: Tiles,
    ones: Ones,
    classes: Vec<usize>,
    /// In tiles; zero for missing rows.
    weights: Vec<Lanes>,
}

impl Block for TileBlock {
    const SPLITS_INDICATORS: bool = true;
}

impl From<RowBlock> for TileBlock {
    fn from(block: RowBlock) -> Self {
        let RowBlock { values, columns, ones, intercept, classes, mut weights } = block;
        let tiles = Tiles::new(&values, columns, f64::from(u8::from(intercept)));
        weights.resize(weights.len().next_multiple_of(LANES), 0.0);
        Self { tiles, ones, classes, weights: weights.as_chunks::<LANES>().0.to_vec() }
    }
}

impl TileBlock {
    /// The product of each tile with each vector.
    fn times(&self, vectors: &SplitVectors) -> Vec<Lanes> {
        let mut products = self.tiles.times(&vectors.dense);
        if let Some(vectors) = &vectors.indicators {
            self.ones.add_times(vectors, &mut products);
        }
        products
    }

    /// The products of the columns and the intercept with `count` columns of the same rows.
    fn transposed_times(&self, split: Option<&ColumnSplit>, right: &[Lanes], count: usize) -> Vec<Vec<f64>> {
        let of_tiles = self.tiles.transposed_times(right, count);
        match split {
            Some(split) => self.ones.transposed_times(split, right, &of_tiles),
            None => of_tiles,
        }
    }

    fn losses(&self, parameters: &SplitVectors, scores: usize, keeps_curvatures: bool) -> BlockLosses {
        let curvatures =
            if keeps_curvatures { vec![[0.0; LANES]; self.tiles.len() * padded(scores)] } else { Vec::new() };
        let mut losses = BlockLosses { loss: 0.0, worst: 0.0, residuals: self.times(parameters), curvatures };
        let Self { classes, weights, .. } = self;
        self.tiles.dispatch(ComputeLosses { classes, weights, count: scores, losses: &mut losses });
        losses
    }
}

/// The sum of `weight · columnᵢ · columnⱼ` over the rows of dense columns: a packed upper triangle, with the intercept
/// last.
pub(super) fn gram<R: DesignRows>(
    rows: &StandardisedRows<'_, R, TileBlock>,
    parameters: usize,
) -> Result<Vec<f64>, SolveError> {
    let mut sums = vec![0.0; parameters * (parameters + 1) / 2];
    rows.sum(sums.len(), &|_, block: &TileBlock| block.tiles.gram(&block.weights), |of_block: Vec<f64>| {
        sums.iter_mut().zip(&of_block).for_each(|(sum, product)| *sum += product);
    })?;
    Ok(sums)
}

/// The curvatures of each block of rows.
pub(super) type BlockCurvatures = Vec<Vec<Lanes>>;

/// Passes over the rows.
#[derive(Debug)]
pub(super) struct Pass<'p, 'r, R> {
    pub(super) rows: &'p StandardisedRows<'r, R, TileBlock>,
    pub(super) scores: usize,
    /// The parameters of each score.
    pub(super) parameters: usize,
}

impl<R: DesignRows> Pass<'_, '_, R> {
    /// Loss and gradient, and if `keeps_curvatures` the curvature of each block of rows in memory.
    pub(super) fn losses(
        &self,
        parameters: &[Vec<f64>],
        keeps_curvatures: bool,
    ) -> Result<(LossSums, Option<BlockCurvatures>), SolveError> {
        let split = self.rows.split.as_ref();
        let vectors = SplitVectors::new(split, parameters.iter().map(Vec::as_slice));
        let mut sums = LossSums::zero(self.scores, self.parameters);
        let mut curvatures = (keeps_curvatures && self.rows.is_in_memory()).then(Vec::new);
        let (is_kept, scores) = (curvatures.is_some(), self.scores);
        let of_block = |_: usize, block: &TileBlock| {
            let losses = block.losses(&vectors, scores, is_kept);
            let slopes = block.transposed_times(split, &losses.residuals, scores);
            (LossSums { loss: losses.loss, worst: losses.worst, slopes }, losses.curvatures)
        };
        self.rows.sum(self.scores * self.parameters, &of_block, |(of_block, curvature)| {
            sums.add(&of_block);
            if let Some(curvatures) = &mut curvatures {
                curvatures.push(curvature);
            }
        })?;
        Ok((sums, curvatures))
    }

    /// The Hessian of the loss times a vector. Without `curvatures`, they are computed again.
    pub(super) fn curvature_times(
        &self,
        parameters: &[Vec<f64>],
        curvatures: Option<&[Vec<Lanes>]>,
        vector: &[f64],
    ) -> Result<Vec<Vec<f64>>, SolveError> {
        let split = self.rows.split.as_ref();
        let at = SplitVectors::new(split, parameters.iter().map(Vec::as_slice));
        let vectors = SplitVectors::new(split, vector.chunks(self.parameters));
        let mut sums = LossSums::zero(self.scores, self.parameters);
        let scores = self.scores;
        let of_block = |number: usize, block: &TileBlock| {
            let mut changes = block.times(&vectors);
            let again;
            let curvatures = if let Some(curvatures) = curvatures.and_then(|curvatures| curvatures.get(number)) {
                curvatures
            } else {
                again = block.losses(&at, scores, true).curvatures;
                &again
            };
            let weights = &block.weights;
            block.tiles.dispatch(CurvatureTimes { curvatures, weights, changes: &mut changes });
            LossSums { loss: 0.0, worst: 0.0, slopes: block.transposed_times(split, &changes, scores) }
        };
        self.rows.sum(self.scores * self.parameters, &of_block, |of_block| sums.add(&of_block))?;
        Ok(sums.slopes)
    }
}
