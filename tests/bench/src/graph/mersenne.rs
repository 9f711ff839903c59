//! Python's `random`, as far as the graph needs it: MT19937 with `sample` and `shuffle`.
//!
//! The baseline was defined by a Python script. With the same generator, the programs of the design `hand` are the same
//! to the byte, and figures can be compared with those of the design study.

/// The number of words of the state.
const WORDS: usize = 624;

/// The distance of the words that are mixed.
const SHIFT: usize = 397;

/// Up to this many candidates, `sample` draws from a list; above, it draws again if a number was drawn before.
const POOL: usize = 21;

/// The generator MT19937.
pub struct Mersenne {
    /// The words from which the next numbers are made.
    state: [u32; WORDS],
    /// The index of the next word of the state.
    next: usize,
}

impl Mersenne {
    /// The generator after Python's `random.seed(seed)`.
    pub fn new(seed: u32) -> Self {
        let mut state = [0; WORDS];
        state[0] = 19_650_218;
        for i in 1..WORDS {
            state[i] = mixed(state[i - 1], 1_812_433_253).wrapping_add(i as u32);
        }
        // As `init_by_array` of the reference code, with a key of one word.
        let mut i = 1;
        for _ in 0..WORDS {
            state[i] = (state[i] ^ mixed(state[i - 1], 1_664_525)).wrapping_add(seed);
            i = following(i, &mut state);
        }
        for _ in 1..WORDS {
            state[i] = (state[i] ^ mixed(state[i - 1], 1_566_083_941)).wrapping_sub(i as u32);
            i = following(i, &mut state);
        }
        state[0] = 0x8000_0000;
        Self { state, next: WORDS }
    }

    /// `count` different numbers below `end`, in the order of drawing. At most five.
    pub fn sample(&mut self, end: usize, count: usize) -> Vec<usize> {
        let mut drawn = Vec::with_capacity(count);
        if end <= POOL {
            let mut pool: Vec<usize> = (0..end).collect();
            for _ in 0..count {
                let place = self.below(pool.len());
                drawn.push(pool.swap_remove(place));
            }
        } else {
            while drawn.len() < count {
                let number = self.below(end);
                if !drawn.contains(&number) {
                    drawn.push(number);
                }
            }
        }
        drawn
    }

    /// Puts `items` in a random order.
    pub fn shuffle(&mut self, items: &mut [usize]) {
        for last in (1..items.len()).rev() {
            let place = self.below(last + 1);
            items.swap(last, place);
        }
    }

    /// A number below `end`, which must not be 0.
    fn below(&mut self, end: usize) -> usize {
        let bits = usize::BITS - end.leading_zeros();
        loop {
            let number = (self.word() >> (u32::BITS - bits)) as usize;
            if number < end {
                return number;
            }
        }
    }

    /// The next 32 bits.
    fn word(&mut self) -> u32 {
        if self.next == WORDS {
            self.turn();
        }
        let mut word = self.state[self.next];
        self.next += 1;
        word ^= word >> 11;
        word ^= (word << 7) & 0x9d2c_5680;
        word ^= (word << 15) & 0xefc6_0000;
        word ^ (word >> 18)
    }

    /// Generates the next `WORDS` words.
    fn turn(&mut self) {
        for i in 0..WORDS {
            let joined = (self.state[i] & 0x8000_0000) | (self.state[(i + 1) % WORDS] & 0x7fff_ffff);
            let twisted = (joined >> 1) ^ if joined & 1 == 1 { 0x9908_b0df } else { 0 };
            self.state[i] = self.state[(i + SHIFT) % WORDS] ^ twisted;
        }
        self.next = 0;
    }
}

/// The recurrence that fills the state during seeding.
fn mixed(word: u32, factor: u32) -> u32 {
    (word ^ (word >> 30)).wrapping_mul(factor)
}

/// The index after `i` during seeding. At the end it wraps around, and the last word is copied to the front.
fn following(i: usize, state: &mut [u32; WORDS]) -> usize {
    if i + 1 < WORDS {
        return i + 1;
    }
    state[0] = state[WORDS - 1];
    1
}
