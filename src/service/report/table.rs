//! A report as rows of text, and the rates it was converted by.

use super::Report;
use crate::domain::exchange_rate::Conversion;
use crate::domain::money::Money;
use crate::service::export::Table;

impl Report {
    /// The rates that a row was converted by, for people to read.
    fn rates_of(&self, keys: &[Option<String>]) -> String {
        let lines = self.converted.get(keys).map_or(&[][..], Vec::as_slice);
        lines.iter().map(|line| format!("{}: {}", line.day, line.conversion)).collect::<Vec<_>>().join("; ")
    }

    /// Every rate that was used, once, by day.
    pub fn conversions(&self) -> Vec<&Conversion> {
        let mut all: Vec<&Conversion> = self.converted.values().flatten().map(|line| &line.conversion).collect();
        all.sort_by_key(|conversion| (conversion.from, conversion.day));
        all.dedup();
        all
    }

    /// The report as a table of text, totals last.
    pub fn table(&self) -> Table {
        let mut head: Vec<&str> = self.question.group_by.iter().map(|d| d.name()).collect();
        const FIGURES: [&str; 17] = [
            "clicks",
            "clicks_not_counted",
            "visitors",
            "orders",
            "new_customers",
            "revenue",
            "refunds",
            "net_revenue",
            "ad_cost",
            "commission",
            "cost",
            "cr",
            "aov",
            "cpc",
            "cac",
            "roas",
            "roi",
        ];
        head.extend(FIGURES);
        head.push("currency");
        if self.question.convert {
            head.push("rates");
        }
        let mut table = Table::new(&head);
        let width = self.question.group_by.len();
        let total_keys: Vec<Option<String>> = (0..width).map(|i| (i == 0).then(|| "total".to_owned())).collect();
        for (keys, sums) in self.rows.iter().map(|(k, s)| (k, s)).chain([(&total_keys, &self.totals)]) {
            let f = sums.figures(self.currency);
            let money = |m: Option<Money>| m.map(Money::decimal).unwrap_or_default();
            let number = |n: Option<f64>| n.map(|n| n.to_string()).unwrap_or_default();
            let mut cells: Vec<String> = keys.iter().map(|k| k.clone().unwrap_or_default()).collect();
            cells.extend([f.clicks, f.clicks_not_counted, f.visitors].map(|n| n.to_string()));
            cells.extend([f.orders, f.new_customers].map(|n| n.to_string()));
            cells.extend([f.revenue, f.refunds, f.net_revenue, f.ad_cost, f.commission, f.cost].map(Money::decimal));
            cells.extend([number(f.cr), money(f.aov), money(f.cpc), money(f.cac), number(f.roas), number(f.roi)]);
            cells.push(self.currency.code().to_owned());
            if self.question.convert {
                cells.push(self.rates_of(keys));
            }
            table.row(&cells.iter().map(String::as_str).collect::<Vec<_>>());
        }
        table
    }
}
