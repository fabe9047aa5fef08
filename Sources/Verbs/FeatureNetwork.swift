import Caching
import Files
import Interpreting
import LinearAlgebra
import Metrics
import Models
import Networks
import Results
import Retrieval
import Synchronization
import Tensors

/// A network that turns texts or pictures into the features they are compared by: a whole CLIP or Inception, alone or as part of a model
/// folder. What was computed once is remembered, and cached by content.
package final class FeatureNetwork: ModelHandle {
    enum Network: Sendable {
        case clip(ContrastiveModel)
        case inception(Inception)
    }

    package let name: String
    let network: Network
    let digests: PartDigests
    private let parts: [PartDigests.Part]
    private let texts = Remembered<String, [Float]>()
    private let pictures = Remembered<ObjectIdentifier, (picture: Picture, features: [Float])>()
    /// So many texts or pictures are remembered at most, and tables of more rows are compared in a mapped file.
    private let most: Int

    /// - Parameter parts: what its features depend on.
    init(name: String, _ network: Network, _ digests: PartDigests, _ parts: [PartDigests.Part], most: Int = 20_000) {
        (self.name, self.network, self.digests, self.parts, self.most) = (name, network, digests, parts, most)
    }

    /// A folder with a whole CLIP and its vocabulary. Within a model folder a CLIP may lack that: the tokenizer beside it is its own.
    package convenience init(name: String, clip folder: String, most: Int = 20_000) throws {
        let beside = FileSystem.join(FileSystem.folder(of: folder), PartDigests.Part.tokenizer.rawValue)
        let isComplete = Tokenizer.isThere(in: folder) || !FileSystem.isFolder(beside)
        let (model, digests) = try PartDigests.opening(isComplete ? [.clip: folder] : [.clip: folder, .tokenizer: beside]) {
            try ContrastiveModel(folder: folder, tokenizer: isComplete ? nil : Tokenizer(folder: beside))
        }
        self.init(name: name, .clip(model), digests, isComplete ? [.clip] : [.clip, .tokenizer], most: most)
    }

    /// A safetensors file with the weights of Inception.
    package convenience init(name: String, inception path: String) throws {
        let (network, digests) = try PartDigests.opening([.inception: path]) { try Inception(path: path) }
        self.init(name: name, .inception(network), digests, [.inception])
    }

    // MARK: As the language sees it

    var isClip: Bool { if case .clip = network { true } else { false } }

    var path: String {
        switch network {
        case .clip(let model): model.folder
        case .inception(let network): network.path
        }
    }

    /// What its weight file holds beyond the network.
    var unused: [UnusedWeights] { if case .clip(let model) = network { model.clip.unused.map { [$0] } ?? [] } else { [] } }

    var parameterCount: Int {
        switch network {
        case .clip(let model): model.clip.parameterCount
        case .inception(let network): network.parameterCount
        }
    }

    /// How pictures are brought to the network's size, for what is printed beside figures.
    var preparation: String {
        switch network {
        case .clip(let model): "resized to \(model.preprocessing.crop) pixels (\(model.preprocessing.filter.rawValue))"
        case .inception: "resized to \(Inception.side) pixels (bilinear, not antialiased)"
        }
    }

    package var summary: String {
        let kind =
            switch network {
            case .clip(let model): "a whole CLIP, texts and pictures as \(model.clip.text.configuration.projectionWidth) numbers"
            case .inception: "Inception V3 of pytorch-fid, pictures as \(Inception.width) numbers"
            }
        return "\(name): \(kind), \(LoadedModel.count(parameterCount)) parameters, pictures \(preparation)"
    }

    package var fieldNames: [String] { ["name", "path", "parameters"] }

    package func field(_ name: String) -> Value? {
        switch name {
        case "name": .text(self.name)
        case "path": .text(path)
        case "parameters": .number(Double(parameterCount))
        default: nil
        }
    }

    // MARK: Features

    private func computed(_ texts: [String]) throws -> Tensor {
        guard case .clip(let model) = network else { throw EngineError(.unsupported, "\(name) looks at pictures only, not at texts") }
        return try model.textFeatures(texts)
    }

    private func computed(_ pictures: [Bitmap]) throws -> Tensor {
        switch network {
        case .clip(let model): try model.imageFeatures(pictures)
        case .inception(let network): try network.features(pictures)
        }
    }

    /// [texts, width], not normalised.
    package func features(of wanted: [String], _ session: Session, naming: ((Int) -> String)? = nil) throws -> Tensor {
        let watch = session.cancellation.watch()
        let store = try ItemStore(session.cache, verb: "text features", digests, parts)
        let known = texts.withLock { $0 }
        var found = known.count > most ? [:] : known
        var missing = Array(Set(wanted.filter { found[$0] == nil })).sorted()
        func key(_ text: String, _ store: ItemStore) throws -> ItemKey {
            try store.key { add(text, to: &$0) }
        }
        if let store {
            missing = try missing.filter { text in
                guard let features = store.cache.value(try key(text, store), { try $0.tensor() }), features.isFinite else { return true }
                found[text] = features.values
                return false
            }
        }
        try plan(missing.count, "text features", session)
        var failures = NumberFailures()
        let began = ContinuousClock.now
        for start in stride(from: 0, to: missing.count, by: 32) {
            let part = Array(missing[start..<min(start + 32, missing.count)])
            if watch.isStopped { throw Stop.error(at: "text \(start) of \(missing.count)") }
            let features = try session.abandonable { try computed(part) }
            for (index, text) in part.enumerated() {
                guard features[index].isFinite else {
                    failures.add(
                        "what \(name) makes of the text", at: naming?(wanted.firstIndex(of: text) ?? 0) ?? "\"\(LoadedModel.shortened(text))\"", cure: cure)
                    continue
                }
                found[text] = features[index].values
                if let store { try store.keep(try key(text, store)) { $0.write(features[index]) } }
            }
        }
        note(missing.count, "text features", began, session)
        try failures.throwIfAny()
        let all = found
        texts.withLock { $0 = all }
        return Self.rows(wanted.compactMap { all[$0] })
    }

    /// [pictures, width], not normalised.
    package func features(of wanted: [Picture], _ session: Session, naming: ((Int) -> String)? = nil) throws -> Tensor {
        let progress = session.progress
        let watch = session.cancellation.watch()
        let known = pictures.withLock { $0 }
        var found = known.count > most ? [:] : known
        var missing: [Picture] = []
        var asked: Set<ObjectIdentifier> = []
        for picture in wanted where found[ObjectIdentifier(picture)] == nil && asked.insert(ObjectIdentifier(picture)).inserted { missing.append(picture) }
        let store = missing.isEmpty ? nil : try ItemStore(session.cache, verb: "picture features", digests, parts)
        var keys: [ObjectIdentifier: ItemKey] = [:]
        if let store {
            missing = try missing.filter { picture in
                let key = try Self.key(of: picture, store)
                keys[ObjectIdentifier(picture)] = key
                guard !picture.isUnknown, let features = store.cache.value(key, { try $0.tensor() }), features.isFinite else { return true }
                found[ObjectIdentifier(picture)] = (picture, features.values)
                return false
            }
        }
        try plan(missing.count, "picture features", session)
        var failures = NumberFailures()
        let began = ContinuousClock.now
        if !missing.isEmpty { progress.begin(isClip ? "CLIP" : "Inception", total: missing.count) }
        defer { if !missing.isEmpty { progress.end() } }
        let size = isClip ? 32 : 8
        for start in stride(from: 0, to: missing.count, by: size) {
            let part = Array(missing[start..<min(start + size, missing.count)])
            // What was computed is kept; a score of a part of the pictures would be another score.
            if watch.isStopped { throw Stop.error(at: "picture \(start) of \(missing.count)") }
            let bitmaps = try part.map { try $0.bitmap().onWhite }
            let features = try session.abandonable { try computed(bitmaps) }
            for (index, picture) in part.enumerated() {
                guard features[index].isFinite || picture.isUnknown else {
                    let row = wanted.firstIndex { $0 === picture } ?? 0
                    failures.add("what \(name) makes of the picture", at: naming?(row) ?? "picture \(row)", cure: cure)
                    continue
                }
                found[ObjectIdentifier(picture)] = (picture, features[index].values)
                if let store, let key = keys[ObjectIdentifier(picture)], !picture.isUnknown { try store.keep(key) { $0.write(features[index]) } }
            }
            progress.advance(by: part.count)
        }
        note(missing.count, "picture features", began, session)
        try failures.throwIfAny()
        let all = found
        pictures.withLock { $0 = all.count > most ? [:] : all }
        return Self.rows(wanted.compactMap { all[ObjectIdentifier($0)]?.features })
    }

    private func add(_ text: String, to key: inout ItemKeyBuilder) {
        key.add("text", text)
        if case .clip(let model) = network, let ids = model.tokenizer.ownIDs(text, to: model.maximumTokens) { key.add("ids", ids) }
    }

    private var cure: String? {
        switch network {
        case .clip(let model): NumberFailures.weights(in: model.folder)
        case .inception: nil
        }
    }

    private func work(_ verb: String) -> WorkKind { WorkKind(verb, parameters: parameterCount, shape: []) }

    private func note(_ count: Int, _ verb: String, _ began: ContinuousClock.Instant, _ session: Session) {
        if count > 0 { session.cache?.log.note(work(verb), units: count, ContinuousClock.now - began) }
    }

    /// While a run is planned: what is not there is counted, and nothing can stand in for it.
    private func plan(_ count: Int, _ verb: String, _ session: Session) throws {
        guard count > 0, let plan = session.plan else { return }
        plan.add(verb, cached: 0, missing: count, work(verb), units: count)
        throw WorkPlan.Gap()
    }

    private static func key(of picture: Picture, _ store: ItemStore) throws -> ItemKey {
        let bitmap = try picture.bitmap().onWhite
        return try store.key {
            $0.add("picture", bitmap.samples)
            $0.add("width", bitmap.width)
            $0.add("channels", bitmap.channels)
        }
    }

    static func rows(_ rows: [[Float]]) -> Tensor {
        Tensor(shape: [rows.count, rows.first?.count ?? 0], values: rows.flatMap { $0 })
    }

    /// Mean and covariance of the features of a reference set, cached by its pictures and their order.
    func statistics(of pictures: [Picture], _ session: Session) throws -> FeatureStatistics {
        func computed() throws -> FeatureStatistics { try FeatureStatistics(DoubleMatrix(features(of: pictures, session))) }
        guard let store = try ItemStore(session.cache, verb: "feature statistics", digests, parts) else { return try computed() }
        let key = try store.key { builder in for picture in pictures { builder.add("picture", try Self.key(of: picture, store).digest) } }
        if let (mean, covariance) = store.cache.value(
            key,
            { reader in
                let mean = try reader.doubles()
                return (mean, try reader.doubles())
            }), covariance.count == mean.count * mean.count
        {
            return try FeatureStatistics(mean: mean, covariance: DoubleMatrix(rows: mean.count, columns: mean.count, values: covariance))
        }
        let statistics = try computed()
        try store.keep(key) {
            $0.write(statistics.mean)
            $0.write(statistics.covariance.values)
        }
        return statistics
    }

    /// Numbers per picture or text.
    var width: Int {
        switch network {
        case .clip(let model): model.clip.text.configuration.projectionWidth
        case .inception: Inception.width
        }
    }

    // MARK: Large tables

    /// What a table is searched by. Of more than `most` texts the features are computed in blocks, kept block by block, and laid into one
    /// mapped file, so that they need not fit into memory.
    package func searchable(_ texts: [String], _ session: Session, naming: ((Int) -> String)? = nil) throws -> EmbeddingRows {
        guard texts.count > most, let store = try ItemStore(session.cache, verb: "text features of a table", digests, parts) else {
            return try EmbeddingRows(features(of: texts, session, naming: naming))
        }
        return try laidOut(
            texts, store, session, naming,
            key: { part in try store.key { builder in part.forEach { add($0, to: &builder) } } }, compute: { try self.computed($0) })
    }

    func searchable(_ pictures: [Picture], _ session: Session, naming: ((Int) -> String)? = nil) throws -> EmbeddingRows {
        guard pictures.count > most, let store = try ItemStore(session.cache, verb: "picture features of a table", digests, parts) else {
            return try EmbeddingRows(features(of: pictures, session, naming: naming))
        }
        return try laidOut(
            pictures, store, session, naming,
            key: { part in try store.key { builder in for picture in part { builder.add("picture", try Self.key(of: picture, store).digest) } } },
            compute: { try self.computed($0.map { try $0.bitmap().onWhite }) })
    }

    private func laidOut<Item>(
        _ items: [Item], _ store: ItemStore, _ session: Session, _ naming: ((Int) -> String)?, key: (ArraySlice<Item>) throws -> ItemKey,
        compute: ([Item]) throws -> Tensor
    ) throws -> EmbeddingRows {
        let blocks = stride(from: 0, to: items.count, by: min(most, 1_024)).map { items[$0..<min($0 + min(most, 1_024), items.count)] }
        let keys = try blocks.map(key)
        let watch = session.cancellation.watch()
        func features(_ index: Int) throws -> Tensor {
            if let stored = store.cache.value(keys[index], { try $0.tensor() }), stored.isFinite { return stored }
            let block = Array(blocks[index])
            try plan(items.count - index * blocks[0].count, "features of a table", session)
            let parts = try stride(from: 0, to: block.count, by: 32).map { start in
                if watch.isStopped { throw Stop.error(at: "row \(index * blocks[0].count + start) of \(items.count)") }
                let part = Array(block[start..<min(start + 32, block.count)])
                return try session.abandonable { try compute(part) }
            }
            let features = Tensor.concatenated(parts)
            if !features.isFinite, let bad = (0..<features.shape[0]).first(where: { !features[$0].isFinite }) {
                let row = index * blocks[0].count + bad
                throw NumberFailures.failure("what \(name) makes of the row", at: naming?(row) ?? "row \(row)", cure: cure)
            }
            try store.keep(keys[index]) { $0.write(features) }
            return features
        }
        let whole = try store.key { builder in keys.forEach { builder.add("block", $0.digest) } }
        let width = try features(0).shape[1]
        let head = Safetensors.head("rows", shape: [items.count, width])
        let kept = try store.cache.file(whole, byteCount: head.count + items.count * width * 4) { sink in
            try sink.write(head)
            for index in blocks.indices {
                let block = try features(index)
                try block.withUnsafePointer { try sink.write(UnsafeRawBufferPointer(start: $0, count: block.count * 4)) }
            }
        }
        // What cannot be kept lies in memory.
        guard let kept else { return try EmbeddingRows(Tensor.concatenated(blocks.indices.map(features))) }
        return try EmbeddingRows(file: SafetensorsFile(path: kept), name: "rows")
    }
}
