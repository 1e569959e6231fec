//! What `unevaluatedProperties` and `unevaluatedItems` ask: which parts of a value other keywords have looked at.

use std::collections::BTreeSet;

/// The evaluated parts of one value. Nothing is kept where nobody asks.
#[derive(Debug, Default)]
pub(super) struct Evaluated<'v> {
    is_asked_for: bool,
    properties: BTreeSet<&'v str>,
    all_properties: bool,
    /// The items before this index.
    items_below: usize,
    /// And these.
    items: BTreeSet<usize>,
}

impl<'v> Evaluated<'v> {
    pub(super) fn asked_for() -> Self {
        Self { is_asked_for: true, ..Self::default() }
    }

    /// For a subschema that is applied to the same value, and may not hold.
    pub(super) fn branch(&self) -> Self {
        Self { is_asked_for: self.is_asked_for, ..Self::default() }
    }

    /// Whether all subschemas have to be applied, even if the result is known.
    pub(super) fn is_asked_for(&self) -> bool {
        self.is_asked_for
    }

    /// Takes what a subschema that holds has evaluated.
    pub(super) fn take(&mut self, other: Self) {
        if self.is_asked_for {
            self.properties.extend(other.properties);
            self.all_properties |= other.all_properties;
            self.items_below = self.items_below.max(other.items_below);
            self.items.extend(other.items);
        }
    }

    pub(super) fn property(&mut self, name: &'v str) {
        if self.is_asked_for && !self.all_properties {
            self.properties.insert(name);
        }
    }

    pub(super) fn every_property(&mut self) {
        self.all_properties = true;
    }

    pub(super) fn item(&mut self, index: usize) {
        if self.is_asked_for && index >= self.items_below {
            self.items.insert(index);
        }
    }

    /// The first items, `usize::MAX` for all.
    pub(super) fn items_below(&mut self, index: usize) {
        self.items_below = self.items_below.max(index);
    }

    pub(super) fn has_property(&self, name: &str) -> bool {
        self.all_properties || self.properties.contains(name)
    }

    pub(super) fn has_item(&self, index: usize) -> bool {
        index < self.items_below || self.items.contains(&index)
    }
}
