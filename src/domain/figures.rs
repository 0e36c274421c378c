//! Figures of reports. `None` where the divisor is zero: shown as "—", never 0 or ∞.
//!
//! Ratios are for reading, so they are `f64`; averages of money stay whole minor units, rounded half to even.

use super::money::divide_half_even;

/// `part / whole` as a percentage with two decimals.
pub fn percent(part: f64, whole: f64) -> Option<f64> {
    (whole != 0.0).then(|| rounded(part / whole * 100.0))
}

/// (net revenue − cost) / cost × 100 %.
pub fn roi(net_revenue_minor: i64, cost_minor: i64) -> Option<f64> {
    percent((net_revenue_minor - cost_minor) as f64, cost_minor as f64)
}

/// Net revenue / ad cost.
pub fn roas(net_revenue_minor: i64, ad_cost_minor: i64) -> Option<f64> {
    (ad_cost_minor != 0).then(|| rounded(net_revenue_minor as f64 / ad_cost_minor as f64))
}

/// An amount of money per piece (CPC, CPO, CAC, AOV); `pieces` in millionths, because credit is shared.
pub fn per_piece(minor: i64, pieces_millionths: i64) -> Option<i64> {
    divide_half_even(i128::from(minor) * 1_000_000, i128::from(pieces_millionths))
}

fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_follow_their_definitions() {
        assert_eq!(roi(250_00, 100_00), Some(150.0));
        assert_eq!(roi(0, 100_00), Some(-100.0));
        assert_eq!(roi(250_00, 0), None);
        assert_eq!(roas(250_00, 100_00), Some(2.5));
        assert_eq!(per_piece(100_00, 3_000_000), Some(33_33));
        assert_eq!(per_piece(100_00, 0), None);
        assert_eq!(percent(1.0, 3.0), Some(33.33));
    }
}
