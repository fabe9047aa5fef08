import Foundation
import Kernels
import Tensors
import TestSupport
import Testing

/// Rates of the products and convolutions of the report's networks and of the shipped model, layer shape by
/// layer shape, against the rate that the inner loop reaches on a core's own caches. Run where
/// NOISEBOOK_SPEED is set:
///
///     NOISEBOOK_SPEED=1 swift test -c release --disable-xctest --filter KernelSpeed
@Suite(
    "KernelSpeed", .serialized, .enabled(if: ProcessInfo.processInfo.environment["NOISEBOOK_SPEED"] != nil))
struct KernelSpeedTests {
    /// Least seconds of a call among many; the machine is shared, and what disturbs a call only adds.
    private func seconds(_ body: () -> Void) -> Double {
        let clock = ContinuousClock()
        body()
        let once = clock.measure(body) / .seconds(1)
        let repeats = max(1, min(200, Int(0.002 / once)))
        var best = once
        let end = clock.now + .milliseconds(250)
        repeat {
            best = min(
                best, clock.measure { for _ in 0..<repeats { body() } } / .seconds(1) / Double(repeats))
        } while clock.now < end
        return best
    }

    private func values(_ count: Int) -> [Float] {
        var generator = Generator(seed: 1)
        return generator.normal(shape: [count]).values
    }

    /// GFLOP/s of all threads, each on a product of its own, whose weights stay in its first cache and whose
    /// rows in its second.
    private func peak() -> Double {
        let (rows, inputs, outputs) = (192, 256, 32)
        let threads = ThreadPool.shared.threadCount
        let a = values(rows * inputs),
            matrix = PackedMatrix(
                weights: values(inputs * outputs), outputs: outputs, channels: inputs, taps: 1, bias: nil)
        var out = [Float](repeating: 0, count: threads * rows * outputs)
        let turns = 100
        return out.withUnsafeMutableBufferPointer { out in
            guard let out = out.baseAddress else { return 0 }
            nonisolated(unsafe) let to = out
            let time = seconds {
                ThreadPool.shared.run(threads) { thread in
                    for _ in 0..<turns {
                        matrixProduct(
                            a, rows: rows, inputStride: inputs, by: matrix,
                            into: to + thread * rows * outputs, outputStride: outputs)
                    }
                }
            }
            return Double(2 * rows * inputs * outputs * turns * threads) / time / 1e9
        }
    }

    @Test("products") func products() {
        let peak = peak()
        print("| rows x inputs x outputs | GFLOP/s | of \(Int(peak)) |\n| --- | --: | --: |")
        let shapes = [
            // Two items of the report's UNet.
            (2048, 160, 160), (2048, 160, 1280), (2048, 640, 160), (512, 320, 320), (512, 320, 2560),
            (512, 1280, 320), (128, 640, 640), (128, 640, 5120),
            (128, 2560, 640), (32, 1280, 1280), (32, 1280, 10240), (32, 5120, 1280), (8, 1280, 1280),
            // 36 prompts of its text encoder.
            (2772, 512, 512), (2772, 512, 2048), (2772, 2048, 512),
            // 16 items of the shipped model.
            (1024, 96, 96), (1024, 96, 768), (1024, 384, 96), (256, 160, 160), (256, 160, 1280),
            (256, 640, 160),
        ]
        for (rows, inputs, outputs) in shapes {
            let a = values(rows * inputs),
                matrix = PackedMatrix(
                    weights: values(inputs * outputs), outputs: outputs, channels: inputs, taps: 1, bias: nil)
            var out = [Float](repeating: 0, count: rows * outputs)
            let time = seconds {
                matrixProduct(
                    a, rows: rows, inputStride: inputs, by: matrix, into: &out, outputStride: outputs)
            }
            line("\(rows) x \(inputs) x \(outputs)", 2 * Double(rows * inputs * outputs), time, peak)
        }
    }

