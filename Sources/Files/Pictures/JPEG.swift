internal import CPictures
internal import Tensors

/// Reading of JPEG files (ITU T.81, with JFIF, Exif and Adobe's markers) by libjpeg: baseline and
/// progressive, grey, RGB in any subsampling, CMYK. Samples are those of Pillow's `ImageOps.exif_transpose`
/// and `convert("RGB")`; colour profiles are ignored, as there.
package enum JPEG {
    static let signature: [UInt8] = [0xff, 0xd8, 0xff]

    /// `place` is what an error names.
    package static func decode(_ bytes: [UInt8], place: String) throws -> Bitmap {
        var picture = nb_jpeg_picture()
        let failed = bytes.withUnsafeBufferPointer {
            nb_jpeg_read($0.baseAddress, $0.count, UInt64(PictureForm.mostPixels), &picture)
        }
        defer { nb_jpeg_free(&picture) }
        let (width, height) = (Int(picture.width), Int(picture.height))
        guard failed == 0, let samples = picture.samples else {
            if width * height > PictureForm.mostPixels { throw PictureForm.tooLarge(width, height, place) }
            let message = withUnsafeBytes(of: picture.message) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            throw EngineError(.format, "not a usable JPEG picture: \(message)", place: place)
        }
        let stored = UnsafeBufferPointer(start: samples, count: width * height * Int(picture.channels))
        let bitmap = Bitmap(
            width: width, height: height, channels: 3, samples: rgb(stored, channels: Int(picture.channels)))
        return bitmap.turned(ExifOrientation(jpeg: bytes))
    }

    private static func rgb(_ stored: UnsafeBufferPointer<UInt8>, channels: Int) -> [UInt8] {
        switch channels {
        case 1: stored.flatMap { [$0, $0, $0] }
        case 4: rgb(inverseCMYK: stored)
        default: Array(stored)
        }
    }

    /// Adobe stores inks inverted, and Pillow takes all files of four channels for such. As its `cmyk2rgb`:
    /// what the black ink leaves, less the share of it that the other ink takes, rounded.
    private static func rgb(inverseCMYK stored: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        let pixels = stored.count / 4
        return [UInt8](unsafeUninitializedCapacity: pixels * 3) { out, count in
            for pixel in 0..<pixels {
                let light = Int(stored[4 * pixel + 3])
                for channel in 0..<3 {
                    let share = (255 - Int(stored[4 * pixel + channel])) * light + 128
                    out[3 * pixel + channel] = UInt8(max(0, light - (share >> 8 + share) >> 8))
                }
            }
            count = pixels * 3
        }
    }
}

extension PictureForm {
    static let jpeg = PictureForm(
        name: "JPEG", endings: ["jpg", "jpeg"], begins: { $0.starts(with: JPEG.signature) },
        decode: { try JPEG.decode($0, place: $1) })
}
