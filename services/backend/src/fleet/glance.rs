//! The fleet at a glance, from values of this moment.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use kinora_core::fleet::{Alert, Backups, Glance, Host};

use super::ask::{Prometheus, PrometheusError, Sample};
use super::queries::Queries;

/// Most hosts that are kept.
const MOST_HOSTS: usize = 200;
/// Most alerts that are kept.
const MOST_ALERTS: usize = 100;
/// Labels that say where figures come from, or are told apart already.
const KNOWN_LABELS: [&str; 8] =
    ["__name__", "alertname", "severity", "host", "groups", "instance", "job", "alertstate"];

type Hosts = BTreeMap<String, Host>;

/// Asks for all of it.
///
/// # Errors
/// [`PrometheusError`].
pub(super) async fn ask(
    prometheus: &Prometheus,
    queries: &Queries,
    now: DateTime<Utc>,
) -> Result<Glance, PrometheusError> {
    let queries = &queries.glance;
    let mut hosts = hosts_of(prometheus.now(&queries.hosts, now).await?);
    for (query, note) in [
        (&queries.silent, note_silent as fn(&mut Host, &Sample)),
        (&queries.versions, note_version),
        (&queries.primary, |host, sample| host.is_primary = Some(sample.value > 0.0)),
        (&queries.lag, |host, sample| host.replication_lag_bytes = Some(sample.value.max(0.0))),
        (&queries.leads, |host, sample| host.leads = Some(sample.value > 0.0)),
        (&queries.public_address, |host, sample| host.has_public_address = Some(sample.value > 0.0)),
        (&queries.certificates, |host, sample| host.certificate_ends_at = instant(sample.value)),
        (&queries.disks, note_disk),
    ] {
        for sample in prometheus.now(query, now).await? {
            let host = sample.labels.get("host").and_then(|name| hosts.get_mut(name));
            if let Some(host) = host {
                note(host, &sample);
            }
        }
    }
    let value = async |query: &str| {
        Ok::<_, PrometheusError>(prometheus.now(query, now).await?.first().map(|sample| sample.value))
    };
    let backups = Backups {
        newest_at: value(&queries.backup).await?.and_then(instant),
        archive_lag_seconds: value(&queries.archive_lag).await?,
        drill_at: value(&queries.drill).await?.and_then(instant),
        drill_ok: value(&queries.drill_ok).await?.map(|value| value > 0.0),
        media_copy_at: value(&queries.media_copy).await?.and_then(instant),
    };
    let alerts = alerts_of(prometheus.now(&queries.alerts, now).await?);
    Ok(Glance { at: now, hosts: hosts.into_values().collect(), backups, alerts })
}

/// The instant so many seconds after 1970.
fn instant(seconds: f64) -> Option<DateTime<Utc>> {
    #[expect(clippy::cast_possible_truncation, reason = "what is too large is the largest, and no instant")]
    DateTime::from_timestamp(seconds as i64, 0)
}

fn hosts_of(samples: Vec<Sample>) -> Hosts {
    let host = |sample: Sample| {
        let name = sample.labels.get("host")?.clone();
        let groups = sample.labels.get("groups").map(String::as_str).unwrap_or_default();
        let roles = groups.split(',').filter(|role| !role.is_empty()).map(str::to_owned).collect();
        let host = Host { name: name.clone(), roles, is_up: sample.value > 0.0, ..Host::default() };
        Some((name, host))
    };
    samples.into_iter().filter_map(host).take(MOST_HOSTS).collect()
}

fn job(sample: &Sample) -> Option<String> {
    sample.labels.get("job").cloned()
}

fn note_silent(host: &mut Host, sample: &Sample) {
    host.silent.extend(job(sample));
}

fn note_version(host: &mut Host, sample: &Sample) {
    if let (Some(job), Some(version)) = (job(sample), sample.labels.get("version")) {
        host.versions.insert(job, version.clone());
    }
}

fn note_disk(host: &mut Host, sample: &Sample) {
    host.fullest_disk = sample.labels.get("mountpoint").cloned();
    host.disk_used_ratio = Some(sample.value);
}

fn alerts_of(samples: Vec<Sample>) -> Vec<Alert> {
    let alert = |sample: Sample| {
        let label = |name: &str| sample.labels.get(name).cloned();
        let others = sample.labels.iter().filter(|(name, _)| !KNOWN_LABELS.contains(&name.as_str()));
        let about: Vec<&str> = others.map(|(_, value)| value.as_str()).collect();
        Some(Alert {
            name: label("alertname")?,
            severity: label("severity").unwrap_or_else(|| "warning".to_owned()),
            host: label("host"),
            about: (!about.is_empty()).then(|| about.join(", ")),
            since: instant(sample.value),
        })
    };
    let mut alerts: Vec<Alert> = samples.into_iter().filter_map(alert).collect();
    let rank = |alert: &Alert| match alert.severity.as_str() {
        "critical" => 0,
        "warning" => 1,
        _ => 2,
    };
    alerts.sort_by(|one, other| {
        (rank(one), &one.name, &one.host, &one.about).cmp(&(
            rank(other),
            &other.name,
            &other.host,
            &other.about,
        ))
    });
    alerts.truncate(MOST_ALERTS);
    alerts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(labels: &[(&str, &str)], value: f64) -> Sample {
        let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Sample { labels, value }
    }

    #[test]
    fn hosts_have_the_roles_of_the_inventory() {
        let hosts = hosts_of(vec![
            sample(&[("host", "db1"), ("groups", ",databases,backups,")], 1.0),
            sample(&[("host", "wk1"), ("groups", ",workers,")], 0.0),
            sample(&[("groups", ",workers,")], 0.0),
        ]);
        assert_eq!(hosts["db1"].roles, ["databases", "backups"]);
        assert!(hosts["db1"].is_up && !hosts["wk1"].is_up);
        assert_eq!(hosts.len(), 2);
    }

    #[test]
    fn the_worst_alerts_come_first_and_say_what_they_are_about() {
        let labels = |name, severity| {
            sample(
                &[("alertname", name), ("severity", severity), ("host", "db1"), ("mountpoint", "/var")],
                1_700_000_000.0,
            )
        };
        let alerts = alerts_of(vec![
            labels("KinoraDatabaseTakeover", "notice"),
            labels("KinoraDiskFilling", "warning"),
            labels("KinoraHostDown", "critical"),
        ]);
        let names: Vec<&str> = alerts.iter().map(|alert| alert.name.as_str()).collect();
        assert_eq!(names, ["KinoraHostDown", "KinoraDiskFilling", "KinoraDatabaseTakeover"]);
        assert_eq!(alerts[1].about.as_deref(), Some("/var"));
        assert_eq!(alerts[1].since.unwrap().to_rfc3339(), "2023-11-14T22:13:20+00:00");
    }
}
