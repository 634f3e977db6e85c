//! Bytes as people read them.

/// In powers of a thousand: "12 bytes", "12.3 MB".
pub(crate) fn size(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "for showing three digits of it")]
    let mut value = bytes as f64;
    for unit in ["bytes", "kB", "MB", "GB", "TB"] {
        if value < 999.95 {
            return if unit == "bytes" { format!("{value:.0} bytes") } else { format!("{value:.1} {unit}") };
        }
        value /= 1000.0;
    }
    format!("{value:.1} PB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_readable() {
        assert_eq!(size(0), "0 bytes");
        assert_eq!(size(12_345_678), "12.3 MB");
        assert_eq!([size(999), size(999_940), size(999_960)], ["999 bytes", "999.9 kB", "1.0 MB"]);
        assert_eq!(size(2_500_000_000_000_000), "2.5 PB");
    }
}
