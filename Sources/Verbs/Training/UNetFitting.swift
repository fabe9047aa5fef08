import Autodiff
import Caching
import Diffusion
import Files
import Interpreting
import ItemWork
import Models
import OpenedModels
import Results
import SourceText
import Tensors
import Training

/// `fit unet`: the report's recipe on a whole model.
struct UNetFitting {
    private let invocation: Invocation
    private let model: LoadedModel
    private let rows: TrainingRows
    private let table: Table

    init(_ invocation: Invocation, _ model: LoadedModel, _ table: Table) throws {
        self.invocation = invocation
        self.model = model
        self.table = table
        rows = try TrainingRows(table, invocation, texts: true)
        let factor = model.model.vae.configuration.factor
        let shape = rows.pictures[0].shape
        guard shape[1] % factor == 0, shape[2] % factor == 0 else {
            throw EngineError(
                .shape,
                """
                pictures of \(shape[2]) x \(shape[1]) pixels cannot be encoded: both must be multiples of \
                \(factor)
                """)
        }
    }

    func run() throws -> LoadedModel {
        let fitting = Fitting(invocation: invocation, kind: .unet)
        let inner = model.model
        let modelStore = try ModelStore(invocation.session)
        var builder = ItemKeyBuilder(verb: "fit unet", version: 1)
        // A model in the store is named by its key; one that was loaded by its files.
        let files = invocation.session.cache?.files ?? FileDigests(path: "")
        for part in [PartDigests.Part.unet, .vae, .textEncoder, .tokenizer] {
            builder.add(part.rawValue, try model.digests.digest(of: part, files))
        }
        builder.add("scheduler", inner.schedulerConfiguration.text)
        fitting.add(to: &builder)
        rows.add(to: &builder)
        let key = try builder.key()
        if try fitting.isPlanned(
            key, modelStore, parameters: inner.unet.parameterCount, rows: rows.pictures.count)
        {
            return model
        }
        let count = inner.unet.parameterCount, unetFolder = FileSystem.join(inner.folder, "unet")
        func train() throws -> (outcome: Trainer.Outcome, rows: Int) {
            // Of a scheduler that is not here it is what DDPM reads of its file, as the reference's training
            // scripts do.
            let schedule = try SchedulerConfiguration(
                model.scheduler, as: (try? model.scheduler.ownKind()) ?? .ddpm)
            let (learnt, heldOut) = try fitting.split(rows.texts)
            let settings = try fitting.settings(rows: learnt.count, parameters: count)
            let parameters = try model.digests.again {
                let source = try WeightFiles.open(folder: unetFolder)
                return Parameters(
                    try UNet.parameters(inner.unet.configuration).map {
                        ($0.name, try source.tensor($0.name).reshaped($0.shape))
                    })
            }
            let (latents, texts, empty) = try prepared()
            func data(_ indices: [Int]) -> DenoisingObjective.Data {
                .init(latents: indices.map { latents[$0] }, texts: indices.map { texts[$0] })
            }
            let objective = DenoisingObjective(
                UNetGraph(inner.unet.configuration), parameters, schedule: schedule.schedule,
                data: data(learnt), heldOut: data(heldOut), empty: empty,
                settings: .init(
                    prediction: schedule.prediction, largestRatio: invocation[FitSlots.UNet.smallestRatio],
                    dropout: Float(invocation[FitSlots.dropout]),
                    textNoise: Float(invocation[FitSlots.UNet.textNoise])), recomputing: count > 200_000_000)
            let order = BatchOrder(
                rowCount: learnt.count, batch: settings.batch, emptyShare: invocation[FitSlots.UNet.dropText],
                seed: settings.seed)
            let outcome = try fitting.run(objective, settings, order: order, key: key, modelStore: modelStore)
            fitting.tell(outcome)
            return (outcome, learnt.count)
        }
        let trained = try modelStore.folder(key, made: train) { made, path in
            let configuration = try model.digests.again {
                try JSON.read(path: FileSystem.join(unetFolder, "config.json"))
            }
            try model.digests.confirm()
            try ModelPart.write(.unet, configuration, made.outcome.weights, to: path)
            try TrainingRecord.write(
                made.outcome.curve, fitting.facts(made.outcome, parameters: count, rows: made.rows), to: path)
        }
        let folder = try assembled(trained, key, modelStore, files)
        return try LoadedModel(name: model.name, folder: folder, isExact: inner.isExact)
    }

