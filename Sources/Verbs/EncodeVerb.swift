import Caching
import Interpreting
import Models
import Results
import SourceText
import Tensors

/// `encode` and `decode`: between texts and pictures, and the numbers that the network works on.
enum EncodeVerb {
    static let all = [encode, decode]

    static let encode = VerbDeclaration(
        "encode", .diffusion, "Turns texts into `embedding` by the text encoder, or pictures into `latent` by the autoencoder.", input: .table,
        slots: [
            Slot("column", .column, .positional, required: true, "texts or pictures"),
            Slot("as", .name, role: .namesResult, "another name for the new column"),
            Slot("using", .model, "another model than the variable `model`"),
            Slot("posterior", .choice(["mean", "sample"]), standard: "mean", "of pictures: the encoder's mean, or a draw from its distribution"),
            Seeds.slot,
        ],
        adds: ["latent", "embedding"], addsOneOf: true,
        notes: ["Latents are in the network's units: what the autoencoder gave, times its scaling factor."],
        columns: .kept,
        examples: [
            "model = load monsters; dataset monsters split=test | first 4 | encode image | describe",
            "model = load monsters; \"a red dragon\" | encode text | describe",
        ]
    ) { invocation in
        var table = try invocation.table()
        let name = invocation.arguments.text("column") ?? ""
        let column = try invocation.column(name, of: table, slot: "column")
        let model = try invocation.model()
        switch column.kind {
        case .text:
            let session = invocation.session
            let embeddings = try model.finishedEmbeddings(
                of: column.values.map(\.summary), in: session, count: { session.cache?.count("encode", cached: $0, computed: $1) },
                naming: table.itemPhrase)
            table = table.finished(embeddings.indices.filter { embeddings[$0] != nil })
            try invocation.add(
                Column(invocation.arguments.text("as") ?? "embedding", embeddings.compactMap { $0.map { .embedding($0) } }), to: &table)
        case .image:
            let latents = try encode(column, table, model, invocation)
            table = table.finished(Array(0..<latents.count))
            try invocation.add(Column(invocation.arguments.text("as") ?? "latent", latents.map { .latent($0) }), to: &table)
        case .none where table.rowCount == 0:
            try invocation.add(Column(invocation.arguments.text("as") ?? "latent", []), to: &table)
        default:
            throw Complaint(.wrongType, "`encode` takes texts or pictures, and `\(name)` is \(column.kind.phrase)", label: column.kind.phrase, slot: "column")
        }
        table.record(invocation.step(remark: "model \(model.name)"))
        return .table(table)
    }

