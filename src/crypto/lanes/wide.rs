//! One message in each lane of a vector: vector t of a block holds word t of every message.

/// The hash of a group, over the operations on vectors that the calling module defines for its `$features`.
macro_rules! wide_kernel {
    ($features:literal, $vector:ty, $lanes:literal) => {
        /// SHA-256's compression function in every lane (FIPS 180-4, section 6.2.2).
        #[inline]
        #[target_feature(enable = $features)]
        fn compress(state: &[$vector; 8], mut w: [$vector; 16]) -> [$vector; 8] {
            let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
            // one round; the roles of the eight variables move on by one in the next
            macro_rules! round {
                ($a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident, $k:expr, $i:literal) => {
                    let word = add(splat($k[$i / 4][$i % 4]), w[$i]);
                    let t1 = add(add($h, word), add(rotations::<6, 11, 25>($e), choose($e, $f, $g)));
                    $d = add($d, t1);
                    $h = add(t1, add(rotations::<2, 13, 22>($a), majority($a, $b, $c)));
                };
            }
            // a round on a word that is made from those of sixteen rounds before
            macro_rules! later_round {
                ($a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident, $k:expr, $i:literal) => {
                    let (first, second) = (small::<7, 18, 3>(w[($i + 1) % 16]), small::<17, 19, 10>(w[($i + 14) % 16]));
                    w[$i] = add(add(w[$i], first), add(w[($i + 9) % 16], second));
                    round!($a $b $c $d $e $f $g $h, $k, $i);
                };
            }
            macro_rules! sixteen {
                ($round:ident, $k:expr) => {
                    $round!(a b c d e f g h, $k, 0);
                    $round!(h a b c d e f g, $k, 1);
                    $round!(g h a b c d e f, $k, 2);
                    $round!(f g h a b c d e, $k, 3);
                    $round!(e f g h a b c d, $k, 4);
                    $round!(d e f g h a b c, $k, 5);
                    $round!(c d e f g h a b, $k, 6);
                    $round!(b c d e f g h a, $k, 7);
                    $round!(a b c d e f g h, $k, 8);
                    $round!(h a b c d e f g, $k, 9);
                    $round!(g h a b c d e f, $k, 10);
                    $round!(f g h a b c d e, $k, 11);
                    $round!(e f g h a b c d, $k, 12);
                    $round!(d e f g h a b c, $k, 13);
                    $round!(c d e f g h a b, $k, 14);
                    $round!(b c d e f g h a, $k, 15);
                };
            }
            sixteen!(round, ROUND_CONSTANTS[0]);
            for constants in &ROUND_CONSTANTS[1..] {
                sixteen!(later_round, constants);
            }
            let mut sum = [a, b, c, d, e, f, g, h];
            for i in 0..8 {
                sum[i] = add(sum[i], state[i]);
            }
            sum
        }

        #[target_feature(enable = $features)]
        fn sign(key: &HmacKey, values: &[u8], group: &[Message; $lanes]) -> [[u8; 32]; $lanes] {
            let (mut state, mut outer) = ([splat(0); 8], [splat(0); 8]);
            for i in 0..8 {
                state[i] = splat(key.inner[i]);
                outer[i] = splat(key.outer[i]);
            }
            let (mut blocks, mut bits, mut most) = ([0; $lanes], [0; $lanes], 0);
            for (lane, message) in group.iter().enumerate() {
                blocks[lane] = message.blocks();
                bits[lane] = message.bits();
                most = most.max(message.blocks());
            }
            let (blocks, bits) = (from_lanes(&blocks), from_lanes(&bits));
            for index in 0..most {
                let mut words = words_of(group, index, values);
                // the length goes into the last block; in those of a lane that is done, it does no harm
                let last = more(splat(index + 2), blocks);
                words[15] = select(last, or(words[15], bits), words[15]);
                let (next, busy) = (compress(&state, words), more(blocks, splat(index)));
                for i in 0..8 {
                    state[i] = select(busy, next[i], state[i]);
                }
            }
            // the inner states lie as the words of the outer messages already
            let mut words = [splat(0); 16];
            words[..8].copy_from_slice(&state);
            words[8] = splat(0x8000_0000);
            words[15] = splat((BLOCK as u32 + 32) * 8);
            bytes_of(&compress(&outer, words))
        }
    };
}

pub(super) use wide_kernel;
