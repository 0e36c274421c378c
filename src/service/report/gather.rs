//! A report out of roll-ups: touches, visitors, costs and credit, each asked for by the columns that the question looks at.
//! What roll-ups do not hold (other windows, models with numbers of one's own, amounts that are converted) and days that are
//! out of date are reckoned from the orders themselves.

use super::converted::Exchange;
use super::dimension::{Place, Texts, place_of_cost};
use super::{Dimension, Question, Report, Sums, default_currency, other_currencies};
use crate::domain::attribution::Model;
use crate::domain::money::Currency;
use crate::domain::order::CustomerKind;
use crate::domain::touch::TouchKind;
use crate::service::credit::{CreditOptions, Fits, fits_of, kept_fits};
use crate::service::rollup::{self, AsTheyAre, Cut, Sharing, StaleDays, credit_lines, spans_to_reckon};
use crate::service::{Result, Tributary};
use crate::store::credit_day::{self, CreditDay, CreditSums, KeyColumn, PAYABLE};
use crate::store::{cost, touch_day};
use chrono::NaiveDate;
use std::collections::{BTreeSet, HashMap};

type Keys = Vec<Option<String>>;

/// Whose credit rows are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credited {
    /// The touches, by the model: what channels returned, commission and ad cost beside it.
    ByModel,
    /// Partners, by payable credit.
    Payable,
}

struct Gathering<'a> {
    service: &'a Tributary,
    question: &'a Question,
    credited: Credited,
    currency: Currency,
    columns: Vec<KeyColumn>,
    cut: Cut,
    /// Days are told apart, so that no whole month can be read.
    by_day: bool,
    texts: Texts,
    rows: HashMap<Keys, Sums>,
    others: super::Others,
}

/// Answers a question.
pub async fn report(service: &Tributary, question: Question, credited: Credited) -> Result<Report> {
    let currency = match question.currency {
        Some(currency) => currency,
        None => default_currency(&service.db).await?,
    };
    let dimensions = question.group_by.iter().copied().chain(question.filters.iter().map(|filter| filter.dimension));
    let mut columns: Vec<KeyColumn> = dimensions.map(Dimension::column).collect();
    if credited == Credited::Payable {
        columns.push(KeyColumn::Partner);
    }
    columns.sort_unstable();
    columns.dedup();
    let by_origin = columns
        .iter()
        .all(|column| matches!(column, KeyColumn::Day | KeyColumn::Channel | KeyColumn::Origin | KeyColumn::Customer));
    let dimensions = question.group_by.iter().copied().chain(question.filters.iter().map(|filter| filter.dimension));
    let by_day = dimensions.clone().any(|dimension| matches!(dimension, Dimension::Day | Dimension::Week));
    let mut gathering = Gathering {
        service,
        question: &question,
        credited,
        currency,
        columns,
        cut: if by_origin { Cut::Origin } else { Cut::All },
        by_day,
        texts: Texts::default(),
        rows: HashMap::new(),
        others: super::Others::new(),
    };
    let stale = StaleDays::read(&service.db, question.from, question.to).await?;
    let (all_visitors, visitors_error) = gathering.touches(&stale).await?;
    let mut exchange = Exchange::of(&service.db, &question, currency).await?;
    if credited == Credited::ByModel {
        gathering.costs(&mut exchange).await?;
    }
    gathering.credit(&stale, &mut exchange).await?;
    let Gathering { mut rows, others, .. } = gathering;
    let mut totals = Sums { visitors: all_visitors, ..Sums::default() };
    for row in rows.values_mut() {
        row.compared_clicks = if row.platform_clicks == 0 { 0 } else { row.clicks };
        totals.add(row);
    }
    let mut rows: Vec<(Keys, Sums)> = rows.into_iter().collect();
    rows.sort_by(|a, b| b.1.net_revenue_minor.cmp(&a.1.net_revenue_minor).then_with(|| a.0.cmp(&b.0)));
    let converted = exchange.done()?;
    let other_currencies = other_currencies(others);
    Ok(Report { question, currency, rows, totals, visitors_error, other_currencies, converted })
}