    private static func encode(_ column: Column, _ table: Table, _ model: LoadedModel, _ invocation: Invocation) throws -> [Latent] {
        let vae = model.model.vae
        let factor = vae.configuration.factor
        let samples = invocation.arguments.text("posterior") == "sample"
        let seed = Seeds.base(invocation)
        if samples { SeedWatch.note(invocation, base: seed, items: table.items) }
        let session = invocation.session
        let pictures = try column.values.enumerated().map { row, value in
            guard case .picture(let picture) = value else {
                throw Complaint(.wrongType, "row \(row) has no picture to encode", label: value.kind.phrase, slot: "column")
            }
            return picture
        }
        var latents: [Latent] = []
        // A picture that cannot be encoded ends the command, but not before the others are kept.
        var failure: NotedError?
        func made(_ posterior: LatentDistribution, _ index: Int, row: Int) -> Latent {
            var generator = Seeds.generator(invocation, item: table.items[row])
            var value = posterior.mean[index]
            if samples {
                let noise = generator.normal(shape: [1] + value.shape).reshaped(value.shape)
                value = value + posterior.standardDeviation[index] * noise
            }
            return Latent(
                tensor: value * vae.configuration.scalingFactor, model: model.identity, origin: .encoded, generator: samples ? generator : nil,
                seed: samples ? seed : nil)
        }
        let store = try ItemStore(invocation, model, [.vae])
        let watch = session.cancellation.watch()
        session.progress.begin("encode", total: pictures.count)
        defer { session.progress.end() }
        for range in Batches.ranges(count: pictures.count, size: session.settings.batch ?? 8) {
            if watch.isStopped { break }
            var rows: [Int] = []
            var pixels: [Tensor] = []
            for row in range {
                do {
                    pixels.append(try pixelsToEncode(pictures[row], factor))
                    rows.append(row)
                } catch { failure = failure ?? NotedError(error, note: table.itemPhrase(row)) }
            }
            var batch: [Int: Latent] = [:]
            var keys: [Int: ItemKey] = [:]
            if let store {
                for (position, picture) in pixels.enumerated() {
                    let key = try store.key {
                        $0.add("picture", picture)
                        if samples { $0.add("seed", seed &+ table.items[rows[position]]) }
                    }
                    keys[position] = key
                    guard let (tensor, generator) = store.cache.value(key, { (try $0.tensor(), try $0.generator()) }), tensor.isFinite else { continue }
                    batch[position] = Latent(tensor: tensor, model: model.identity, origin: .encoded, generator: generator, seed: samples ? seed : nil)
                }
            }
            let missing = pixels.indices.filter { batch[$0] == nil }
            if let plan = session.plan {
                for position in missing {
                    let isFound = !pixels[position].isUnknown && keys[position].map { !plan.isFirst($0.digest) } ?? false
                    if isFound { plan.addRepeated("encode") }
                    plan.add("encode", cached: isFound ? 1 : 0, missing: isFound ? 0 : 1, model.work("encode", pixels[position].shape), units: isFound ? 0 : 1)
                    batch[position] = Latent(
                        tensor: .unknown(vae.configuration.latentShape(of: pixels[position].shape)), model: model.identity, origin: .encoded,
                        generator: samples ? Seeds.generator(invocation, item: table.items[rows[position]]) : nil, seed: samples ? seed : nil)
                }
                plan.add("encode", cached: pixels.count - missing.count, missing: 0)
                latents += pixels.indices.compactMap { batch[$0] }
                continue
            }
            if let largest = missing.map({ pixels[$0].shape }).max(by: { $0[1] * $0[2] < $1[1] * $1[2] }) {
                try model.reckonWeights(of: .vae)
                _ = try Reckoning.batch(
                    given: 1, usual: 1, bytes: vae.configuration.leastBytes(height: largest[1], width: largest[2]), "encode", largest)
            }
            let began = ContinuousClock.now
            for part in Batches.alike(missing.map { pixels[$0].shape }, Batches.pixelLimit).map({ $0.map { missing[$0] } }) {
                guard let posterior = try Stop.unlessAbandoned({ try session.abandonable { try vae.encode(.stacked(part.map { pixels[$0] })) } }) else {
                    return latents
                }
                for (index, position) in part.enumerated() {
                    let latent = made(posterior, index, row: rows[position])
                    guard latent.tensor.isFinite || pixels[position].isUnknown else {
                        failure =
                            failure
                            ?? NumberFailures.failure(
                                "what the autoencoder makes of the picture", at: table.itemPhrase(rows[position]), cure: model.cure(for: .vae))
                        continue
                    }
                    batch[position] = latent
                    guard let store, let key = keys[position] else { continue }
                    try store.keep(key) {
                        $0.write(latent.tensor)
                        $0.write(latent.generator)
                    }
                }
            }
            store?.cache.count("encode", cached: pixels.count - missing.count, computed: missing.count)
            if let shape = missing.first.map({ pixels[$0].shape }) {
                store?.cache.log.note(model.work("encode", shape), units: missing.count, ContinuousClock.now - began)
            }
            latents += pixels.indices.compactMap { batch[$0] }
            session.progress.advance(by: range.count)
        }
        if let failure { throw failure }
        return latents
    }

