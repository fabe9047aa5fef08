import Files
import Interpreting
import Kernels
import Locations
import Models
import OpenedModels
import Results
import SourceText
import Tensors

/// `load` and where it looks for models.
enum LoadVerb {
    private static let name = Slot(
        "name", .path, required: .positional,
        "a name, a Hugging Face name, or a folder; or `clip` or `inception`, and a path"
    ).suggesting { _ in known() + ["clip", "inception"] }
    private static let precision = Slot(
        "precision", .choice(StoredPrecision.self), default: .float32,
        """
        how weights are kept in memory: in half precision they take half of it, and results move in \
        their third or fourth digit
        """)
    private static let exact = Slot(
        "exact", .boolean, default: false,
        """
        whether the files are taken exactly as they stand, without the corrections that diffusers' \
        pipelines make
        """)
    private static let path = Slot(
        "path", .path, .positional,
        "after `clip` the folder of a whole CLIP, after `inception` its file of weights")

    static let load = VerbDeclaration(
        "load", .sources,
        "Opens a model folder in the diffusers layout, a whole CLIP, or the weights of Inception.",
        input: .none,
        slots: [name, precision, exact, path],
        notes: [
            """
            A name without a slash is looked up among what ships with the program, the user's models \
            folder and the Hugging Face cache; a/b is a folder if it exists, else a Hugging Face name. \
            Nothing is downloaded.
            """,
            """
            The model has the fields name, folder, parameters, bytes, flops, the operations of one noise \
            prediction for one picture, and curve, the UNet's training where it was trained here; and \
            its parts unet, vae, clip, scorer and tokenizer, to be trained on or put into another model. \
            Verbs use the variable `model`.
            """,
            """
            What StableDiffusionPipeline corrects in a folder that it opens is corrected here too, and \
            told in the line that `load` prints and in recipes: `steps_offset` of the scheduler becomes \
            1, `clip_sample` false, and a `sample_size` below 64 in a UNet's configuration from before \
            diffusers 0.9 becomes 64. `exact=yes` takes the files as they stand. `save model` writes the \
            configuration that was read, with these corrections.
            """,
            """
            A folder whose own scheduler is none of those that are here opens too: `noise` then needs \
            `scheduler=`.
            """,
            """
            Weights lie in one safetensors file or in shards with an index, in float32 or in the \
            variants fp16 and bf16. Where both a single file and an index are there, the index wins for \
            the UNet and the VAE and the single file for text encoders and CLIP, as in the reference \
            libraries. Tensors that a configuration has no use for are a warning; missing and misshapen \
            ones are an error.
            """,
            """
            `load clip PATH` opens a CLIPModel of transformers with both its towers, `load inception \
            PATH` the network that FID is defined by; they are what `using=` of `retrieve` and `score` \
            takes. Inception's weights are the file that pytorch-fid fetches, \
            `pt_inception-2015-12-05-6726825d.pth`, as it is or as safetensors.
            """,
        ],
        columns: .other(.model), examples: ["model = load monsters", "load runwayml/stable-diffusion-v1-5"],
        opens: { words, session in
            guard let name = words.last else { return [] }
            let isFile = words.count > 1 && words[0] == "inception"
            return [
                isFile
                    ? session.access.absolute(name)
                    : try find(name, session, slot: words.count > 1 ? "path" : "name")
            ]
        },
        checks: { use in _ = try opened(use) },
        // What the check has opened is kept, so this opens nothing.
        known: { use in (try? opened(use)).flatMap { $0 }.map { .model($0) } }
    ) { invocation in
        let handle = try opened(
            invocation[name], path: invocation[path], invocation[precision], isExact: invocation[exact],
            invocation.session, isNoted: true)
        let unused = (handle as? LoadedModel)?.unused ?? (handle as? FeatureNetwork)?.unused ?? []
        for weights in unused { invocation.session.warn(weights.text + " (`help W008`)") }
        (handle as? LoadedModel)?.model.tokenizer.remarks.forEach(invocation.session.warn)
        if case .clip(let clip)? = (handle as? FeatureNetwork)?.network {
            clip.tokenizer.remarks.forEach(invocation.session.warn)
        }
        return .model(handle)
    }

    /// What a use surely opens, before anything runs: what is read then is noted when it runs.
    private static func opened(_ use: VerbUse) throws -> (any ModelHandle)? {
        guard let name = use[name], let precision = use[precision], let isExact = use[exact],
            !use.mayWriteBefore
        else { return nil }
        let place = use[path]
        guard place != nil || !use.gives(path) else { return nil }
        return try FileReading.$witness.withValue(nil) {
            try opened(name, path: place, precision, isExact: isExact, use.session, isNoted: false)
        }
    }

