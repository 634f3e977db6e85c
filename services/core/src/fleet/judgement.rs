//! What of an installation's status needs somebody's attention.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{Glance, InstallationStatus, Monitoring, MonitoringState, Queue};

/// From this age on figures say little of what is now. Asking takes place every two minutes at least.
const STALE: TimeDelta = TimeDelta::minutes(5);
/// Work that has waited longer than this waits for something that is missing. As the alert KinoraWorkWaits.
const LONG_WAIT_SECONDS: i64 = 900;
/// As the alert KinoraMailStuck.
const LONG_MAIL_SECONDS: i64 = 3600;

/// Something that needs attention.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Attention {
    /// "critical" or "warning".
    pub severity: String,
    /// What is wrong, and since when or how much.
    pub text: String,
    /// Where it stands what to do, from the documentation's root.
    pub runbook: String,
}

fn attention(severity: &str, text: String, runbook: &str) -> Attention {
    Attention { severity: severity.to_owned(), text, runbook: format!("docs/operations/{runbook}") }
}

/// What needs attention, the worst first.
#[must_use]
pub fn judge(status: &InstallationStatus) -> Vec<Attention> {
    let mut found = Vec::new();
    found.extend(of_monitoring(&status.monitoring, status.glance.as_ref(), status.at));
    if let Some(glance) = &status.glance {
        found.extend(of_alerts(glance));
        found.extend(of_versions(glance));
    }
    let is_told =
        |name: &str| status.glance.iter().flat_map(|glance| &glance.alerts).any(|alert| alert.name == name);
    if !is_told("KinoraWorkWaits") {
        found.extend(of_queues(&status.queues));
    }
    if status.mail.oldest_seconds > LONG_MAIL_SECONDS && !is_told("KinoraMailStuck") {
        let text = format!(
            "{} mails wait, the oldest for {}",
            status.mail.waiting,
            span(TimeDelta::seconds(status.mail.oldest_seconds))
        );
        found.push(attention("warning", text, "alerts.md#kinoramailstuck"));
    }
    found.sort_by_key(|one| one.severity != "critical");
    found
}

fn of_monitoring(monitoring: &Monitoring, glance: Option<&Glance>, now: DateTime<Utc>) -> Option<Attention> {
    if monitoring.asked_at.is_none_or(|at| now - at > STALE) {
        let since = monitoring.asked_at.map_or_else(
            || "No backend has ever written down".to_owned(),
            |at| format!("No backend has written down for {}", span(now - at)),
        );
        let text = format!("{since} how the fleet does: no backend leads, and nothing is processed");
        return Some(attention("critical", text, "alerts.md#kinoranoleader"));
    }
    if monitoring.state != MonitoringState::Failing {
        return None;
    }
    let error = monitoring.error.as_deref().unwrap_or("no reason is known");
    let age = match glance {
        Some(glance) => format!("figures are from {} ago", span(now - glance.at)),
        None => "there are no figures".to_owned(),
    };
    let text = format!("Prometheus on the leading backend could not be asked, so {age}: {error}");
    Some(attention("warning", text, "monitoring.md"))
}

/// Notices tell of what is over.
fn of_alerts(glance: &Glance) -> impl Iterator<Item = Attention> {
    glance.alerts.iter().filter(|alert| alert.severity != "notice").map(|alert| {
        let mut text = alert.name.clone();
        if let Some(host) = &alert.host {
            text.push_str(&format!(" on {host}"));
        }
        if let Some(about) = &alert.about {
            text.push_str(&format!(" ({about})"));
        }
        if let Some(since) = alert.since {
            text.push_str(&format!(" since {}", since.format("%Y-%m-%d %H:%M UTC")));
        }
        attention(&alert.severity, text, &format!("alerts.md#{}", alert.name.to_lowercase()))
    })
}

fn of_versions(glance: &Glance) -> Option<Attention> {
    let mut versions: Vec<&str> =
        glance.hosts.iter().flat_map(|host| host.versions.values()).map(String::as_str).collect();
    versions.sort_unstable();
    versions.dedup();
    (versions.len() > 1).then(|| {
        let text = format!("Hosts have different versions: {}", versions.join(", "));
        attention("warning", text, "upgrade.md")
    })
}

