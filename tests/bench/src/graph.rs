//! The dependency graph that all designs wire.

mod mersenne;

use mersenne::Mersenne;

/// The number of dependencies of each plugin, once enough plugins precede it.
const DEPENDENCIES: usize = 3;

/// The seed of the graph for all published figures.
const SEED: u32 = 7;

/// Plugins by number, each depending on some with smaller numbers.
pub struct Graph {
    /// The dependencies of each plugin, in ascending order.
    pub dependencies: Vec<Vec<usize>>,
    /// The order in which a flavor declares the plugins: random, so that it differs from the start order.
    pub order: Vec<usize>,
}

impl Graph {
    /// A graph of `plugins` plugins, always the same for the same number.
    pub fn new(plugins: usize) -> Self {
        let mut random = Mersenne::new(SEED);
        let dependencies = (0..plugins)
            .map(|plugin| {
                let mut some = random.sample(plugin, plugin.min(DEPENDENCIES));
                some.sort_unstable();
                some
            })
            .collect();
        let mut order: Vec<usize> = (0..plugins).collect();
        random.shuffle(&mut order);
        Self { dependencies, order }
    }

    /// The number of plugins.
    pub fn len(&self) -> usize {
        self.dependencies.len()
    }

    /// The number of the last plugin.
    pub fn last(&self) -> usize {
        self.len() - 1
    }
}

#[cfg(test)]
mod tests {
    use super::Graph;

    /// Dependencies and order are those of Python's `random`: the baseline was defined by a Python script.
    #[test]
    fn the_graph_is_that_of_the_baseline() {
        let graph = Graph::new(30);
        assert_eq!(graph.dependencies[..7], DEPENDENCIES_OF_30[..7]);
        assert_eq!(graph.dependencies[27..], DEPENDENCIES_OF_30[7..]);
        assert_eq!(graph.order[..10], ORDER_OF_30);
    }

    const DEPENDENCIES_OF_30: [&[usize]; 10] =
        [&[], &[0], &[0, 1], &[0, 1, 2], &[0, 1, 3], &[0, 1, 4], &[0, 3, 4], &[5, 13, 24], &[4, 10, 15], &[1, 13, 21]];
    const ORDER_OF_30: [usize; 10] = [8, 12, 9, 6, 3, 5, 20, 13, 27, 0];
}
