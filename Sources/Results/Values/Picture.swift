import Files
import Synchronization
import Tensors

/// A picture whose pixels are made when they are first asked for, and then kept. What a decoder makes keeps
/// its floating-point values, so that pictures can be compared before they are rounded to 8 bits.
package final class Picture: Sendable {
    private enum Content: Sendable {
        case unread(@Sendable () throws -> Bitmap)
        case bytes(Bitmap)
        case values(Tensor)
        /// Stands for a picture that nobody has computed, or that comes of one.
        case unknown(Tensor)
    }

    private let content: Mutex<Content>
    /// How the picture came to be, where it was computed.
    package let recipe: Recipe?

    /// A picture that is read or drawn on demand. If `make` throws, the next use tries again.
    package init(recipe: Recipe? = nil, make: @escaping @Sendable () throws -> Bitmap) {
        content = Mutex(.unread(make))
        self.recipe = recipe
    }

    /// A picture in 8 bits, RGB or RGBA.
    package init(_ bitmap: Bitmap, recipe: Recipe? = nil) {
        content = Mutex(.bytes(bitmap))
        self.recipe = recipe
    }

    /// - Parameters:
    ///   - values: [3, height, width] in 0...1.
    ///   - isStandIn: whether they may be no numbers, as nobody has computed them.
    package init(values: Tensor, recipe: Recipe? = nil, isStandIn: Bool = false) {
        content = Mutex(isStandIn ? .unknown(values) : .values(values))
        self.recipe = recipe
    }

    private func forced() throws -> Content {
        try content.withLock { content in
            if case .unread(let make) = content { content = .bytes(try make()) }
            return content
        }
    }

    /// The picture in 8 bits: values times 255, rounded to the nearest, halves to even, as the reference
    /// does.
    /// - Throws: what is wrong with the file, or that the values hold NaN or infinity.
    package func bitmap() throws -> Bitmap {
        switch try forced() {
        case .bytes(let bitmap): bitmap
        case .unknown(let values): Picture.rounded(values)
        case .values(let values):
            if values.isFinite {
                Picture.rounded(values)
            } else {
                throw EngineError(
                    .numbers, "a picture holds NaN or infinity, which no pixel can show",
                    cure: "look at what it was computed from")
            }
        case .unread: preconditionFailure("a forced picture has pixels")
        }
    }

    /// [3, height, width] in 0...1. Transparency is drawn on white.
    package func pixels() throws -> Tensor {
        switch try forced() {
        case .values(let values), .unknown(let values): values
        case .bytes(let bitmap): Picture.unrounded(bitmap)
        case .unread: preconditionFailure("a forced picture has pixels")
        }
    }

    /// Whether it stands for a picture that was not computed.
    package var isUnknown: Bool {
        content.withLock { if case .unknown(let values) = $0 { values.isUnknown } else { false } }
    }

    /// Whether it is one that was not computed, or comes of one, whatever its numbers are.
    package var isStandIn: Bool { content.withLock { if case .unknown = $0 { true } else { false } } }

    private static func rounded(_ values: Tensor) -> Bitmap {
        let height = values.shape[1]
        let width = values.shape[2]
        let area = width * height
        let bytes = values.withUnsafePointer { source in
            [UInt8](unsafeUninitializedCapacity: area * 3) { out, count in
                for i in 0..<area {
                    for channel in 0..<3 {
                        let value = source[channel * area + i]
                        out[i * 3 + channel] =
                            value.isFinite
                            ? UInt8((min(max(value, 0), 1) * 255).rounded(.toNearestOrEven)) : 0
                    }
                }
                count = area * 3
            }
        }
        return Bitmap(width: width, height: height, channels: 3, samples: bytes)
    }

    private static func unrounded(_ bitmap: Bitmap) -> Tensor {
        let area = bitmap.width * bitmap.height
        let channels = bitmap.channels
        return bitmap.samples.withUnsafeBufferPointer { source in
            Tensor(shape: [3, bitmap.height, bitmap.width]) { out in
                for i in 0..<area {
                    let alpha = channels == 4 ? Float(source[i * channels + 3]) / 255 : 1
                    for channel in 0..<3 {
                        let value = Float(source[i * channels + channel]) / 255
                        out[channel * area + i] = value * alpha + (1 - alpha)
                    }
                }
            }
        }
    }
}
