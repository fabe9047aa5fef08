internal import CPictures

/// The samples of a PNG as stored, and their way to 8-bit RGB and RGBA.
struct PNGSamples {
    private let picture: nb_png_picture
    /// Samples per pixel as stored: 1 grey or palette, 2 grey and alpha, 3 RGB, 4 RGBA.
    private let stored: Int

    /// The picture must outlive this value.
    init(_ picture: nb_png_picture) {
        self.picture = picture
        stored =
            switch picture.colour {
            case PNG_COLOR_TYPE_RGB: 3
            case PNG_COLOR_TYPE_RGB_ALPHA: 4
            case PNG_COLOR_TYPE_GRAY_ALPHA: 2
            default: 1
            }
    }

    private var isPalette: Bool { picture.colour == PNG_COLOR_TYPE_PALETTE }

    /// True where a pixel could be transparent.
    var hasAlpha: Bool { stored == 2 || stored == 4 || picture.has_key != 0 || picture.alpha_count > 0 }

    /// - Parameter clippingGrey: 16-bit grey above 255 becomes 255, as Pillow's mode I;16 converts; otherwise
    ///   the high byte is kept.
    func bitmap(channels: Int, clippingGrey: Bool) -> Bitmap {
        let (width, height) = (Int(picture.width), Int(picture.height))
        let palette = colours()
        let samples = [UInt8](unsafeUninitializedCapacity: width * height * channels) { out, count in
            guard let base = UnsafePointer(picture.samples), var place = out.baseAddress else { return }
            for y in 0..<height {
                let row = base + y * picture.row_bytes
                for x in 0..<width {
                    let pixel =
                        isPalette ? palette[Int(row[x])] : self.pixel(row, x, clippingGrey: clippingGrey)
                    place[0] = pixel.x
                    place[1] = pixel.y
                    place[2] = pixel.z
                    if channels == 4 { place[3] = pixel.w }
                    place += channels
                }
            }
            count = width * height * channels
        }
        return Bitmap(width: width, height: height, channels: channels, samples: samples)
    }

    private func pixel(_ row: UnsafePointer<UInt8>, _ x: Int, clippingGrey: Bool) -> SIMD4<UInt8> {
        let first = x * stored
        func value(_ i: Int) -> UInt16 {
            picture.depth == 16
                ? UInt16(row[2 * (first + i)]) << 8 | UInt16(row[2 * (first + i) + 1])
                : UInt16(row[first + i])
        }
        func byte(_ i: Int) -> UInt8 { picture.depth == 16 ? row[2 * (first + i)] : row[first + i] }
        if stored >= 3 {
            let opaque = picture.has_key == 0 || stored == 4 || (value(0), value(1), value(2)) != picture.key
            return SIMD4(byte(0), byte(1), byte(2), stored == 4 ? byte(3) : opaque ? 255 : 0)
        }
        let grey: UInt8 =
            switch picture.depth {
            case 1: byte(0) &* 255
            case 2: byte(0) &* 85
            case 4: byte(0) &* 17
            case 8: byte(0)
            default: clippingGrey && stored == 1 ? UInt8(min(value(0), 255)) : byte(0)
            }
        let alpha: UInt8 = stored == 2 ? byte(1) : picture.has_key != 0 && value(0) == picture.key.0 ? 0 : 255
        return SIMD4(grey, grey, grey, alpha)
    }

    /// 256 colours, black beyond the palette's end, so that any index has one.
    private func colours() -> [SIMD4<UInt8>] {
        guard isPalette else { return [] }
        return withUnsafeBytes(of: picture.palette) { palette in
            withUnsafeBytes(of: picture.palette_alpha) { alpha in
                (0..<256).map { i in
                    SIMD4(
                        palette[3 * i], palette[3 * i + 1], palette[3 * i + 2],
                        i < Int(picture.alpha_count) ? alpha[i] : 255)
                }
            }
        }
    }
}