    /// GFLOP/s as if computed directly, so that what Winograd saves shows.
    @Test("convolutions") func convolutions() {
        let peak = peak()
        print("| items x side² x inputs x outputs | GFLOP/s | of \(Int(peak)) |\n| --- | --: | --: |")
        let shapes = [
            (2, 32, 160, 160), (2, 16, 320, 320), (2, 8, 640, 640), (2, 4, 1280, 1280), (2, 2, 1280, 1280),
            (16, 32, 160, 160), (16, 16, 320, 320),
            (16, 8, 640, 640), (16, 4, 1280, 1280), (16, 2, 1280, 1280), (1, 256, 128, 128),
            (1, 128, 256, 256), (1, 64, 512, 512),
            (16, 16, 48, 48), (16, 16, 96, 48), (16, 8, 96, 96), (16, 4, 160, 160), (16, 4, 320, 160),
        ]
        // The same of what is enlarged to twice its size first.
        let enlarged = [
            (2, 16, 320, 320), (2, 8, 640, 640), (2, 4, 1280, 1280), (2, 2, 1280, 1280), (16, 4, 1280, 1280),
            (1, 64, 512, 512), (16, 8, 96, 96),
        ]
        for (factor, (items, side, inputs, outputs)) in shapes.map({ (1, $0) }) + enlarged.map({ (2, $0) }) {
            let x = values(items * side * side * inputs), w = values(outputs * inputs * 9)
            var geometry = ConvolutionGeometry(batch: items, height: side, width: side, channels: inputs)
            (geometry.seenHeight, geometry.seenWidth) = (factor * side, factor * side)
            let pixels = items * geometry.outputHeight * geometry.outputWidth
            var out = [Float](repeating: 0, count: pixels * outputs)
            let time: Double, name: String
            if let size = WinogradSize.chosen(for: geometry, outputs: outputs) {
                let weights = WinogradWeights(size, weights: w, outputs: outputs, channels: inputs, bias: nil)
                (time, name) = (
                    seconds { winogradConvolution(x, geometry, by: weights, into: &out) }, size.rawValue
                )
            } else {
                let matrix = PackedMatrix(weights: w, outputs: outputs, channels: inputs, taps: 9, bias: nil)
                (time, name) = (seconds { convolution(x, geometry, by: matrix, into: &out) }, "direct")
            }
            line(
                "\(items) x \(side)² x \(inputs) x \(outputs), \(name)",
                18 * Double(pixels * inputs * outputs), time, peak)
        }
    }

    /// Weights that lie in main memory, as all of the report's UNet do when their turn comes: each call takes
    /// other ones.
    @Test("products with weights from memory") func streamed() {
        print("| rows x inputs x outputs | GFLOP/s | GB/s of weights |\n| --- | --: | --: |")
        func tell(_ name: String, _ rows: Int, _ inputs: Int, _ outputs: Int, _ body: (PackedMatrix) -> Void)
        {
            let bytes = inputs * outputs * 4
            let weights = values(inputs * outputs)
            let matrices = (0..<max(2, (768 << 20) / bytes)).map { _ in
                PackedMatrix(weights: weights, outputs: outputs, channels: inputs, taps: 1, bias: nil)
            }
            let time = seconds { for matrix in matrices { body(matrix) } } / Double(matrices.count)
            let rate = 2 * Double(rows * inputs * outputs) / time / 1e9
            print(
                """
                | \(name) | \(String(format: "%.0f", rate)) | \
                \(String(format: "%.1f", Double(bytes) / time / 1e9)) |
                """)
        }
        for (rows, inputs, outputs) in [
            (128, 640, 5120), (32, 1280, 1280), (32, 1280, 10240), (32, 5120, 1280), (8, 1280, 1280),
        ] {
            let a = values(rows * inputs)
            var out = [Float](repeating: 0, count: rows * outputs)
            tell("\(rows) x \(inputs) x \(outputs)", rows, inputs, outputs) {
                matrixProduct(a, rows: rows, inputStride: inputs, by: $0, into: &out, outputStride: outputs)
            }
        }
        for side in [4, 2] {
            let geometry = ConvolutionGeometry(batch: 2, height: side, width: side, channels: 1280),
                pixels = 2 * side * side
            let x = values(pixels * 1280)
            var out = [Float](repeating: 0, count: pixels * 1280)
            tell("2 x \(side)² x 1280 x 1280, direct", pixels, 9 * 1280, 1280) {
                convolution(x, geometry, by: $0, into: &out)
            }
        }
    }

