//! The page: first whether all is well, then what is not and where it stands what to do, then the figures.

use std::fmt::Write as _;

use chrono::{DateTime, TimeDelta, Utc};
use kinora_core::fleet::{Glance, Host, InstallationStatus, MonitoringState, span};

use crate::size::size;

/// Lines of alerts, queues and so on begin here.
const INDENT: &str = "  ";

/// The page, at most 100 columns wide but for what has long names.
pub(super) fn page(status: &InstallationStatus) -> String {
    let mut text = head(status);
    for one in &status.attention {
        let _ = writeln!(text, "{INDENT}{:<9}{}", one.severity.to_uppercase(), one.text);
        let _ = writeln!(text, "{INDENT}{:<9}what to do: {}", "", one.runbook);
    }
    let _ = writeln!(text, "\nFIGURES   {}", freshness(status));
    match &status.glance {
        Some(glance) => {
            hosts(&mut text, glance, status.at);
            backups(&mut text, glance, status.at);
        }
        None => text
            .push_str("\nHosts, versions, replication, certificates and backups are unknown without them.\n"),
    }
    queues(&mut text, status);
    text
}

fn head(status: &InstallationStatus) -> String {
    let at = status.at.format("%Y-%m-%d %H:%M:%S UTC");
    let critical = status.attention.iter().filter(|one| one.severity == "critical").count();
    match (status.attention.len(), critical) {
        (0, _) => format!("ALL WELL  at {at}\n"),
        (count, 0) => format!("LOOK      at {at}: {}\n", things(count)),
        (count, critical) => format!("LOOK NOW  at {at}: {}, {critical} critical\n", things(count)),
    }
}

fn things(count: usize) -> String {
    if count == 1 { "1 thing needs attention".to_owned() } else { format!("{count} things need attention") }
}

fn freshness(status: &InstallationStatus) -> String {
    let age = status.glance.as_ref().map(|glance| span(status.at - glance.at));
    match (status.monitoring.state, age) {
        (MonitoringState::Working, Some(age)) => format!("of hosts are {age} old"),
        (MonitoringState::Working, None) => "of hosts are not there yet".to_owned(),
        (MonitoringState::Unset, _) => "of hosts: this installation has no monitoring".to_owned(),
        (MonitoringState::Unknown, _) => "of hosts: no backend has asked yet".to_owned(),
        (MonitoringState::Failing, Some(age)) => {
            format!("of hosts are {age} OLD: monitoring does not answer")
        }
        (MonitoringState::Failing, None) => "of hosts: monitoring does not answer".to_owned(),
    }
}

/// Roles come last: a host with all of them has a long line, and no column behind them suffers.
fn hosts(text: &mut String, glance: &Glance, now: DateTime<Utc>) {
    let rows: Vec<_> =
        glance.hosts.iter().map(|host| (host, versions(host), state(host), host.roles.join(" "))).collect();
    let name = rows.iter().map(|(host, ..)| host.name.len()).max().unwrap_or(0).max(4);
    let version = rows.iter().map(|(_, versions, ..)| versions.len()).max().unwrap_or(0).max(7);
    let what = rows.iter().map(|(_, _, state, _)| state.len()).max().unwrap_or(0).max(5);
    let _ = writeln!(
        text,
        "\n{INDENT}{:<name$}  {:<version$}  CERT  DISK  {:<what$}  ROLES",
        "HOST", "VERSION", "STATE"
    );
    for (host, versions, state, roles) in rows {
        let days =
            host.certificate_ends_at.map_or("-".to_owned(), |at| format!("{}d", (at - now).num_days()));
        let disk = host.disk_used_ratio.map_or("-".to_owned(), |used| format!("{:.0}%", used * 100.0));
        let _ = writeln!(
            text,
            "{INDENT}{:<name$}  {versions:<version$}  {days:>4}  {disk:>4}  {state:<what$}  {roles}",
            host.name,
        );
    }
}

/// The versions of what runs there, each once.
fn versions(host: &Host) -> String {
    let mut versions: Vec<&str> = host.versions.values().map(String::as_str).collect();
    versions.sort_unstable();
    versions.dedup();
    if versions.is_empty() { "-".to_owned() } else { versions.join(" ") }
}

/// What a host is doing, in a few words.
fn state(host: &Host) -> String {
    if !host.is_up {
        return "DOWN".to_owned();
    }
    let mut words = Vec::new();
    if host.is_primary == Some(true) {
        words.push("primary database".to_owned());
    }
    if let Some(bytes) = host.replication_lag_bytes {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "bytes; less than none is none"
        )]
        let behind = size(bytes as u64);
        words.push(format!("standby, {behind} behind"));
    }
    if host.leads == Some(true) {
        words.push("leads".to_owned());
    }
    if host.has_public_address == Some(true) {
        words.push("public address".to_owned());
    }
    if !host.silent.is_empty() {
        words.push(format!("SILENT: {}", host.silent.join(", ")));
    }
    if words.is_empty() { "up".to_owned() } else { words.join("; ") }
}

