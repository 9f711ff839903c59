//! Levels, cycles and the start order: depth first, then a stable counting sort.

use super::analyse::{Fault, Work};

impl<const N: usize, const E: usize, const B: usize, const T: usize> Work<N, E, B, T> {
    /// Depth first: levels, and every cycle that shares no plugin with an earlier one.
    pub(super) const fn level(&mut self) {
        const NEW: u8 = 0;
        const OPEN: u8 = 1;
        const DONE: u8 = 2;
        let mut state = [NEW; N];
        let mut next = [0u16; N];
        let mut stack = [0u16; N];
        let mut root = 0;
        while root < self.n {
            if self.spots[root].first as usize == root && state[root] == NEW {
                let mut height = 1;
                stack[0] = root as u16;
                state[root] = OPEN;
                while height > 0 {
                    let v = stack[height - 1] as usize;
                    let node = &self.spots[v].node;
                    if next[v] < node.edges {
                        let w = self.edge[(node.first_edge + next[v]) as usize] as usize;
                        next[v] += 1;
                        if state[w] == NEW {
                            state[w] = OPEN;
                            stack[height] = w as u16;
                            height += 1;
                        } else if state[w] == OPEN {
                            self.cycle(&stack, height, w);
                        } else {
                            self.raise(v, w);
                        }
                    } else {
                        state[v] = DONE;
                        height -= 1;
                        if height > 0 {
                            self.raise(stack[height - 1] as usize, v);
                        }
                    }
                }
            }
            root += 1;
        }
    }

    /// `v` depends on `w`: it is above it.
    const fn raise(&mut self, v: usize, w: usize) {
        if self.spots[w].node.level + 1 > self.spots[v].node.level {
            self.spots[v].node.level = self.spots[w].node.level + 1;
        }
    }

    /// The stack from `w` up is a cycle: reported at its first plugin in declaration order.
    const fn cycle(&mut self, stack: &[u16; N], height: usize, w: usize) {
        self.broken = true;
        let mut start = 0;
        while stack[start] as usize != w {
            start += 1;
        }
        let mut first = stack[start];
        let mut k = start;
        while k < height {
            // a plugin of it is in a cycle that is reported already
            if matches!(self.spots[stack[k] as usize].fault, Fault::Cycle) {
                return;
            }
            if stack[k] < first {
                first = stack[k];
            }
            k += 1;
        }
        if !matches!(self.spots[first as usize].fault, Fault::None) {
            return;
        }
        k = start;
        while k < height {
            let next = if k + 1 < height { stack[k + 1] } else { stack[start] };
            self.spots[stack[k] as usize].other = next;
            k += 1;
        }
        self.spots[first as usize].fault = Fault::Cycle;
    }

    /// By level, within a level as declared.
    pub(super) const fn sort(&mut self) {
        let mut at = [0u16; N];
        let mut depth = 0;
        let mut i = 0;
        while i < self.n {
            if self.spots[i].first as usize == i {
                let level = self.spots[i].node.level as usize;
                at[level] += 1;
                if level > depth {
                    depth = level;
                }
                self.unique += 1;
            }
            i += 1;
        }
        let mut from = 0;
        let mut level = 0;
        while level <= depth && self.n > 0 {
            let count = at[level];
            at[level] = from;
            from += count;
            level += 1;
        }
        i = 0;
        while i < self.n {
            if self.spots[i].first as usize == i {
                let level = self.spots[i].node.level as usize;
                self.order[at[level] as usize] = i as u16;
                at[level] += 1;
            }
            i += 1;
        }
    }
}