    /// The model with its new UNet. Parts that took no share in the training, such as the scorer, can change
    /// without a training anew.
    private func assembled(_ trained: String, _ key: ItemKey, _ modelStore: ModelStore, _ files: FileDigests)
        throws -> String
    {
        let source = model.model.folder
        var builder = ItemKeyBuilder(verb: "fitted model", version: 1)
        builder.add("unet", key.digest)
        let names = try FileSystem.list(source).filter { $0 != "unet" && $0 != FolderSeal.file }.sorted()
        // What is copied is what the key says: a file that changes in between is an error.
        var stamps: [String: FileStamp] = [:]
        for name in names {
            let path = FileSystem.join(source, name)
            for file in FileSystem.isFolder(path)
                ? try FileSystem.list(path).sorted().map({ FileSystem.join(path, $0) }) : [path]
            where FileSystem.isFile(file) {
                stamps[file] = model.digests.stamp(of: file) ?? FileStamp(path: file)
                builder.add(
                    name, "\(FileSystem.name(of: file)) \(try model.digests.digest(ofAny: file, files))")
            }
        }
        return try modelStore.folder(builder.key()) { path in
            for (from, stamp) in stamps.sorted(by: { $0.key < $1.key }) {
                let to = FileSystem.join(path, String(from.dropFirst(source.count).drop { $0 == "/" }))
                try FileSystem.createFolder(FileSystem.folder(of: to))
                try FileSystem.copy(from, to: to, expecting: stamp)
            }
            if case .made(_, true) = modelStore.source(trained) { try ModelStore.check(trained) }
            try AtomicFolder.copyFiles(of: trained, to: FileSystem.join(path, "unet"))
            _ = try DiffusionModel(folder: path)
        }
    }

    /// By row and way: latents of the picture and of its mirror image (a mirrored latent is not the latent of
    /// the mirrored picture), and the caption's states; and those of the empty text. Each encoded once.
    private func prepared() throws -> (
        latents: [[(mean: Tensor, deviation: Tensor)]], texts: [[Tensor]], empty: Tensor
    ) {
        let session = invocation.session
        let flips = invocation[FitSlots.flip]
        var latents: [[(mean: Tensor, deviation: Tensor)]] = []
        if let column = table.column("latent") {
            // Latents that the table brings are taken as they are.
            latents = try column.values.map { value in
                guard case .latent(let latent) = value else {
                    throw Complaint(
                        .wrongType, "`latent` holds \(value.kind.phrase)", label: "latents are needed")
                }
                let tensor = latent.tensor.reshaped([1] + latent.tensor.shape).channelsLast[0]
                return [(tensor, Tensor(zeros: tensor.shape))]
            }
        } else {
            latents = try TrainingLatents(rows.pictures, model, flips: flips, naming: table.itemPhrase)
                .results(in: session).whole("picture")
        }
        func tellings(_ text: String) -> [String] {
            guard invocation[FitSlots.UNet.variants], let comma = text.firstIndex(of: ",") else {
                return [text]
            }
            let name = String(text[..<comma]),
                rest = String(text[text.index(after: comma)...].drop { $0 == " " })
            return [text, text, name] + (rest.isEmpty ? [] : [rest])
        }
        let told = rows.texts.map(tellings)
        let all = Array(Set(told.joined())).sorted()
        let embeddings = try model.embeddings(of: [""] + all, in: session)
        let states = Dictionary(zip(all, embeddings.dropFirst().map(\.states))) { first, _ in first }
        return (latents, told.map { $0.compactMap { states[$0] } }, embeddings[0].states)
    }
}
