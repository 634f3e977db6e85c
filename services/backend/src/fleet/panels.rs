//! The curves of the dashboards.

use chrono::{DateTime, TimeDelta, Utc};
use kinora_core::fleet::{Chart, Panel, Series};

use super::ask::{Line, Prometheus, PrometheusError, Stretch};
use super::queries::{LineQuery, PanelQueries, Queries};

/// A value for each quarter of an hour.
const DAY: (u32, u32) = (900, 97);
/// A value for each four hours.
const FORTNIGHT: (u32, u32) = (14_400, 85);
/// Most lines of a panel; further ones are left out.
const MOST_SERIES: usize = 40;

/// Asks for all of them.
///
/// # Errors
/// [`PrometheusError`].
pub(super) async fn ask(
    prometheus: &Prometheus,
    queries: &Queries,
    now: DateTime<Utc>,
) -> Result<Vec<Panel>, PrometheusError> {
    let mut panels = Vec::new();
    for panel in &queries.panels {
        panels.push(Panel {
            name: panel.name.clone(),
            unit: panel.unit,
            at: now,
            day: chart(prometheus, panel, stretch(now, DAY)).await?,
            fortnight: chart(prometheus, panel, stretch(now, FORTNIGHT)).await?,
        });
    }
    Ok(panels)
}

/// Ends now.
fn stretch(now: DateTime<Utc>, (step_seconds, count): (u32, u32)) -> Stretch {
    let length = i64::from(step_seconds) * i64::from(count - 1);
    Stretch { starts_at: now - TimeDelta::seconds(length), step_seconds, count }
}

async fn chart(
    prometheus: &Prometheus,
    panel: &PanelQueries,
    stretch: Stretch,
) -> Result<Chart, PrometheusError> {
    let mut series = Vec::new();
    for line in &panel.lines {
        for found in prometheus.range(&line.query(stretch.step_seconds), stretch).await? {
            let name = match line {
                LineQuery::Labelled { by, .. } => found.labels.get(by).cloned().unwrap_or_default(),
                LineQuery::Named { name, .. } => name.clone(),
            };
            series.push(Series { name, values: aligned(&found, stretch) });
        }
    }
    series.sort_by(|one, other| one.name.cmp(&other.name));
    series.truncate(MOST_SERIES);
    Ok(Chart { starts_at: stretch.starts_at, step_seconds: stretch.step_seconds, series })
}

/// The values at each instant of the stretch; nothing where there are none.
fn aligned(line: &Line, stretch: Stretch) -> Vec<Option<f64>> {
    let mut values = vec![None; stretch.count as usize];
    let (start, step) = (stretch.starts_at.timestamp(), i64::from(stretch.step_seconds));
    for (at, value) in &line.values {
        #[expect(clippy::cast_possible_truncation, reason = "whole seconds, as was asked")]
        let position = (*at as i64 - start) / step;
        if let Some(place) = usize::try_from(position).ok().and_then(|position| values.get_mut(position)) {
            // Six figures say all of it, in half of the room.
            *place = Some((value * 1e6).round() / 1e6);
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn values_stand_at_their_instants_and_gaps_are_gaps() {
        let now: DateTime<Utc> = "2026-11-23T03:00:00Z".parse().unwrap();
        let stretch = stretch(now, (900, 4));
        assert_eq!(stretch.starts_at.to_rfc3339(), "2026-11-23T02:15:00+00:00");
        let start = 1_795_400_100.0;
        assert_eq!(f64::from(u32::try_from(stretch.starts_at.timestamp()).unwrap()), start);
        let values = vec![(start, 1.0), (start + 1800.0, 0.123_456_789), (start + 9000.0, 5.0)];
        let line = Line { labels: BTreeMap::new(), values };
        assert_eq!(aligned(&line, stretch), [Some(1.0), None, Some(0.123_457), None]);
    }
}
