import Files
import Tensors
import TestSupport
import Testing

@Suite("Resizing")
struct ResizeTests {
    @Test("pictures come out as the reference resizes them, exactly")
    func pictures() throws {
        let images = try Golden.topic("images")
        let expected = try images.tensors("resize.safetensors")
        var compared = 0
        // <image>.<filter>.<width>x<height>
        for key in expected.names where !key.hasPrefix("f32.") {
            let parts = key.split(separator: ".").map(String.init)
            let filter = try #require(ResizeFilter(rawValue: parts[1]))
            let size = parts[2].split(separator: "x").compactMap { Int($0) }
            let shape = try #require(expected.entry(key)?.shape)
            let alpha: PNG.Alpha = shape.last == 4 ? .keep : .drop
            let result = try PNG.read(path: images.folder("png").path(parts[0] + ".png"), alpha: alpha)
                .resized(width: size[0], height: size[1], filter: filter)
            // A grey picture is read as RGB: its first channel stands for it.
            let step = shape.count == 2 ? 3 : 1
            let found = stride(from: 0, to: result.samples.count, by: step).map { Int(result.samples[$0]) }
            #expect(try found == expected.integers(key), "\(key)")
            compared += 1
        }
        #expect(compared > 0)
    }

    @Test("float pictures come out as the reference interpolates them, within 1e-6")
    func floats() throws {
        let expected = try Golden.topic("images").tensors("resize.safetensors")
        let input = try expected.tensor("f32.input")
        var compared = 0
        // f32.<mode>[_noaa].<width>x<height>
        for key in expected.names where key.hasPrefix("f32.") && key != "f32.input" {
            let parts = key.split(separator: ".").map(String.init)
            let mode = try #require(Tensor.Interpolation(rawValue: String(parts[1].prefix { $0 != "_" })))
            let size = parts[2].split(separator: "x").compactMap { Int($0) }
            let result = input.interpolated(
                height: size[1], width: size[0], mode, antialias: !parts[1].hasSuffix("_noaa"))
            // The tolerance that golden/README.md gives.
            expectClose(actual: result, expected: try expected.tensor(key), absolute: 1e-6, key)
            compared += 1
        }
        #expect(compared > 0)
    }

    @Test("a picture of one colour keeps it under every filter and size", arguments: ResizeFilter.allCases)
    func flat(filter: ResizeFilter) {
        let source = Bitmap(width: 13, height: 7, red: 200, green: 3, blue: 255)
        for (width, height) in [(1, 1), (5, 9), (40, 7), (13, 2), (300, 200)] {
            #expect(
                source.resized(width: width, height: height, filter: filter)
                    == Bitmap(width: width, height: height, red: 200, green: 3, blue: 255))
        }
    }

    @Test("a whole-number zoom is the nearest-neighbour resize")
    func zoom() throws {
        var random = SmallGenerator(seed: 9)
        let source = Bitmap(
            width: 5, height: 3, channels: 3,
            samples: (0..<45).map { _ in UInt8(truncatingIfNeeded: random.next()) })
        for factor in 1...4 {
            #expect(
                source.zoomed(factor)
                    == source.resized(width: 5 * factor, height: 3 * factor, filter: .nearest))
        }
        #expect(source.cropped(x: 1, y: 2, width: 3, height: 1).samples == Array(source.samples[33..<42]))
    }

    @Test("a transparent pixel's colour does not bleed into its neighbours")
    func premultiplied() {
        let source = Bitmap(width: 2, height: 1, channels: 4, samples: [255, 0, 0, 0, 0, 0, 200, 255])
        let result = source.resized(width: 8, height: 1, filter: .bilinear)
        #expect(stride(from: 0, to: 32, by: 4).allSatisfy { result.samples[$0] == 0 })
    }

    /// Pillow 13.0 made the numbers: `Image.resize(size, BICUBIC)` of a grey 5 x 7 picture. 10 and 5 levels
    /// differ in the other order.
    @Test("the pass along the columns comes first where the reference does so")
    func passOrder() {
        var samples: [UInt8] = []
        for y in 0..<7 {
            for x in 0..<5 {
                let level: Int = x * x * 53 + y * 97 + x * y * 29
                samples += [UInt8](repeating: UInt8(level % 256), count: 3)
            }
        }
        let source = Bitmap(width: 5, height: 7, channels: 3, samples: samples)
        func grey(_ width: Int, _ height: Int) -> [UInt8] {
            let result = source.resized(width: width, height: height, filter: .bicubic).samples
            return stride(from: 0, to: result.count, by: 3).map { result[$0] }
        }
        #expect(
            grey(6, 3) == [
                78, 99, 119, 146, 148, 93, 117, 114, 102, 80, 105, 208, 151, 105, 133, 139, 104, 110,
            ])
        #expect(grey(3, 5) == [50, 181, 121, 138, 69, 135, 96, 97, 143, 146, 133, 155, 108, 119, 76])
    }
}
