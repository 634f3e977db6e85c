//! Sizes: how large proxies, stills and filmstrip tiles are.

/// A raster in square pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Pixels.
    pub width: u32,
    /// Lines.
    pub height: u32,
}

/// The box that moving proxies and posters fit in, lying or standing.
pub const PROXY_BOX: Size = Size { width: 1280, height: 720 };

/// The box that the large version of a still fits in, lying or standing.
pub const STILL_BOX: Size = Size { width: 3840, height: 2160 };

/// Height of a filmstrip tile, pixels.
pub const TILE_HEIGHT: u32 = 90;

/// Widest filmstrip tile, pixels: a banner's tiles are squeezed rather than endless.
const MAX_TILE_WIDTH: u32 = 320;

/// The size of `shown` scaled down (never up) into `limit`, which is turned to stand where the
/// picture stands. Both sides are even, as 4:2:0 needs, and at least 2.
#[must_use]
pub fn fit(shown: Size, limit: Size) -> Size {
    let (limit_width, limit_height) =
        if shown.width >= shown.height { (limit.width, limit.height) } else { (limit.height, limit.width) };
    let (width, height) = (f64::from(shown.width.max(1)), f64::from(shown.height.max(1)));
    let scale = (f64::from(limit_width) / width).min(f64::from(limit_height) / height).min(1.0);
    Size { width: even(width * scale), height: even(height * scale) }
}

/// The size of a filmstrip tile for a picture shown as `shown`.
#[must_use]
pub fn tile(shown: Size) -> Size {
    let aspect = f64::from(shown.width.max(1)) / f64::from(shown.height.max(1));
    let width = even(aspect * f64::from(TILE_HEIGHT)).clamp(16, MAX_TILE_WIDTH);
    Size { width, height: TILE_HEIGHT }
}

/// The next lower even number, at least 2.
fn even(length: f64) -> u32 {
    // Rasters are far below 2^32. A hair is added, as 1280.0 may come as 1279.999….
    ((length / 2.0 + 1e-6).floor() as u32).max(1) * 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_fit_their_box_and_are_never_enlarged() {
        let table = [
            ((1920, 1080), (1280, 720)),
            ((3840, 2160), (1280, 720)),
            ((4096, 1716), (1280, 536)),
            ((1080, 1920), (720, 1280)),
            ((1024, 576), (1024, 576)),
            ((641, 361), (640, 360)),
            ((1, 1), (2, 2)),
            ((20_000, 10), (1280, 2)),
            ((1440, 1440), (720, 720)),
        ];
        for ((width, height), (to_width, to_height)) in table {
            let fitted = fit(Size { width, height }, PROXY_BOX);
            assert_eq!(fitted, Size { width: to_width, height: to_height }, "{width}x{height}");
        }
    }

    #[test]
    fn tiles_have_one_height() {
        assert_eq!(tile(Size { width: 1920, height: 1080 }), Size { width: 160, height: 90 });
        assert_eq!(tile(Size { width: 1080, height: 1920 }), Size { width: 50, height: 90 });
        assert_eq!(tile(Size { width: 20_000, height: 10 }), Size { width: 320, height: 90 });
        assert_eq!(tile(Size { width: 1, height: 999 }), Size { width: 16, height: 90 });
    }
}