    /// Opened once in a session, and again where its files are others by now.
    /// - Parameter isNoted: whether what runs depends on it.
    private static func opened(
        _ name: String, path: String?, _ precision: StoredPrecision, isExact: Bool, _ session: Session,
        isNoted: Bool
    ) throws -> any ModelHandle {
        func known(_ digests: PartDigests) -> Bool {
            guard digests.isCurrent else { return false }
            if isNoted { session.readings.note(digests.readings) }
            return true
        }
        guard let path else {
            let folder = try find(name, session)
            let key = "model:\(precision.rawValue):\(isExact ? "exact:" : "")" + folder
            if isNoted { session.readings.noteSource("load \(name)", at: folder) }
            if let opened = session.store[key] as? LoadedModel, opened.name == name, known(opened.digests) {
                return opened
            }
            let model = try LoadedModel(name: name, folder: folder, precision: precision) {
                try DiffusionModel(folder: folder, precision: precision, isExact: isExact)
            }
            session.store[key] = model
            return model
        }
        guard precision == .float32 else { throw halfNetwork }
        guard !isExact else { throw exactNetwork }
        let place: String
        switch name {
        case "clip": place = try find(path, session, slot: "path")
        case "inception":
            place = try session.access.reading(path, slot: "path")
            guard FileSystem.exists(place) else {
                throw Complaint(
                    .engineFile, "\(path): there is no such file", label: "not found", slot: "path")
            }
        default:
            throw Complaint(
                .tooManyArguments, "`load` takes one name, or `clip` or `inception` and a path",
                label: "`\(name)` and one more", slot: "path")
        }
        if isNoted { session.readings.noteSource("load \(name) \(path)", at: place) }
        let inner = name == "clip" ? contrastive(place) : place
        let key = "network:\(name):\(inner)"
        if let opened = session.store[key] as? FeatureNetwork, opened.name == path, known(opened.digests) {
            return opened
        }
        let network =
            try name == "clip"
            ? FeatureNetwork(name: path, clip: inner) : FeatureNetwork(name: path, inception: inner)
        session.store[key] = network
        return network
    }

    private static var halfNetwork: Complaint {
        Complaint(
            .unsupportedFeature, "networks that score keep float32", label: "leave it out", slot: "precision")
    }

    private static var exactNetwork: Complaint {
        Complaint(
            .unsupportedFeature, "a network that scores has nothing to correct", label: "leave it out",
            slot: "exact")
    }

    /// A model's folder has its whole CLIP in a folder of that name.
    private static func contrastive(_ folder: String) -> String {
        let inner = FileSystem.join(folder, "clip")
        return !FileSystem.exists(FileSystem.join(folder, "config.json"))
            && FileSystem.exists(FileSystem.join(inner, "config.json")) ? inner : folder
    }

    /// Models that are there by name.
    static func known() -> [String] {
        (shipped() + [Locations.userModels]).filter(FileSystem.isFolder).flatMap {
            (try? FileSystem.list($0)) ?? []
        }
    }

    private static func find(_ name: String, _ session: Session, slot: String = "name") throws -> String {
        if slot == "name", name == "clip" || name == "inception" {
            throw Complaint(
                .missingArgument, "`load \(name)` needs a path", label: "what to open is missing",
                slot: "name",
                help: name == "clip"
                    ? "`load clip FOLDER` opens a whole CLIP"
                    : "`load inception FILE` opens its weights; `help load` says how to get them")
        }
        let looksLikePath = name.hasPrefix("/") || name.hasPrefix(".") || name.hasPrefix("~")
        let local = session.access.absolute(name)
        if looksLikePath || (name.contains("/") && FileSystem.isFolder(local)) {
            return try session.access.reading(name, slot: slot)
        }
        let slashes = name.count { $0 == "/" }
        var tried: [String] = []
        if slashes == 0 {
            for folder in shipped() + [Locations.userModels] {
                let path = FileSystem.join(folder, name)
                if FileSystem.isFolder(path) { return path }
                tried.append(folder)
            }
        }
        if slashes <= 1 {
            let cache = Locations.huggingFaceHub
            if let path = snapshot(of: name, in: cache) { return path }
            tried.append(cache)
        }
        if slashes == 0,
            FileSystem.exists(FileSystem.join(local, slot == "name" ? "model_index.json" : "config.json"))
        {
            return try session.access.reading(name, slot: slot)
        }
        if let other = ForeignWord.model(name) {
            throw Complaint(
                .unsupportedFeature, "\(other) is not supported", label: "not a model that this engine runs",
                slot: slot)
        }
        throw Complaint(
            .engineFile, "there is no model `\(name)`",
            label: Suggestion.question(for: name, in: known()) ?? "not found", slot: slot,
            help: "a folder is given by its path: `load ./\(name)`",
            notes: ["looked in " + (tried.isEmpty ? local : tried.joined(separator: ", "))])
    }

    /// Folders of models that come with the program: `NOISEBOOK_MODELS`, then `examples/models` and
    /// `share/noisebook/models` above the executable.
    static func shipped() -> [String] {
        Locations.namedModels + besideExecutable
    }

    /// Looked for once, with the user's rights: where the program itself lies is no notebook's business.
    private static let besideExecutable: [String] = FileGate.user.during {
        guard let executable = CommandLine.arguments.first else { return [] }
        #if os(Linux)
        let path = FileSystem.realPath("/proc/self/exe")
        #else
        let path = FileSystem.realPath(executable)
        #endif
        var folders: [String] = [], folder = path ?? executable
        for _ in 0..<8 {
            let above = FileSystem.folder(of: folder)
            if above == folder { break }
            folder = above
            folders += ["examples/models", "share/noisebook/models"].map { FileSystem.join(folder, $0) }
                .filter(FileSystem.isFolder)
        }
        return folders
    }

    /// The revision that `main` names, in the cache's layout `models--OWNER--NAME/{refs,snapshots}`.
    private static func snapshot(of name: String, in cache: String) -> String? {
        let repository = FileSystem.join(
            cache, "models--" + name.split(separator: "/").joined(separator: "--"))
        guard FileSystem.isFolder(repository) else { return nil }
        let snapshots = FileSystem.join(repository, "snapshots")
        if let revision = try? FileSystem.readText(FileSystem.join(repository, "refs/main"), limit: 200) {
            let path = FileSystem.join(snapshots, String(revision.prefix { !$0.isWhitespace }))
            if FileSystem.isFolder(path) { return path }
        }
        return ((try? FileSystem.list(snapshots)) ?? []).map { FileSystem.join(snapshots, $0) }.last(
            where: FileSystem.isFolder)
    }
}
