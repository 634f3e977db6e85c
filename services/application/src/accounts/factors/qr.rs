//! QR codes as the path of a drawing: nothing is fetched, and no markup comes from the server.

use qrcode::{Color, EcLevel, QrCode};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::Problem;

/// A QR code (ISO/IEC 18004) without the quiet zone, which must be left around it.
#[derive(Serialize, ToSchema)]
pub struct QrDrawing {
    /// How many modules wide and high.
    #[schema(minimum = 21, maximum = 177)]
    size: usize,
    /// The dark modules as an SVG path, one unit each.
    path: String,
}

impl QrDrawing {
    /// The code of a text.
    ///
    /// # Errors
    /// If the text is too long.
    pub fn of(text: &str) -> Result<Self, Problem> {
        let code = QrCode::with_error_correction_level(text, EcLevel::M).map_err(Problem::internal)?;
        let size = code.width();
        let mut path = String::new();
        for (row, colors) in code.to_colors().chunks(size.max(1)).enumerate() {
            let mut column = 0;
            for run in colors.chunk_by(|one, next| one == next) {
                if run.first() == Some(&Color::Dark) {
                    path.push_str(&format!("M{column} {row}h{length}v1h-{length}z", length = run.len()));
                }
                column += run.len();
            }
        }
        Ok(Self { size, path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_drawing_has_the_finder_patterns() {
        let drawing = QrDrawing::of("otpauth://totp/Kinora:ada?secret=AAAA").unwrap();
        assert!(drawing.size >= 25 && drawing.size % 4 == 1, "{}", drawing.size);
        // The upper edges of the two upper finder patterns.
        assert!(drawing.path.starts_with("M0 0h7v1h-7z"), "{}", drawing.path);
        assert!(drawing.path.contains(&format!("M{} 0h7v1h-7z", drawing.size - 7)));
        assert!(QrDrawing::of(&"x".repeat(5000)).is_err());
    }
}