    /// Layers of the shipped model as 36 prompts with guidance go through it: each thread takes 36 items
    /// through all layers by itself.
    @Test("layers of a small network") func apart() {
        let peak = peak()
        print("| 36 items for each thread | GFLOP/s | of \(Int(peak)) |\n| --- | --: | --: |")
        let threads = ThreadPool.shared.threadCount, items = 36
        func rate(
            _ name: String, _ inputs: Int, _ outputs: Int, _ operations: Double,
            _ body: @Sendable (UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void
        ) {
            let x = (0..<threads).map { _ in
                Tensor(shape: [inputs]) { $0.update(repeating: 0.5, count: inputs) }
            }
            let out = (0..<threads).map { _ in UnsafeMutablePointer<Float>.allocate(capacity: outputs) }
            defer { out.forEach { $0.deallocate() } }
            nonisolated(unsafe) let to = out
            let time = seconds {
                ThreadPool.shared.runApart(threads) { thread in
                    x[thread].withUnsafePointer { body($0, to[thread]) }
                }
            }
            line(name, operations * Double(threads), time, peak)
        }
        for (side, inputs, outputs) in [
            (16, 48, 48), (16, 48, 384), (16, 192, 48), (8, 96, 96), (8, 96, 768), (8, 384, 96),
            (4, 160, 160), (4, 160, 1280), (4, 640, 160),
        ] {
            let rows = items * side * side
            let matrix = PackedMatrix(
                weights: values(inputs * outputs), outputs: outputs, channels: inputs, taps: 1, bias: nil)
            rate(
                "\(side)² x \(inputs) x \(outputs)", rows * inputs, rows * outputs,
                2 * Double(rows * inputs * outputs)
            ) {
                matrixProduct(
                    $0, rows: rows, inputStride: inputs, by: matrix, into: $1, outputStride: outputs)
            }
        }
        for (side, inputs, outputs) in [
            (16, 48, 48), (16, 96, 48), (16, 144, 48), (8, 96, 96), (8, 256, 96), (4, 160, 160),
            (4, 320, 160),
        ] {
            let geometry = ConvolutionGeometry(batch: items, height: side, width: side, channels: inputs),
                pixels = items * side * side
            guard let size = WinogradSize.chosen(for: geometry, outputs: outputs) else { continue }
            let weights = WinogradWeights(
                size, weights: values(outputs * inputs * 9), outputs: outputs, channels: inputs, bias: nil)
            rate(
                "convolution \(side)² x \(inputs) x \(outputs), \(size.rawValue)", pixels * inputs,
                pixels * outputs,
                2 * Double(pixels * inputs * outputs) * (size == .four ? 2.25 : 4)
            ) { winogradConvolution($0, geometry, by: weights, into: $1) }
        }
    }

    /// What is bound by memory or by single operations: nanoseconds for each value that comes out, all
    /// threads together.
    @Test("other kernels") func others() {
        print("| kernel | ns a value |\n| --- | --: |")
        let (rows, width) = (1024, 384)
        let x = values(rows * 2 * width), weight = values(2 * width)
        var out = [Float](repeating: 0, count: rows * 2 * width)
        func tell(_ name: String, _ count: Int, _ body: () -> Void) {
            print("| \(name) | \(String(format: "%.3f", seconds(body) * 1e9 / Double(count))) |")
        }
        tell("geglu \(rows) x \(width)", rows * width) { geglu(x, rows: rows, width: width, into: &out) }
        tell("quickGelu", rows * width) { quickGelu(x, count: rows * width, into: &out) }
        tell("silu", rows * width) { silu(x, count: rows * width, into: &out) }
        tell("sum", rows * width) { sum(x, x, count: rows * width, into: &out) }
        tell("layer normalisation \(rows) x \(width)", rows * width) {
            layerNormalisation(
                x, rows: rows, width: width, epsilon: 1e-5, weight: weight, bias: weight, into: &out)
        }
        for (items, pixels, channels, groups) in [(16, 256, 48, 16), (2, 1024, 160, 32), (16, 16, 320, 16)] {
            tell(
                "group normalisation with silu \(items) x \(pixels) x \(channels)", items * pixels * channels
            ) {
                groupNormalisation(
                    x, batch: items, pixels: pixels, channels: channels, groups: groups, epsilon: 1e-5,
                    weight: weight, bias: weight, activation: .silu,
                    into: &out)
            }
        }
        for (items, length, width, heads) in [(2, 1024, 160, 8), (16, 64, 96, 4), (16, 16, 160, 4)] {
            let x = values(items * length * width)
            var out = [Float](repeating: 0, count: items * length * width)
            tell("self-attention \(items) x \(length) x \(width), \(heads) heads", items * length * width) {
                let packed = PackedKeysValues(
                    keys: x, values: x, stride: width, contexts: items, length: length, heads: heads,
                    headWidth: width / heads)
                attention(
                    queries: x, batch: items, queryLength: length, queryStride: width, packed: packed,
                    contexts: Array(0..<items), mask: nil, into: &out,
                    outputStride: width)
            }
        }
    }

    private func line(_ name: String, _ operations: Double, _ seconds: Double, _ peak: Double) {
        let rate = operations / seconds / 1e9
        print(
            "| \(name) | \(String(format: "%.0f", rate)) | \(String(format: "%.0f", rate / peak * 100)) % |")
    }
}
