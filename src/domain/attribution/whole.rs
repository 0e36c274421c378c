//! Shares become whole-number weights before they meet money, so that a split is exact and the same on every machine.

/// What the weights made of shares add up to: far finer than any order has minor units.
pub const WHOLE: u64 = 1_000_000_000_000;

/// Whole-number weights in proportion to `shares` (each finite and not negative), by largest remainder, ties to the
/// earlier; they add up to 10¹². All zero if all shares are.
pub fn whole_weights(shares: &[f64]) -> Vec<u64> {
    let sum: f64 = shares.iter().sum();
    if sum <= 0.0 {
        return vec![0; shares.len()];
    }
    let exact: Vec<f64> = shares.iter().map(|share| share / sum * WHOLE as f64).collect();
    let mut weights: Vec<u64> = exact.iter().map(|weight| weight.floor() as u64).collect();
    let given: u64 = weights.iter().sum();
    let mut by_remainder: Vec<usize> = (0..shares.len()).filter(|i| shares[*i] > 0.0).collect();
    by_remainder.sort_by(|a, b| exact[*b].fract().total_cmp(&exact[*a].fract()).then(a.cmp(b)));
    for index in by_remainder.iter().cycle().take(WHOLE.saturating_sub(given) as usize) {
        weights[*index] += 1;
    }
    // Rounding may have given a few units too many.
    for index in by_remainder.iter().rev().cycle().take(given.saturating_sub(WHOLE) as usize) {
        weights[*index] = weights[*index].saturating_sub(1);
    }
    weights
}

/// The weights of one conversion's touches if a touch's credit is split among the conversions it serves
/// (`split=conversion`): a touch that serves three counts a third in each, and the conversion still hands out its whole.
///
/// `serves` says of each touch how many conversions it is a candidate for, this one included (0 is taken as 1).
pub fn split_among_conversions(weights: &[u64], serves: &[u32]) -> Vec<u64> {
    debug_assert_eq!(weights.len(), serves.len());
    if serves.windows(2).all(|pair| pair[0] == pair[1]) {
        return weights.to_vec();
    }
    let shares: Vec<f64> = weights.iter().zip(serves).map(|(w, n)| *w as f64 / f64::from((*n).max(1))).collect();
    whole_weights(&shares)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::split_minor;
    use proptest::prelude::*;

    #[test]
    fn a_touch_that_serves_two_orders_counts_half_in_each() {
        assert_eq!(split_among_conversions(&[1, 1], &[1, 1]), [1, 1]);
        assert_eq!(split_among_conversions(&[3, 1], &[2, 2]), [3, 1]);
        let weights = split_among_conversions(&[1, 1], &[2, 1]);
        assert_eq!(split_minor(300, &weights), [100, 200]);
        assert_eq!(split_among_conversions(&[1, 0], &[5, 1]), [WHOLE, 0]);
    }

    #[test]
    fn nothing_stays_nothing() {
        assert_eq!(whole_weights(&[0.0, 0.0]), [0, 0]);
        assert_eq!(whole_weights(&[]), [0u64; 0]);
    }

    proptest! {
        #[test]
        fn whole_weights_add_up_and_stand_within_a_unit_of_their_shares(
            shares in prop::collection::vec(prop_oneof![Just(0.0), 1e-300..1e300f64, 0.0..1.0f64], 1..40),
        ) {
            let weights = whole_weights(&shares);
            let sum: f64 = shares.iter().sum();
            prop_assert_eq!(weights.iter().sum::<u64>(), if sum > 0.0 { WHOLE } else { 0 });
            for (weight, share) in weights.iter().zip(&shares) {
                prop_assert!(*share > 0.0 || *weight == 0);
                if sum > 0.0 {
                    prop_assert!((*weight as f64 - share / sum * WHOLE as f64).abs() <= 1.5);
                }
            }
        }

        #[test]
        fn splitting_among_conversions_loses_no_kopeck(
            minor in 0i64..1_000_000_000,
            touches in prop::collection::vec((0u64..100, 1u32..9), 1..20),
        ) {
            let (weights, serves): (Vec<u64>, Vec<u32>) = touches.into_iter().unzip();
            let split = split_among_conversions(&weights, &serves);
            prop_assert_eq!(split_minor(minor, &split).iter().sum::<i64>(), minor);
        }
    }
}