    /// From -1 to 1, as the encoder takes them.
    private static func pixelsToEncode(_ picture: Picture, _ factor: Int) throws -> Tensor {
        let pixels = try picture.pixels()
        guard pixels.isFinite || picture.isStandIn else { throw EngineError(.numbers, "the picture holds NaN or infinity") }
        guard pixels.shape[1] % factor == 0, pixels.shape[2] % factor == 0 else {
            throw EngineError(
                .shape, "a picture of \(pixels.shape[2]) x \(pixels.shape[1]) pixels cannot be encoded: both must be multiples of \(factor)")
        }
        return pixels * 2 - 1
    }

    static let decode = VerbDeclaration(
        "decode", .diffusion, "Turns latents into pictures by the autoencoder.", input: .table,
        slots: [Slot("as", .name, role: .namesResult, "another name for the new column"), Slot("using", .model, "another model than the variable `model`")],
        adds: ["generated"],
        notes: ["A latent that still has noise can be decoded too: it shows where the denoising stands."],
        columns: .kept, reads: [.latent],
        examples: [
            "model = load monsters; \"a red dragon\" | noise of=4 seed=1 | denoise | decode | show",
            "model = load monsters; dataset monsters split=test | first 2 | encode image | decode | grid image,generated",
        ]
    ) { invocation in
        var table = try invocation.table()
        let model = try invocation.model()
        let latents = try invocation.latents(table, for: model)
        table.record(invocation.step(remark: "model \(model.name)"))
        let pictures = try pictures(of: latents, model, invocation, recipes: table.recipes, naming: table.itemPhrase)
        if let trace = invocation.session.trace {
            for (row, picture) in pictures.enumerated() { if let picture { trace.decoded(picture, item: table.items[row], tag: latents[row].tag) } }
        }
        table = table.finished(pictures.indices.filter { pictures[$0] != nil })
        try invocation.add(Column(invocation.arguments.text("as") ?? "generated", pictures.compactMap { $0.map { .picture($0) } }), to: &table)
        return .table(table)
    }

