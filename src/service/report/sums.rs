//! The sums of a row, and the figures made of them. `docs/figures.md` has each formula with a check by hand.

use super::Counting;
use crate::domain::figures;
use crate::domain::money::{Currency, Money, RatePpm};

/// The sums of a row. Shared orders, leads and customers are counted in millionths.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sums {
    pub impressions: i64,
    pub clicks: i64,
    pub clicks_not_counted: i64,
    pub visitors: i64,
    pub leads_millionths: i64,
    pub orders_millionths: i64,
    pub new_customers_millionths: i64,
    pub revenue_minor: i64,
    pub net_revenue_minor: i64,
    pub net_revenue_squares: i64,
    pub discount_minor: i64,
    pub ad_cost_minor: i64,
    pub commission_minor: i64,
    /// What the ad platforms say of the costs.
    pub platform_impressions: i64,
    pub platform_clicks: i64,
    /// Clicks of rows of which a platform has counted clicks.
    pub compared_clicks: i64,
}

impl Sums {
    /// Adds what can be added: visitors cannot.
    pub fn add(&mut self, row: &Sums) {
        self.impressions += row.impressions;
        self.clicks += row.clicks;
        self.clicks_not_counted += row.clicks_not_counted;
        self.leads_millionths += row.leads_millionths;
        self.orders_millionths += row.orders_millionths;
        self.new_customers_millionths += row.new_customers_millionths;
        self.revenue_minor += row.revenue_minor;
        self.net_revenue_minor += row.net_revenue_minor;
        self.net_revenue_squares = self.net_revenue_squares.saturating_add(row.net_revenue_squares);
        self.discount_minor += row.discount_minor;
        self.ad_cost_minor += row.ad_cost_minor;
        self.commission_minor += row.commission_minor;
        self.platform_impressions += row.platform_impressions;
        self.platform_clicks += row.platform_clicks;
        self.compared_clicks += row.compared_clicks;
    }

    /// Ad cost and commissions, and discounts if they count as cost.
    pub fn cost_minor(&self, counting: Counting) -> i64 {
        self.ad_cost_minor + self.commission_minor + if counting.discount_is_cost { self.discount_minor } else { 0 }
    }

    /// The figures of the row, ready to be written.
    pub fn figures(&self, currency: Currency, counting: Counting) -> Figures {
        let money = |minor| Money::new(minor, currency);
        let per = |minor, millionths| figures::per_piece(minor, millionths).map(money);
        let (clicks, millionth) = (self.clicks, 1_000_000);
        let cost = self.cost_minor(counting);
        let of_cost = |millionths| if cost == 0 { None } else { per(cost, millionths) };
        let gross_profit = counting.margin.map(|margin: RatePpm| margin.of(self.net_revenue_minor));
        Figures {
            impressions: self.impressions,
            clicks,
            clicks_not_counted: self.clicks_not_counted,
            visitors: self.visitors,
            leads: self.leads_millionths as f64 / 1e6,
            orders: self.orders_millionths as f64 / 1e6,
            new_customers: self.new_customers_millionths as f64 / 1e6,
            revenue: money(self.revenue_minor),
            refunds: money(self.revenue_minor - self.net_revenue_minor),
            net_revenue: money(self.net_revenue_minor),
            discount: money(self.discount_minor),
            ad_cost: money(self.ad_cost_minor),
            commission: money(self.commission_minor),
            cost: money(cost),
            cr: figures::percent(self.orders_millionths as f64 / 1e6, clicks as f64),
            aov: per(self.net_revenue_minor, self.orders_millionths),
            cpc: if self.ad_cost_minor == 0 { None } else { per(self.ad_cost_minor, clicks.saturating_mul(millionth)) },
            cpl: of_cost(self.leads_millionths),
            cpo: of_cost(self.orders_millionths),
            cac: of_cost(self.new_customers_millionths),
            drr: figures::percent(cost as f64, self.net_revenue_minor as f64),
            roas: figures::roas(self.net_revenue_minor, self.ad_cost_minor),
            roi: figures::roi(self.net_revenue_minor, cost),
            gross_profit: gross_profit.map(money),
            romi: gross_profit.and_then(|gross| figures::roi(gross, cost)),
            platform_impressions: self.platform_impressions,
            platform_clicks: self.platform_clicks,
            platform_clicks_difference: (self.platform_clicks != 0).then(|| self.compared_clicks - self.platform_clicks),
        }
    }
}

/// The figures of a row. `cr`, `drr`, `roi` and `romi` are percentages; `null` where the divisor is zero.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Figures {
    pub impressions: i64,
    pub clicks: i64,
    pub clicks_not_counted: i64,
    pub visitors: i64,
    pub leads: f64,
    pub orders: f64,
    pub new_customers: f64,
    pub revenue: Money,
    pub refunds: Money,
    pub net_revenue: Money,
    pub discount: Money,
    pub ad_cost: Money,
    pub commission: Money,
    pub cost: Money,
    pub cr: Option<f64>,
    pub aov: Option<Money>,
    pub cpc: Option<Money>,
    pub cpl: Option<Money>,
    pub cpo: Option<Money>,
    pub cac: Option<Money>,
    pub drr: Option<f64>,
    pub roas: Option<f64>,
    pub roi: Option<f64>,
    /// By the margin asked for; none without one.
    pub gross_profit: Option<Money>,
    pub romi: Option<f64>,
    pub platform_impressions: i64,
    pub platform_clicks: i64,
    /// Clicks here less those that the platforms counted, of the rows of which they counted any.
    pub platform_clicks_difference: Option<i64>,
}
