//! A few messages interleaved: the rounds of one fill the time for which another waits for its own.

/// The hashes of a group, and the blocks of a few streams, over the operations on four words that the calling module defines for its `$features`.
macro_rules! interleaved_kernel {
    ($features:literal) => {
        #[target_feature(enable = $features)]
        fn sign(key: &HmacKey, values: &[u8], group: &[Message; LANES]) -> [[u8; 32]; LANES] {
            let mut states = [load_state(&key.inner); LANES];
            let (mut least, mut most) = (u32::MAX, 0);
            for message in group {
                least = least.min(message.blocks());
                most = most.max(message.blocks());
            }
            for index in 0..least {
                let mut words = [[splat(0); 4]; LANES];
                for (words, message) in words.iter_mut().zip(group) {
                    *words = load_block(message, index, values);
                }
                compress(&mut states, words);
            }
            for index in least..most {
                for (state, message) in states.iter_mut().zip(group) {
                    if index < message.blocks() {
                        compress(std::array::from_mut(state), [load_block(message, index, values)]);
                    }
                }
            }
            // the words of the inner state are those of the outer message already
            let mut words = [[splat(0); 4]; LANES];
            for (words, state) in words.iter_mut().zip(states) {
                let [abcd, efgh] = in_order(state);
                let bits = load_words(&[0, 0, 0, (BLOCK as u32 + 32) * 8]);
                *words = [abcd, efgh, load_words(&[0x8000_0000, 0, 0, 0]), bits];
            }
            states = [load_state(&key.outer); LANES];
            compress(&mut states, words);
            let mut tokens = [[0; 32]; LANES];
            for (token, state) in tokens.iter_mut().zip(states) {
                let [abcd, efgh] = in_order(state);
                let (front, back) = token.split_at_mut(16);
                front.copy_from_slice(&store_bytes(abcd));
                back.copy_from_slice(&store_bytes(efgh));
            }
            tokens
        }

        /// SHA-256's compression function over the blocks of each stream, as far as all have one.
        #[target_feature(enable = $features)]
        fn compress_streams(streams: [&mut [u32; 8]; LANES], blocks: [&[[u8; BLOCK]]; LANES]) {
            let mut states = [[splat(0); 2]; LANES];
            for (state, words) in states.iter_mut().zip(&streams) {
                *state = load_state(words);
            }
            let least = blocks.iter().map(|blocks| blocks.len()).min().unwrap_or(0);
            for index in 0..least {
                let mut words = [[splat(0); 4]; LANES];
                for (words, blocks) in words.iter_mut().zip(&blocks) {
                    for (words, bytes) in words.iter_mut().zip(blocks[index].as_chunks().0) {
                        *words = load_bytes(bytes);
                    }
                }
                compress(&mut states, words);
            }
            for (words, state) in streams.into_iter().zip(states) {
                let [abcd, efgh] = in_order(state);
                let bytes = [store_bytes(abcd), store_bytes(efgh)];
                for (word, bytes) in words.iter_mut().zip(bytes.as_flattened().as_chunks().0) {
                    *word = u32::from_be_bytes(*bytes);
                }
            }
        }

        /// SHA-256's compression function for each state and its block (FIPS 180-4, section 6.2.2).
        #[inline]
        #[target_feature(enable = $features)]
        fn compress<const N: usize>(states: &mut [State; N], mut words: [[Vector; 4]; N]) {
            let before = *states;
            // four rounds of every message
            macro_rules! rounds {
                ($constants:expr, $i:literal) => {
                    let constants = load_words(&$constants[$i]);
                    for lane in 0..N {
                        four_rounds(&mut states[lane], add(words[lane][$i], constants));
                    }
                };
            }
            // the same on four words that are made from those of sixteen rounds before
            macro_rules! later_rounds {
                ($constants:expr, $i:literal) => {
                    for w in &mut words {
                        w[$i] = next_words(w[$i], w[($i + 1) % 4], w[($i + 2) % 4], w[($i + 3) % 4]);
                    }
                    rounds!($constants, $i);
                };
            }
            macro_rules! sixteen {
                ($rounds:ident, $constants:expr) => {
                    $rounds!($constants, 0);
                    $rounds!($constants, 1);
                    $rounds!($constants, 2);
                    $rounds!($constants, 3);
                };
            }
            sixteen!(rounds, ROUND_CONSTANTS[0]);
            for constants in &ROUND_CONSTANTS[1..] {
                sixteen!(later_rounds, constants);
            }
            for (state, before) in states.iter_mut().zip(before) {
                *state = [add(state[0], before[0]), add(state[1], before[1])];
            }
        }

        /// Block `index` of the padded message as words.
        #[inline]
        #[target_feature(enable = $features)]
        fn load_block(message: &Message, index: u32, values: &[u8]) -> [Vector; 4] {
            let block = message.block(index, values);
            let mut words = [splat(0); 4];
            for (words, bytes) in words.iter_mut().zip(block.as_chunks().0) {
                *words = load_bytes(bytes);
            }
            if index + 1 == message.blocks() {
                words[3] = add(words[3], load_words(&[0, 0, 0, message.bits()]));
            }
            words
        }
    };
}

pub(super) use interleaved_kernel;
