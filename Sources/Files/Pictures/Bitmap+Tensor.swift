package import Tensors

/// Pictures as the networks of the diffusion model see them: `[3, height, width]`, -1 black, 1 full (the
/// reference's VaeImageProcessor).
extension Bitmap {
    /// `[3, height, width]` in -1...1. Transparency is taken as white.
    package var tensor: Tensor { planes { $0 / 255 * 2 - 1 } }

    /// `[3, height, width]` in 0...1, transparency taken as white.
    package var unitTensor: Tensor { planes { $0 / 255 } }

    /// Each sample through a table of 256 values, channels apart.
    func planes(_ body: (Float) -> Float) -> Tensor {
        planes { value, _ in body(value) }
    }

    func planes(_ body: (_ value: Float, _ channel: Int) -> Float) -> Tensor {
        let opaque = onWhite
        let area = width * height
        let tables = (0..<3).map { channel in (0..<256).map { body(Float($0), channel) } }
        return Tensor(shape: [3, height, width]) { out in
            opaque.samples.withUnsafeBufferPointer { source in
                for channel in 0..<3 {
                    let table = tables[channel]
                    for i in 0..<area { out[channel * area + i] = table[Int(source[3 * i + channel])] }
                }
            }
        }
    }

    /// From `[3, height, width]` in -1...1: `x / 2 + 0.5` cut to 0...1, times 255, rounded with ties to even.
    /// NaN becomes black.
    package init(_ tensor: Tensor) throws {
        guard tensor.rank == 3, tensor.shape[0] == 3, tensor.count > 0 else {
            throw EngineError(.shape, "a picture has the shape [3, height, width], found \(tensor.shape)")
        }
        let (height, width) = (tensor.shape[1], tensor.shape[2])
        let area = height * width
        let samples = tensor.withUnsafePointer { source in
            [UInt8](unsafeUninitializedCapacity: area * 3) { out, count in
                for i in 0..<area {
                    for channel in 0..<3 { out[3 * i + channel] = Self.level(source[channel * area + i]) }
                }
                count = area * 3
            }
        }
        self.init(width: width, height: height, channels: 3, samples: samples)
    }

    private static func level(_ value: Float) -> UInt8 {
        let unit = value / 2 + 0.5
        guard unit > 0 else { return 0 }
        return UInt8((min(unit, 1) * 255).rounded(.toNearestOrEven))
    }

    /// As the reference prepares a picture for the VAE: Lanczos to the given size, or without one to the next
    /// smaller multiples of `multiple`. `[3, height, width]` in -1...1.
    package func autoencoderInput(width: Int? = nil, height: Int? = nil, multiple: Int = 8) throws -> Tensor {
        let width = (width ?? self.width) / multiple * multiple
        let height = (height ?? self.height) / multiple * multiple
        guard width > 0, height > 0 else {
            throw EngineError(
                .shape,
                """
                a picture of \(self.width) x \(self.height) is too small: at least \(multiple) pixels each \
                way are needed
                """)
        }
        return resized(width: width, height: height, filter: .lanczos).tensor
    }
}
