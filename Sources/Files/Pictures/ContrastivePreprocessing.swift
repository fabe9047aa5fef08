package import Tensors

/// How a picture becomes the input of CLIP's vision part (the reference's CLIPImageProcessor): shortest edge
/// to `size` by bicubic resizing (or both edges, where the file gives height and width), the middle `crop` x
/// `crop`, divided by 255, normalised per channel. Read from `preprocessor_config.json`.
package struct ContrastivePreprocessing: Sendable, Hashable {
    package var size = 224
    package var crop = 224
    /// Both edges become `size`, whatever the picture's proportions.
    package var stretches = false
    package var filter = ResizeFilter.bicubic
    package var mean: [Float] = [0.48145466, 0.4578275, 0.40821073]
    package var deviation: [Float] = [0.26862954, 0.26130258, 0.27577711]

    package init(size: Int = 224) {
        self.size = size
        crop = size
    }

    /// Keys that are missing keep the values of the original model. `place` is what an error names.
    package init(json: JSON, place: String) throws {
        guard json.object != nil else {
            throw EngineError(.configuration, "expected a JSON object, found \(json.kind)", place: place)
        }
        func flag(_ key: String) throws -> Bool? {
            guard let value = json[key], !value.isNull else { return nil }
            guard let flag = value.bool else {
                throw EngineError(
                    .configuration, "\(key): expected true or false, found \(value.shortText)", place: place)
            }
            return flag
        }
        func extent(_ key: String, _ inner: [String], _ fallback: Int) throws -> Int {
            guard let value = json[key], !value.isNull else { return fallback }
            guard let found = value.int ?? inner.lazy.compactMap({ value[$0]?.int }).first,
                (1...16384).contains(found)
            else {
                throw EngineError(
                    .configuration,
                    "\(key): expected a number of pixels from 1 to 16384, found \(value.shortText)",
                    place: place)
            }
            return found
        }
        func channels(_ key: String, _ fallback: [Float]) throws -> [Float] {
            guard let value = json[key], !value.isNull else { return fallback }
            guard let found = value.doubles, found.count == 3, found.allSatisfy({ abs($0) <= 1_000 }) else {
                throw EngineError(
                    .configuration,
                    "\(key): expected three numbers from -1000 to 1000, found \(value.shortText)",
                    place: place)
            }
            return found.map(Float.init)
        }
        size = try extent("size", ["shortest_edge", "height"], 224)
        stretches = json["size"]?["height"] != nil
        if stretches, let width = json["size"]?["width"], width.int != size {
            throw EngineError(
                .unsupported, "size: only squares are supported, found \(size) x \(width.shortText)",
                place: place)
        }
        for key in ["do_resize", "do_rescale", "do_normalize"] where try flag(key) == false {
            throw EngineError(.unsupported, "\(key) = false is not supported", place: place)
        }
        if let factor = json["rescale_factor"], !factor.isNull,
            factor.double.map({ abs($0 * 255 - 1) > 1e-3 }) ?? true
        {
            throw EngineError(
                .unsupported,
                """
                rescale_factor = \(factor.shortText) is not supported: samples of 0 to 255 become 0 to \
                1, which is 1/255
                """, place: place)
        }
        let crops = try flag("do_center_crop") ?? true
        crop = crops ? try extent("crop_size", ["height"], size) : size
        if !crops, !stretches {
            throw EngineError(
                .unsupported, "do_center_crop = false is supported only where size gives height and width",
                place: place)
        }
        mean = try channels("image_mean", mean)
        deviation = try channels("image_std", deviation)
        if deviation.contains(where: { $0 < 1e-6 }) {
            throw EngineError(.configuration, "image_std: expected numbers of 0.000001 or more", place: place)
        }
        // Pillow's numbers for its filters.
        let filters: [Int: ResizeFilter] = [
            0: .nearest, 1: .lanczos, 2: .bilinear, 3: .bicubic, 4: .box, 5: .hamming,
        ]
        if let code = json["resample"], !code.isNull {
            guard let known = code.int.flatMap({ filters[$0] }) else {
                throw EngineError(
                    .configuration, "resample: expected 0 to 5, found \(code.shortText)", place: place)
            }
            filter = known
        }
        if crop > size {
            throw EngineError(.unsupported, "crop_size \(crop) is larger than size \(size)", place: place)
        }
    }

    /// `[3, crop, crop]`. Transparency is taken as white.
    package func callAsFunction(_ bitmap: Bitmap) throws -> Tensor {
        let opaque = bitmap.onWhite
        let (short, long) = (min(opaque.width, opaque.height), max(opaque.width, opaque.height))
        let other = stretches ? size : size * long / short
        guard other * size <= PictureForm.mostPixels else {
            throw EngineError(.shape, "a picture of \(bitmap.width) x \(bitmap.height) is too long and thin")
        }
        let resized = opaque.resized(
            width: opaque.width <= opaque.height ? size : other,
            height: opaque.width <= opaque.height ? other : size, filter: filter)
        let middle = resized.cropped(
            x: (resized.width - crop) / 2, y: (resized.height - crop) / 2, width: crop, height: crop)
        return middle.planes { value, channel in (value / 255 - mean[channel]) / deviation[channel] }
    }
}
