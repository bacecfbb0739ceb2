//! What a plan with a theme lets happen together, in words.

use crate::plan::Plan;

/// The theme of a plan, if it has one.
pub(super) fn of_plan(plan: &Plan) -> Option<String> {
    let (faults, clocks, clients) = (&plan.faults, &plan.clocks, &plan.clients);
    let strands = (faults.stranding > 0).then(|| {
        let (times, entries) = (faults.stranding, faults.stranded);
        format!("of 1000 partitions {times} strand the leader with up to {entries} entries")
    });
    let hurries = faults.hurries_isolation.then(|| "who follows an isolated leader campaigns at once".to_owned());
    let fast = clocks.leader_pace.map(|pace| {
        format!(
            "leaders are cut off, with a clock {pace} times as fast; of 1000 requests {} stay with a former one",
            clients.stays
        )
    });
    let parts: Vec<String> = [strands, hurries, fast].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::plan::Overrides;

    #[test]
    fn each_theme_is_said_and_most_plans_have_none() {
        let said: Vec<String> =
            (0..1000).filter_map(|seed| of_plan(&Plan::draw(seed, &Overrides::default()))).collect();
        let beginnings: BTreeSet<&str> = said.iter().filter_map(|text| text.split(' ').next()).collect();
        assert_eq!(beginnings, BTreeSet::from(["leaders", "of", "who"]));
        assert!((200..400).contains(&said.len()), "{} of 1000 plans", said.len());
    }
}
