//! Which files share an interpreter: those that share a module, as its state is one for all that import it.

use std::collections::{BTreeMap, HashMap, HashSet};

/// The groups of these entries, by the modules that each consists of. `before`: the group that an entry is in already. The
/// numbers of groups are not used again.
pub(super) fn groups(
    modules: &BTreeMap<String, HashSet<&str>>,
    before: &HashMap<String, usize>,
    mut next: usize,
) -> BTreeMap<String, usize> {
    let mut groups: BTreeMap<String, usize> = BTreeMap::new();
    for entry in modules.keys() {
        if let Some(group) = before.get(entry) {
            groups.insert(entry.clone(), *group);
        }
    }
    for (entry, own) in modules.iter().filter(|(entry, _)| !before.contains_key(*entry)) {
        let shares = |other: &String| modules.get(other).is_some_and(|theirs| !theirs.is_disjoint(own));
        let shared: Vec<usize> =
            groups.iter().filter(|(other, _)| shares(other)).map(|(_, group)| *group).collect();
        // Those with an interpreter keep it; of new ones, which nothing has been loaded into, all become one.
        let is_old = |group: &usize| before.values().any(|known| known == group);
        let group =
            shared.iter().copied().find(is_old).or_else(|| shared.first().copied()).unwrap_or_else(|| {
                next += 1;
                next - 1
            });
        for other in groups.values_mut().filter(|other| shared.contains(other) && !is_old(other)) {
            *other = group;
        }
        groups.insert(entry.clone(), group);
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grouped(modules: &[(&str, &[&'static str])], before: &[(&str, usize)]) -> Vec<usize> {
        let modules =
            modules.iter().map(|(entry, own)| ((*entry).to_owned(), own.iter().copied().collect())).collect();
        let before = before.iter().map(|(entry, group)| ((*entry).to_owned(), *group)).collect();
        groups(&modules, &before, 5).into_values().collect()
    }

    #[test]
    fn files_that_share_a_module_are_together() {
        assert_eq!(grouped(&[("a", &["a"]), ("b", &["b"])], &[]), [5, 6]);
        assert_eq!(grouped(&[("a", &["a", "x"]), ("b", &["b", "x"])], &[]), [5, 5]);
        assert_eq!(
            grouped(&[("a", &["a", "x"]), ("b", &["b", "y"]), ("c", &["c", "x", "y"])], &[]),
            [5, 5, 5]
        );
    }

    #[test]
    fn a_file_stays_where_it_is() {
        assert_eq!(grouped(&[("a", &["a", "x"]), ("b", &["b", "x"])], &[("a", 0), ("b", 1)]), [0, 1]);
        assert_eq!(grouped(&[("a", &["a", "x"]), ("b", &["b", "x"])], &[("b", 1)]), [1, 1]);
    }
}