fn add(to: &mut Sums, sums: &CreditSums) {
    to.revenue_minor += sums.revenue_minor;
    to.net_revenue_minor += sums.net_revenue_minor;
    to.discount_minor += sums.discount_minor;
    to.commission_minor += sums.commission_minor;
}

impl Gathering<'_> {
    fn keys(&self, place: &Place<'_>) -> Option<Keys> {
        if self.credited == Credited::Payable && place.partner == 0 {
            return None;
        }
        place.keys(&self.question.group_by, &self.question.filters)
    }

    /// Touches and visitors; answers how many visitors there were in all, and how far that may be off.
    async fn touches(&mut self, stale: &StaleDays) -> Result<(i64, Option<f64>)> {
        let span = (self.question.from, self.question.to);
        let db = &self.service.db;
        let plan = stale.plan(span, &stale.visitors, self.cut, self.by_day);
        let of_partners = self.credited == Credited::Payable;
        let sums = touch_day::sums(db, &plan, &self.columns, of_partners).await?;
        self.texts.learn(db, sums.iter().map(|sum| sum.origin_id), std::iter::empty()).await?;
        let mut touches: i64 = 0;
        for sum in &sums {
            if matches!(sum.kind, TouchKind::Click | TouchKind::Visit) {
                touches += sum.counted;
            }
            let Some(keys) = self.keys(&self.texts.of_touches(sum)) else { continue };
            let row = self.rows.entry(keys).or_default();
            match sum.kind {
                TouchKind::Click | TouchKind::Visit => {
                    row.clicks += sum.counted;
                    row.clicks_not_counted += sum.not_counted;
                }
                TouchKind::Impression => row.impressions += sum.counted,
                TouchKind::Promo | TouchKind::Call => {}
            }
        }
        // Their origins are among those of the touches, where origins matter.
        if of_partners {
            // Whether visitors are counted one by one goes by everybody's touches, for they are all read for it.
            let everybody = touch_day::sums(db, &plan, &[], false).await?;
            touches = everybody
                .iter()
                .filter(|sum| matches!(sum.kind, TouchKind::Click | TouchKind::Visit))
                .map(|sum| sum.counted)
                .sum();
        }
        let group = |day, key: &_| self.keys(&self.texts.of_visitors(day, key));
        let visitors = rollup::visitors(self.service, span, &plan, touches, group).await?;
        for (keys, count) in visitors.of {
            self.rows.entry(keys).or_default().visitors = count;
        }
        Ok((visitors.all, visitors.error_percent))
    }

    async fn costs(&mut self, exchange: &mut Exchange) -> Result<()> {
        let Question { from, to, convert, .. } = *self.question;
        let plan = StaleDays::none().plan((from, to), &BTreeSet::new(), self.cut, convert || self.by_day);
        for sum in cost::sums(&self.service.db, &plan, convert || self.columns.contains(&KeyColumn::Day)).await? {
            let Some(keys) = self.keys(&place_of_cost(&sum)) else { continue };
            let Some(brought) = exchange.in_report([sum.amount_minor], sum.currency, sum.day)? else {
                self.others.entry(sum.currency).or_default().2 += sum.amount_minor;
                continue;
            };
            let [ad_cost_minor] = brought.minors;
            if let Some(([original], currency, conversion)) = &brought.from {
                exchange.add(&keys, (*currency, conversion), |from, to| {
                    from.ad_cost_minor += original;
                    to.ad_cost_minor += ad_cost_minor;
                });
            }
            let row = self.rows.entry(keys).or_default();
            row.ad_cost_minor += ad_cost_minor;
            row.platform_impressions += sum.impressions;
            row.platform_clicks += sum.clicks;
        }
        Ok(())
    }

    /// Orders, leads and commissions: of days that are kept from there, of the others reckoned.
    async fn credit(&mut self, stale: &StaleDays, exchange: &mut Exchange) -> Result<()> {
        let Question { from, to, model, credit: options, convert, .. } = *self.question;
        let service = self.service;
        let needs_a_fit = self.credited == Credited::ByModel && model.needs_a_fit();
        let kept_fits = match needs_a_fit && options == CreditOptions::default() {
            true => kept_fits(service, from, to).await?,
            false => None,
        };
        let usual = self.credited == Credited::Payable || (options == CreditOptions::default() && Model::ALL.contains(&model));
        let is_kept = usual && !convert && (!needs_a_fit || kept_fits.is_some());
        let out_of_date: BTreeSet<NaiveDate> = match (is_kept, needs_a_fit) {
            (true, false) => stale.credit.clone(),
            (true, true) => stale.credit.union(&stale.fitted).copied().collect(),
            (false, _) => from.iter_days().take_while(|day| *day <= to).collect(),
        };
        let by_model = self.credited == Credited::ByModel;
        if is_kept {
            let plan = stale.plan((from, to), &out_of_date, self.cut, self.by_day);
            let models: &[&'static str] = if by_model { &[model.name(), PAYABLE] } else { &[PAYABLE] };
            // Who is new is a figure of every row.
            let mut columns = self.columns.clone();
            columns.push(KeyColumn::Customer);
            let sums = credit_day::sums(&service.db, &plan, models, &columns, !by_model).await?;
            self.add_credit(sums.iter().map(|(key, sums)| (key, sums))).await?;
        }
        if out_of_date.is_empty() {
            return Ok(());
        }
        let fits = match (needs_a_fit, kept_fits) {
            (true, Some(kept)) => kept,
            (true, None) => fits_of(service, from, to, options.window).await?,
            (false, _) => Fits::default(),
        };
        let models: &[(&'static str, Model)] = if by_model { &[(model.name(), model)] } else { &[] };
        let sharing = Sharing { models, fits: &fits, options };
        for span in spans_to_reckon(&service.db, &out_of_date).await? {
            if !convert {
                let lines = credit_lines(service, span, &sharing, &mut AsTheyAre).await?;
                self.add_credit(lines.iter()).await?;
                continue;
            }
            let lines = credit_lines(service, span, &sharing, exchange).await?;
            self.add_credit(lines.iter()).await?;
            for note in exchange.notes() {
                if let Some(keys) =
                    self.keys(&self.texts.of_credit(&note.key)).filter(|_| self.is_shown(&note.key, &note.original))
                {
                    exchange.add(&keys, (note.from, &note.conversion), |from, to| {
                        add(from, &note.original);
                        add(to, &note.converted);
                    });
                }
            }
        }
        Ok(())
    }

    /// Of the rows of what is owed, a report by model takes the commissions alone.
    fn is_shown(&self, key: &CreditDay, sums: &CreditSums) -> bool {
        self.credited == Credited::Payable || key.model != PAYABLE || sums.commission_minor != 0
    }

    async fn add_credit(&mut self, lines: impl Iterator<Item = (&CreditDay, &CreditSums)> + Clone) -> Result<()> {
        let (origins, codes) = (lines.clone().map(|(key, _)| key.origin_id), lines.clone().map(|(key, _)| key.promo_code_id));
        self.texts.learn(&self.service.db, origins, codes).await?;
        for (key, sums) in lines {
            if !self.is_shown(key, sums) {
                continue;
            }
            let Some(keys) = self.keys(&self.texts.of_credit(key)) else { continue };
            let owed_alone = self.credited == Credited::ByModel && key.model == PAYABLE;
            if let Some(currency) = key.currency.filter(|currency| *currency != self.currency) {
                if !owed_alone {
                    let other = self.others.entry(currency).or_default();
                    (other.0, other.1) = (other.0 + sums.orders_millionths, other.1 + sums.revenue_minor);
                }
                continue;
            }
            let row = self.rows.entry(keys).or_default();
            row.commission_minor += sums.commission_minor;
            if owed_alone {
                continue;
            }
            row.leads_millionths += sums.leads_millionths;
            row.orders_millionths += sums.orders_millionths;
            row.new_customers_millionths += if key.customer == Some(CustomerKind::New) { sums.orders_millionths } else { 0 };
            row.revenue_minor += sums.revenue_minor;
            row.net_revenue_minor += sums.net_revenue_minor;
            row.net_revenue_squares = row.net_revenue_squares.saturating_add(sums.net_revenue_squares);
            row.discount_minor += sums.discount_minor;
        }
        Ok(())
    }
}