fn of_queues(queues: &[Queue]) -> Option<Attention> {
    let waits = |queue: &&Queue| queue.state != "running" && queue.oldest_seconds > LONG_WAIT_SECONDS;
    let oldest = queues.iter().filter(waits).max_by_key(|queue| queue.oldest_seconds)?;
    let text = format!(
        "The oldest {} has waited for a worker for {}",
        oldest.kind,
        span(TimeDelta::seconds(oldest.oldest_seconds))
    );
    Some(attention("warning", text, "alerts.md#kinoraworkwaits"))
}

/// A length of time in two words at the most: "40 s", "5 min", "3 h", "2 days".
#[must_use]
pub fn span(length: TimeDelta) -> String {
    match length.num_seconds().max(0) {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds @ 7200..172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Alert, Host, MailQueue, Storage};
    use super::*;

    fn well() -> InstallationStatus {
        let at: DateTime<Utc> = "2026-11-23T03:00:00Z".parse().unwrap();
        let host = |name: &str| Host {
            name: name.to_owned(),
            is_up: true,
            versions: [("backend".to_owned(), "1.2.0".to_owned())].into(),
            ..Host::default()
        };
        InstallationStatus {
            at,
            is_well: true,
            attention: Vec::new(),
            monitoring: Monitoring {
                state: MonitoringState::Working,
                asked_at: Some(at - TimeDelta::seconds(50)),
                error: None,
            },
            glance: Some(Glance { at, hosts: vec![host("be1"), host("be2")], ..Glance::default() }),
            queues: vec![Queue {
                kind: "proxy".to_owned(),
                state: "running".to_owned(),
                count: 2,
                oldest_seconds: 5000,
            }],
            mail: MailQueue::default(),
            storage: Storage::default(),
        }
    }

    fn alert(name: &str, severity: &str) -> Alert {
        Alert {
            name: name.to_owned(),
            severity: severity.to_owned(),
            host: Some("db1".to_owned()),
            about: None,
            since: None,
        }
    }

    #[test]
    fn a_fleet_that_is_well_needs_nobody() {
        assert_eq!(judge(&well()), []);
        let mut without = well();
        without.glance = None;
        without.monitoring.state = MonitoringState::Unset;
        assert_eq!(judge(&without), []);
    }

    #[test]
    fn alerts_come_worst_first_and_notices_not() {
        let mut status = well();
        status.glance.as_mut().unwrap().alerts = vec![
            alert("KinoraDatabaseTakeover", "notice"),
            alert("KinoraDiskFilling", "warning"),
            alert("KinoraHostDown", "critical"),
        ];
        let texts: Vec<String> = judge(&status).into_iter().map(|one| one.text).collect();
        assert_eq!(texts, ["KinoraHostDown on db1", "KinoraDiskFilling on db1"]);
        assert_eq!(judge(&status)[0].runbook, "docs/operations/alerts.md#kinorahostdown");
    }

    #[test]
    fn old_figures_are_not_taken_for_good_ones() {
        let mut status = well();
        status.monitoring.asked_at = Some(status.at - TimeDelta::minutes(6));
        assert_eq!(judge(&status)[0].severity, "critical");
        assert!(judge(&status)[0].text.contains("for 6 min"), "{:?}", judge(&status));
        status.monitoring.asked_at = None;
        assert!(judge(&status)[0].text.starts_with("No backend has ever"));
        let mut status = well();
        status.monitoring.state = MonitoringState::Failing;
        status.monitoring.error = Some("connection refused".to_owned());
        assert!(judge(&status)[0].text.ends_with("from 0 s ago: connection refused"), "{:?}", judge(&status));
    }

    #[test]
    fn work_and_mail_that_wait_are_told_once() {
        let mut status = well();
        status.queues[0].state = "waiting".to_owned();
        status.mail = MailQueue { waiting: 3, oldest_seconds: 7300 };
        let texts: Vec<String> = judge(&status).into_iter().map(|one| one.text).collect();
        assert_eq!(
            texts,
            ["The oldest proxy has waited for a worker for 83 min", "3 mails wait, the oldest for 2 h"]
        );
        status.glance.as_mut().unwrap().alerts =
            vec![alert("KinoraWorkWaits", "warning"), alert("KinoraMailStuck", "warning")];
        assert_eq!(judge(&status).len(), 2);
    }

    #[test]
    fn versions_that_differ_are_told() {
        let mut status = well();
        status.glance.as_mut().unwrap().hosts[1].versions.insert("worker".to_owned(), "1.3.0".to_owned());
        assert_eq!(judge(&status)[0].text, "Hosts have different versions: 1.2.0, 1.3.0");
    }
}
