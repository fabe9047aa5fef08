import Files
import Tensors
import TestSupport
import Testing

@Suite("Preprocessing")
struct PreprocessingTests {
    // golden/README.md allows 1e-6 where the resized levels agree; ours do agree (see ResizeTests).
    private let tolerance = 1e-6

    @Test("CLIP's input is the reference's")
    func contrastive() throws {
        let images = try Golden.topic("images")
        let expected = try images.tensors("preprocess.safetensors")
        let cases = try #require(try images.json("preprocess.json")["clip"]?.array)
        #expect(!cases.isEmpty)
        for item in cases {
            let key = try #require(item["key"]?.string)
            // This processor puts transparency on white, unlike the autoencoder's.
            let bitmap = try PNG.read(path: images.path(try #require(item["image"]?.string)))
            let result = try ContrastivePreprocessing(size: try #require(item["size"]?.int))(bitmap)
            expectClose(
                actual: result.reshaped([1] + result.shape), expected: try expected.tensor(key),
                absolute: tolerance, key)
        }
    }

    @Test("the autoencoder's input is the reference's")
    func autoencoder() throws {
        let images = try Golden.topic("images")
        let expected = try images.tensors("preprocess.safetensors")
        let cases = try #require(try images.json("preprocess.json")["vae"]?.array)
        #expect(!cases.isEmpty)
        for item in cases {
            let key = try #require(item["key"]?.string)
            let bitmap = try PNG.read(path: images.path(try #require(item["image"]?.string)), alpha: .drop)
            let result = try bitmap.autoencoderInput(width: item["width"]?.int, height: item["height"]?.int)
            expectClose(
                actual: result.reshaped([1] + result.shape), expected: try expected.tensor(key),
                absolute: tolerance, key)
        }
    }

    @Test("the decoder's output becomes the reference's 8-bit picture, exactly")
    func postprocess() throws {
        let expected = try Golden.topic("images").tensors("preprocess.safetensors")
        let input = try expected.tensor("postprocess.input")
        let levels = try (0..<input.shape[0]).flatMap { try Bitmap(input[$0]).samples.map(Int.init) }
        #expect(try levels == expected.integers("postprocess.uint8"))
    }

    @Test("a picture survives the way to a tensor and back")
    func roundTrip() throws {
        let bitmap = Bitmap(width: 16, height: 16, channels: 3, samples: (0..<768).map { UInt8($0 & 255) })
        #expect(try Bitmap(bitmap.tensor) == bitmap)
        #expect(
            try Bitmap(Tensor(shape: [3, 1, 1], values: [.nan, -.infinity, .infinity])).samples == [
                0, 0, 255,
            ])
        #expect(throws: EngineError.self) { try Bitmap(Tensor(zeros: [4, 2, 2])) }
        #expect(throws: EngineError.self) {
            try Bitmap(width: 5, height: 40, red: 0, green: 0, blue: 0).autoencoderInput()
        }
    }

    @Test("a preprocessor configuration is read, and a wrong one is told")
    func configuration() throws {
        let json = try JSON.parse(
            #"{"size": {"shortest_edge": 64}, "crop_size": {"height": 32, "width": 32}, "resample": 2, "image_mean": [0.5, 0.5, 0.5], "image_std": [1, 1, 1]}"#,
            place: "test")
        let read = try ContrastivePreprocessing(json: json, place: "test")
        #expect(
            read.size == 64 && read.crop == 32 && read.filter == .bilinear && read.mean == [0.5, 0.5, 0.5]
                && read.deviation == [1, 1, 1])
        #expect(try ContrastivePreprocessing(json: [:], place: "test") == ContrastivePreprocessing())
        #expect(try read(Bitmap(width: 40, height: 30, red: 255, green: 0, blue: 0)).shape == [3, 32, 32])
        let wrong: [JSON] = [
            ["size": 1e300], ["size": "x"], ["image_std": [0, 1, 1]], ["resample": 9], ["image_mean": [1]],
            ["size": 8, "crop_size": 9],
        ]
        for json in wrong {
            let error = #expect(throws: EngineError.self, "\(json.text)") {
                try ContrastivePreprocessing(json: json, place: "clip/preprocessor_config.json")
            }
            #expect(error?.place == "clip/preprocessor_config.json")
        }
    }
}
