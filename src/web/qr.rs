//! A link's QR code, as SVG and as PNG. It holds the short address alone; nothing is recorded.

use super::App;
use super::edge::{host, too_many};
use super::error::Problem;
use crate::domain::link::short_url;
use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::web::Query;
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use fast_qr::convert::Builder as _;
use fast_qr::convert::svg::SvgBuilder;
use fast_qr::{ECL, QRBuilder, QRCode};

/// Light modules around the code, by its standard.
const QUIET_ZONE: usize = 4;

/// How large a PNG is wanted.
#[derive(Debug, serde::Deserialize)]
struct Size {
    /// Pixels of a side: 64 to 2048, default 512.
    size: Option<String>,
}

impl Size {
    fn of(query: &str) -> Result<usize, Problem> {
        let wrong = || Problem::malformed("size: must be from 64 to 2048");
        let Size { size } = Query::<Size>::from_query(query).map_err(|_| wrong())?.into_inner();
        let Some(text) = size else { return Ok(512) };
        text.parse().ok().filter(|pixels| (64..=2048).contains(pixels)).ok_or_else(wrong)
    }
}

/// `GET /r/{code}/qr.svg`, `GET /r/{code}/qr.png?size=512`.
pub fn answer(app: &App, request: &HttpRequest, raw_code: &str, name: &str) -> HttpResponse {
    if !app.edge.lets_in(app.edge.client(request)) {
        return too_many();
    }
    let code = percent_encoding::percent_decode_str(raw_code).decode_utf8_lossy();
    let drawn = match name {
        "qr.svg" => svg(app, request, &code),
        "qr.png" => png(app, request, &code),
        _ => Err(unknown()),
    };
    drawn.unwrap_or_else(|problem| problem.error_response())
}

fn unknown() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "not-found", "there is no such link")
}

fn svg(app: &App, request: &HttpRequest, code: &str) -> Result<HttpResponse, Problem> {
    let drawn = SvgBuilder::default().margin(QUIET_ZONE).to_str(&code_of(app, request, code)?);
    Ok(image("image/svg+xml", drawn.into_bytes()))
}

fn png(app: &App, request: &HttpRequest, code: &str) -> Result<HttpResponse, Problem> {
    let (pixels, code) = (Size::of(request.query_string())?, code_of(app, request, code)?);
    let least = code.size + 2 * QUIET_ZONE;
    if pixels < least {
        return Err(Problem::malformed(format!("size: this code needs at least {least} pixels")));
    }
    let drawn = draw(&code, pixels).map_err(|error| {
        tracing::error!(%error, "a QR code cannot be written as PNG");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "something went wrong here; it has been logged")
    })?;
    Ok(image("image/png", drawn))
}

fn image(content_type: &str, body: Vec<u8>) -> HttpResponse {
    HttpResponse::Ok().content_type(content_type).insert_header((header::CACHE_CONTROL, "public, max-age=3600")).body(body)
}

fn code_of(app: &App, request: &HttpRequest, code: &str) -> Result<QRCode, Problem> {
    let book = app.links.snapshot();
    let link = book.get(host(request), code).ok_or_else(unknown)?;
    let text = short_url(&app.public_url, book.domains().first_of(link.program_id), &link.code);
    let too_long = |_| Problem::malformed("the link's address is too long for a QR code");
    QRBuilder::new(text).ecl(ECL::M).build().map_err(too_long)
}

/// Draws in whole pixels, one bit each, black on white, in the middle of a square.
fn draw(code: &QRCode, pixels: usize) -> Result<Vec<u8>, png::EncodingError> {
    let scale = pixels / (code.size + 2 * QUIET_ZONE);
    let margin = (pixels - scale * code.size) / 2;
    let bytes_a_row = pixels.div_ceil(8);
    let mut rows = vec![0xff_u8; bytes_a_row * pixels];
    for y in 0..scale * code.size {
        let row = &mut rows[(margin + y) * bytes_a_row..][..bytes_a_row];
        for x in (0..scale * code.size).filter(|x| code[y / scale][x / scale].value()) {
            let at = margin + x;
            row[at / 8] &= !(0x80 >> (at % 8));
        }
    }
    let mut drawn = Vec::new();
    let side = u32::try_from(pixels).unwrap_or(u32::MAX);
    let mut encoder = png::Encoder::new(&mut drawn, side, side);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&rows)?;
    writer.finish()?;
    Ok(drawn)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a drawing back into modules and compares them with the code's.
    #[test]
    fn a_drawing_holds_the_code_and_a_quiet_zone() {
        for (text, pixels) in
            [("https://go.example/a", 64), ("https://go.example/a", 512), ("https://brand.example/r/Winter-2026", 333)]
        {
            let code = QRBuilder::new(text).ecl(ECL::M).build().unwrap();
            let drawn = draw(&code, pixels).unwrap();
            let mut decoder = png::Decoder::new(std::io::Cursor::new(drawn));
            decoder.set_transformations(png::Transformations::EXPAND);
            let mut reader = decoder.read_info().unwrap();
            let mut image = vec![0; reader.output_buffer_size().unwrap()];
            reader.next_frame(&mut image).unwrap();
            assert_eq!(image.len(), pixels * pixels);
            let scale = pixels / (code.size + 8);
            let margin = (pixels - scale * code.size) / 2;
            assert!(margin >= 4 * scale);
            for y in 0..pixels {
                for x in 0..pixels {
                    let within = |at: usize| (margin..margin + scale * code.size).contains(&at);
                    let dark = within(x) && within(y) && code[(y - margin) / scale][(x - margin) / scale].value();
                    assert_eq!(image[y * pixels + x] == 0, dark, "{text} {pixels}: {x},{y}");
                }
            }
        }
    }

    #[test]
    fn sizes_are_whole_pixels_within_bounds() {
        let of = |text: &str| Size::of(&format!("size={text}")).map_err(|problem| problem.status);
        assert_eq!((of("64"), of("2048")), (Ok(64), Ok(2048)));
        for text in ["63", "2049", "-1", "1e3", "", "64.0", "99999999999999999999"] {
            assert_eq!(of(text), Err(400), "{text}");
        }
    }
}
