//! Finds levels, cycles and the start order: a depth-first search, then a stable counting sort.

use super::analyse::{NONE, Work};

impl<const N: usize, const E: usize, const B: usize, const T: usize> Work<N, E, B, T> {
    /// Finds by depth-first search the levels, and every cycle that shares no plugin with an earlier one.
    // The data of the current plugin is held in local variables, since an interpreter runs this.
    pub(super) const fn find_levels(&mut self) {
        // These stand in the place of a level.
        const NEW: u16 = u16::MAX;
        const OPEN: u16 = u16::MAX - 1;
        let mut levels = [NEW; N];
        let mut next = self.from;
        let mut below = [0u16; N];
        let mut stack = [0u16; N];
        let mut root = 0;
        while root < self.n {
            if levels[root] == NEW && self.first[root] as usize == root {
                let mut height = 0;
                let (mut v, mut level) = (root, 0);
                let (mut at, mut to) = (self.from[v] as usize, self.to[v] as usize);
                levels[v] = OPEN;
                loop {
                    if at < to {
                        let w = self.edge[at] as usize;
                        at += 1;
                        let other = levels[w];
                        if other < OPEN {
                            // `v` depends on `w`, so it is above `w`.
                            if other >= level {
                                level = other + 1;
                            }
                        } else if other == NEW {
                            // Continues at this edge when `w` is done.
                            next[v] = at as u16 - 1;
                            below[v] = level;
                            stack[height] = v as u16;
                            height += 1;
                            (v, level) = (w, 0);
                            (at, to) = (self.from[w] as usize, self.to[w] as usize);
                            levels[w] = OPEN;
                        } else {
                            stack[height] = v as u16;
                            self.note_cycle(&stack, height + 1, w);
                        }
                    } else {
                        levels[v] = level;
                        if height == 0 {
                            break;
                        }
                        height -= 1;
                        v = stack[height] as usize;
                        level = below[v];
                        (at, to) = (next[v] as usize, self.to[v] as usize);
                    }
                }
            }
            root += 1;
        }
        self.level = levels;
    }

    /// The stack from `w` up is a cycle. It is reported at the plugin that is declared first.
    const fn note_cycle(&mut self, stack: &[u16; N], height: usize, w: usize) {
        self.broken = true;
        let mut start = 0;
        while stack[start] as usize != w {
            start += 1;
        }
        let mut first = stack[start];
        let mut k = start;
        while k < height {
            // One of its plugins is in a cycle that is reported already.
            if self.after[stack[k] as usize] != NONE {
                return;
            }
            if stack[k] < first {
                first = stack[k];
            }
            k += 1;
        }
        k = start;
        while k < height {
            self.after[stack[k] as usize] = if k + 1 < height { stack[k + 1] } else { stack[start] };
            k += 1;
        }
        self.cycle[first as usize] = true;
    }

    /// Sorts by level, and by declaration within a level.
    pub(super) const fn sort(&mut self) {
        // For each level, first the number of its plugins, then where they begin.
        let mut at = [0usize; N];
        let mut i = 0;
        while i < self.n {
            if self.first[i] as usize == i {
                at[self.level[i] as usize] += 1;
                self.unique += 1;
            }
            i += 1;
        }
        let mut from = 0;
        i = 0;
        while from < self.unique {
            let count = at[i];
            at[i] = from;
            from += count;
            i += 1;
        }
        i = 0;
        while i < self.n {
            if self.first[i] as usize == i {
                let level = self.level[i] as usize;
                let place = at[level];
                at[level] = place + 1;
                self.order[place] = i as u16;
                self.place[i] = place as u16;
            }
            i += 1;
        }
    }
}