fn backups(text: &mut String, glance: &Glance, now: DateTime<Utc>) {
    let backups = &glance.backups;
    let ago = |at: Option<DateTime<Utc>>| {
        at.map_or("none known".to_owned(), |at| format!("{} ago", span(now - at)))
    };
    let drill = match backups.drill_ok {
        Some(false) => format!("FAILED, {}", ago(backups.drill_at)),
        _ => ago(backups.drill_at),
    };
    let _ = writeln!(text, "\nBACKUPS   newest {}", ago(backups.newest_at));
    let _ = writeln!(text, "{INDENT}{:<8}drill {drill}", "");
    let _ = writeln!(text, "{INDENT}{:<8}media copied {}", "", ago(backups.media_copy_at));
    if let Some(lag) = backups.archive_lag_seconds {
        let _ = writeln!(text, "{INDENT}{:<8}log not archived for {lag:.0} s", "");
    }
}

fn queues(text: &mut String, status: &InstallationStatus) {
    text.push_str("\nQUEUES    ");
    if status.queues.is_empty() {
        text.push_str("no step waits or runs\n");
    } else {
        let _ = writeln!(text, "{:<12}  {:<8}  {:>6}  OLDEST", "STEP", "STATE", "COUNT");
        for queue in &status.queues {
            let oldest = span(TimeDelta::seconds(queue.oldest_seconds));
            let _ = writeln!(
                text,
                "{:<10}{:<12}  {:<8}  {:>6}  {oldest}",
                "", queue.kind, queue.state, queue.count
            );
        }
    }
    let mail = &status.mail;
    let _ = match mail.waiting {
        0 => writeln!(text, "MAIL      none waits"),
        count => {
            let oldest = span(TimeDelta::seconds(mail.oldest_seconds));
            writeln!(text, "MAIL      {count} wait, the oldest for {oldest}")
        }
    };
    let bytes = size(status.storage.bytes.max(0).unsigned_abs());
    let _ = writeln!(text, "STORAGE   {bytes} in {} media objects", status.storage.objects);
}

#[cfg(test)]
mod tests {
    use kinora_core::fleet::{Backups, MailQueue, Monitoring, Queue, Storage, judge};

    use super::*;

    fn status() -> InstallationStatus {
        let at: DateTime<Utc> = "2026-11-23T03:00:00Z".parse().unwrap();
        let glance = Glance {
            at: at - TimeDelta::seconds(42),
            hosts: vec![
                Host {
                    name: "db1".to_owned(),
                    roles: vec!["databases".to_owned()],
                    is_up: true,
                    is_primary: Some(true),
                    certificate_ends_at: Some(at + TimeDelta::days(81)),
                    disk_used_ratio: Some(0.41),
                    ..Host::default()
                },
                Host {
                    name: "db2".to_owned(),
                    roles: vec!["databases".to_owned()],
                    is_up: true,
                    replication_lag_bytes: Some(2_500_000.0),
                    ..Host::default()
                },
                Host { name: "wk1".to_owned(), roles: vec!["workers".to_owned()], ..Host::default() },
            ],
            backups: Backups {
                newest_at: Some(at - TimeDelta::hours(5)),
                drill_at: Some(at - TimeDelta::hours(3)),
                drill_ok: Some(false),
                ..Backups::default()
            },
            alerts: Vec::new(),
        };
        InstallationStatus {
            at,
            is_well: true,
            attention: Vec::new(),
            monitoring: Monitoring {
                state: MonitoringState::Working,
                asked_at: Some(at - TimeDelta::seconds(42)),
                error: None,
            },
            glance: Some(glance),
            queues: vec![Queue {
                kind: "proxy".to_owned(),
                state: "waiting".to_owned(),
                count: 7,
                oldest_seconds: 1000,
            }],
            mail: MailQueue::default(),
            storage: Storage { objects: 12, bytes: 3_400_000_000, counted_at: None },
        }
    }

    #[test]
    fn the_first_lines_say_what_is_wrong_and_where_it_stands_what_to_do() {
        let mut status = status();
        assert!(page(&status).starts_with("ALL WELL  at 2026-11-23 03:00:00 UTC\n"));
        status.attention = judge(&status);
        let text = page(&status);
        let expected = "LOOK      at 2026-11-23 03:00:00 UTC: 1 thing needs attention\n  \
            WARNING  The oldest proxy has waited for a worker for 16 min\n           \
            what to do: docs/operations/alerts.md#kinoraworkwaits\n";
        assert!(text.starts_with(expected), "{text}");
    }

    #[test]
    fn every_figure_is_on_the_page() {
        let text = page(&status());
        for line in [
            "FIGURES   of hosts are 42 s old",
            "  db1   -         81d   41%  primary database        databases",
            "  db2   -           -     -  standby, 2.5 MB behind  databases",
            "  wk1   -           -     -  DOWN                    workers",
            "BACKUPS   newest 5 h ago",
            "          drill FAILED, 3 h ago",
            "          media copied none known",
            "          proxy         waiting        7  16 min",
            "MAIL      none waits",
            "STORAGE   3.4 GB in 12 media objects",
        ] {
            assert!(text.lines().any(|found| found == line), "{line:?} is not in\n{text}");
        }
    }

    #[test]
    fn what_is_old_or_not_there_is_said() {
        let mut old = status();
        old.monitoring.state = MonitoringState::Failing;
        assert!(page(&old).contains("of hosts are 42 s OLD: monitoring does not answer"));
        old.glance = None;
        old.monitoring.state = MonitoringState::Unset;
        let text = page(&old);
        assert!(text.contains("this installation has no monitoring"), "{text}");
        assert!(text.contains("are unknown without them"), "{text}");
        assert!(text.contains("QUEUES"), "{text}");
    }
}