    /// What the autoencoder makes of latents; nil for those that were left when the user stopped. One that is no picture is an error once the
    /// others are there.
    static func pictures(
        of latents: [Latent], _ model: LoadedModel, _ invocation: Invocation, recipes: [Recipe]? = nil, naming: (Int) -> String
    ) throws -> [Picture?] {
        let session = invocation.session
        let watch = session.cancellation.watch()
        let vae = model.model.vae
        var pictures: [Int: Picture] = [:]
        let progress = invocation.session.progress
        var keys: [Int: ItemKey] = [:]
        // One key, whichever verb asks.
        let store = try ItemStore(invocation.session.cache, verb: "decode", version: invocation.session.verbs["decode"]?.version ?? 1, model, [.vae])
        if let store {
            for (row, latent) in latents.enumerated() {
                let key = try store.key { $0.add("latent", latent.tensor) }
                keys[row] = key
                guard let values = store.cache.value(key, { try $0.tensor() }), values.rank == 3, values.isFinite else { continue }
                pictures[row] = Picture(values: values, recipe: recipes?[row])
            }
        }
        session.plan?.add("decode", cached: pictures.count, missing: 0)
        if let standIns = session.standIns {
            // One picture stands for all of a size, so that what looks at it does so once.
            var unknown: [[Int]: Picture] = [:]
            for row in latents.indices where pictures[row] == nil && (session.plan != nil || latents[row].tensor.isUnknown) {
                let shape = latents[row].tensor.shape
                standIns.plan.add("decode", cached: 0, missing: 1, model.work("decode", shape), units: 1)
                let factor = vae.configuration.factor
                let picture = unknown[shape] ?? Picture(values: .unknown([3, shape[1] * factor, shape[2] * factor]), isStandIn: true)
                unknown[shape] = picture
                pictures[row] = picture
            }
        }
        var failures = NumberFailures()
        let missing = latents.indices.filter { row in
            guard pictures[row] == nil else { return false }
            if !latents[row].tensor.isFinite { failures.add("the latent", at: naming(row)) }
            return latents[row].tensor.isFinite
        }
        if let largest = missing.map({ latents[$0].tensor.shape }).max(by: { $0[1] * $0[2] < $1[1] * $1[2] }) {
            let factor = vae.configuration.factor, shape = [3, largest[1] * factor, largest[2] * factor]
            let all = missing.reduce(0) { MemoryBudget.sum($0, MemoryBudget.product(Array(latents[$1].tensor.shape.dropFirst()) + [3, factor, factor, 4])) }
            try MemoryBudget.check(
                all, for: "\(Reckoning.counted(missing.count, "picture")) of up to \(shape.shapeText)", cure: "fewer rows at a time, or smaller pictures")
            try model.reckonWeights(of: .vae)
            _ = try Reckoning.batch(given: 1, usual: 1, bytes: vae.configuration.leastBytes(height: shape[1], width: shape[2]), "decode", shape)
        }
        store?.cache.count("decode", cached: pictures.count)
        progress.begin("decode", total: missing.count)
        defer { progress.end() }
        let area = Batches.pixelLimit / (vae.configuration.factor * vae.configuration.factor)
        for part in Batches.alike(missing.map { latents[$0].tensor.shape }, area).map({ $0.map { missing[$0] } }) {
            if watch.isStopped { break }
            let began = ContinuousClock.now
            let decode = { try vae.decode(.stacked(part.map { latents[$0].tensor / vae.configuration.scalingFactor })) }
            guard let decoded = try Stop.unlessAbandoned({ try session.abandonable(decode) }) else { break }
            for (index, row) in part.enumerated() {
                guard decoded.shape[1] == 3 else {
                    throw EngineError(.unsupported, "the autoencoder gives \(decoded.shape[1]) channels, and pictures have 3", place: model.model.folder)
                }
                // Before they are brought into their range, in which infinity is white.
                guard decoded[index].isFinite else {
                    failures.add("what the autoencoder makes of the latent", at: naming(row), cure: model.cure(for: .vae))
                    continue
                }
                let values = decoded[index].map { min(max($0 * 0.5 + 0.5, 0), 1) }
                pictures[row] = Picture(values: values, recipe: recipes?[row])
                if let store, let key = keys[row] { try store.keep(key) { $0.write(values) } }
            }
            store?.cache.count("decode", computed: part.count)
            store?.cache.log.note(model.work("decode", latents[part[0]].tensor.shape), units: part.count, ContinuousClock.now - began)
            progress.advance(by: part.count)
        }
        if !watch.isStopped { try failures.throwIfAny() }
        return latents.indices.map { pictures[$0] }
    }

    /// A column of latents as the pictures they stand for: what `show` and `grid` draw.
    static func shown(_ column: Column, of table: Table, _ invocation: Invocation) throws -> Column {
        let model = try invocation.model()
        let latents = try invocation.latents(table, for: model, column: column.name)
        let pictures = try pictures(of: latents, model, invocation, naming: table.itemPhrase)
        return Column(
            column.name,
            try pictures.enumerated().map { row, picture in
                guard let picture else { throw Stop.error(at: "picture \(row) of \(pictures.count)") }
                return .picture(picture)
            })
    }
}

/// How rows are grouped for the engine. Results do not depend on it.
enum Batches {
    /// Pixels that the autoencoder works on together at most; its inner maps take hundreds of values per pixel.
    static let pixelLimit = 512 * 512

    static func ranges(count: Int, size: Int) -> [Range<Int>] {
        let size = max(1, size)
        return stride(from: 0, to: count, by: size).map { $0..<min($0 + size, count) }
    }

    /// Indices of equal shapes together, in order, so many that height x width x count stays within `area`.
    static func alike(_ shapes: [[Int]], _ area: Int) -> [[Int]] {
        var groups: [(shape: [Int], indices: [Int])] = []
        for (index, shape) in shapes.enumerated() {
            let most = max(1, area / max(1, shape.suffix(2).reduce(1, *)))
            if let last = groups.lastIndex(where: { $0.shape == shape }), groups[last].indices.count < most {
                groups[last].indices.append(index)
            } else {
                groups.append((shape, [index]))
            }
        }
        return groups.map(\.indices)
    }
}
