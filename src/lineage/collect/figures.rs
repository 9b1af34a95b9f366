//! Sums over objects in which one unknown part makes the whole unknown.

use std::collections::BTreeMap;

use crate::engine::outcome::{ColumnFacts, Route};
use crate::engine::outcome_rows::route_word;
use crate::engine::sketch::Sketch;
use crate::lineage::model::{Column, RouteUse};
use crate::policy::describe::ColumnPlan;

/// The sum of all parts; unknown if one is, or if it does not fit.
pub(super) fn sum(parts: impl Iterator<Item = Option<u64>>) -> Option<u64> {
    parts.into_iter().try_fold(0u64, |sum, part| sum.checked_add(part?))
}

/// Sums over the written objects of one column.
#[derive(Debug, Clone, Default)]
pub(super) struct Figures {
    objects: u64,
    values: Sum,
    nulls: Sum,
    empties: Sum,
    transformed: Sum,
    failed: Sum,
    found: Vec<u64>,
    value_bits: Option<u64>,
    distinct_in: Distinct,
    distinct_out: Distinct,
    routes: BTreeMap<Route, (u64, Sum)>,
}

impl Figures {
    /// Counts in one written object; `None` is an object that says nothing of this column.
    pub(super) fn add(&mut self, facts: Option<&ColumnFacts>) {
        self.objects += 1;
        self.values.add(facts.and_then(|facts| facts.values));
        self.nulls.add(facts.and_then(|facts| facts.nulls));
        self.empties.add(facts.and_then(|facts| facts.empties));
        self.transformed.add(facts.and_then(|facts| facts.transformed));
        self.failed.add(facts.and_then(|facts| facts.failed));
        for (kind, times) in facts.iter().flat_map(|facts| facts.found.iter().enumerate()) {
            self.found.resize(self.found.len().max(kind + 1), 0);
            self.found[kind] += times;
        }
        self.value_bits = self.value_bits.max(facts.and_then(|facts| facts.value_bits));
        self.distinct_in.add(facts.and_then(|facts| facts.distinct_in.as_ref()));
        self.distinct_out.add(facts.and_then(|facts| facts.distinct_out.as_ref()));
        for used in facts.iter().flat_map(|facts| &facts.routes) {
            let (objects, bytes) = self.routes.entry(used.route).or_default();
            *objects += 1;
            bytes.add(used.bytes);
        }
    }

    /// Bits that could tell the values read apart, where any were looked at.
    pub(super) fn value_bits(&self) -> Option<u64> {
        self.value_bits
    }

    pub(super) fn with(self, plan: ColumnPlan) -> Column {
        let any = self.objects > 0;
        let known = |sum: Sum| sum.0.filter(|_| any);
        let values = known(self.values);
        let routes = self.routes.into_iter().map(|(route, (objects, bytes))| RouteUse {
            route: route_word(route).to_owned(),
            objects,
            bytes: bytes.0,
        });
        let distinct_in = self.distinct_in.estimate(values);
        // a kind that was looked for and not found is told as zero, once anything was written
        let kinds = plan.kinds.iter().enumerate().filter(|_| any);
        let found = kinds.map(|(at, kind)| (kind.clone(), self.found.get(at).copied().unwrap_or(0)));
        Column {
            found: found.collect(),
            token_bits: plan.token_bits,
            collision_log2: birthday_bound(distinct_in, plan.token_bits),
            name: plan.name,
            inputs: plan.inputs,
            indirect_inputs: plan.indirect_inputs,
            transform: plan.transform,
            parameters: plan.parameters,
            domain: plan.domain,
            key: plan.key,
            deterministic: plan.deterministic,
            reversible: plan.reversible,
            masking: plan.masking,
            type_before: plan.type_before,
            type_after: plan.type_after,
            partition: plan.partition,
            routes: routes.collect(),
            values,
            nulls: known(self.nulls),
            empties: known(self.empties),
            transformed: known(self.transformed),
            failed: known(self.failed),
            distinct_in,
            distinct_out: self.distinct_out.estimate(values),
        }
    }
}

/// log2 of n (n - 1) / 2^(bits + 1), rounded up: the birthday bound.
fn birthday_bound(distinct: Option<u64>, bits: Option<u16>) -> Option<i32> {
    let (distinct, bits) = (distinct.filter(|&distinct| distinct > 1)?, bits?);
    let pairs = u128::from(distinct) * u128::from(distinct - 1) / 2;
    let log2 = if pairs.is_power_of_two() { pairs.ilog2() } else { pairs.ilog2() + 1 };
    Some((log2 as i32 - i32::from(bits)).min(0))
}

/// A sum that turns unknown with its first unknown part.
#[derive(Debug, Clone, Copy)]
struct Sum(Option<u64>);

impl Default for Sum {
    fn default() -> Self {
        Self(Some(0))
    }
}

impl Sum {
    fn add(&mut self, part: Option<u64>) {
        self.0 = sum([self.0, part].into_iter());
    }
}

/// The union of sketches, with the same rule.
#[derive(Debug, Clone, Default)]
enum Distinct {
    #[default]
    Nothing,
    Known(Sketch),
    Unknown,
}

impl Distinct {
    fn add(&mut self, part: Option<&Sketch>) {
        match (&mut *self, part) {
            (Self::Known(all), Some(part)) => all.merge(part),
            (Self::Nothing, Some(part)) => *self = Self::Known(part.clone()),
            (_, None) => *self = Self::Unknown,
            (Self::Unknown, Some(_)) => {}
        }
    }

    /// An estimate may be too high, but there are never more distinct values than values.
    fn estimate(&self, values: Option<u64>) -> Option<u64> {
        match self {
            Self::Known(sketch) => Some(sketch.estimate().min(values.unwrap_or(u64::MAX))),
            Self::Nothing | Self::Unknown => None,
        }
    }
}
