//! The report as a line of JSON. Seeds are text, as everywhere.

use std::path::PathBuf;

use crate::campaign::share::{Found, Group, Summary};
use serde_json::{Value, json};

use super::super::situations;
use super::report::Report;

impl Report<'_> {
    pub(super) fn as_json(&self) -> String {
        let explored = &self.total.explored;
        json!({
            "work": self.total.work,
            "complete": self.total.is_complete(),
            "shares": self.total.shares.iter().map(|summary| self.share(summary)).collect::<Vec<_>>(),
            "missing": self.total.missing().map(|range| [range.start, range.end]).collect::<Vec<_>>(),
            "left_out": self.left_out.iter().map(|(summary, differs)| self.left_out(summary, differs)).collect::<Vec<_>>(),
            "seeds": explored.seeds,
            "executed": explored.executed,
            "failures": explored.failures(),
            "events": explored.statistics.total(),
            "digest": format!("{:016x}", explored.digest),
            "fewer_than_one_in": self.rarer_than(),
            "broken": self.broken(),
            "statistics": explored.statistics,
            "situations": situations::as_json(explored),
        })
        .to_string()
    }

    fn share(&self, summary: &Summary) -> Value {
        json!({
            "share": summary.share,
            "folder": self.shares.folder(summary).display().to_string(),
            "done": summary.done.count(),
            "count": summary.count(),
            "failures": summary.explored.failures(),
        })
    }

    fn left_out(&self, summary: &Summary, differs: &[String]) -> Value {
        let mut line = self.share(summary);
        line["work"] = json!(summary.work);
        line["differs"] = json!(differs);
        line
    }

    fn broken(&self) -> Vec<Value> {
        let broken = self.total.explored.broken.iter();
        let line = broken.map(|(property, broken)| {
            let groups = self.groups.iter().filter(|group| group.property == *property);
            json!({
                "property": property,
                "meaning": property.meaning(),
                "source": property.source(),
                "seeds": broken.seeds,
                "groups": groups.map(|group| self.group(group)).collect::<Vec<_>>(),
            })
        });
        line.collect()
    }

    fn group(&self, group: &Group<Option<PathBuf>>) -> Value {
        json!({
            "shrinks_to": group.shape.as_ref().map(|shape| &shape.kinds),
            "failures": group.found.iter().map(failure).collect::<Vec<_>>(),
            "next": self.next(group),
        })
    }
}

fn failure(found: &Found<Option<PathBuf>>) -> Value {
    json!({
        "seed": found.failure.seed.to_string(),
        "events": found.failure.events,
        "shrunk_to": found.shrunk_to,
        "ending": found.failure.ending,
        "trace": found.trace.as_ref().map(|trace| trace.display().to_string()),
    })
}
