import Interpreting
import ItemWork
import Models
import OpenedModels
import Results
import SourceText
import Tensors

/// `encode` and `decode`: between texts and pictures, and the numbers that the network works on.
enum EncodeVerb {
    static let all = [encode, decode]

    /// What latents are made of pictures.
    enum Posterior: String, CaseIterable, Sendable { case mean, sample }

    static let posterior = Slot(
        "posterior", .choice(Posterior.self), default: .mean,
        "of pictures: the encoder's mean, or a draw from its distribution")
    private static let column = Slot("column", .column, required: .positional, "texts or pictures")
    private static let newName = Slot("as", .name, role: .namesResult, "another name for the new column")

    static let encode = VerbDeclaration(
        "encode", .diffusion,
        "Turns texts into `embedding` by the text encoder, or pictures into `latent` by the autoencoder.",
        input: .table,
        slots: [column, newName, LoadedModel.using, posterior, Seeds.slot],
        adds: ["latent", "embedding"], addsOneOf: true,
        notes: ["Latents are in the network's units: what the autoencoder gave, times its scaling factor."],
        columns: .kept,
        examples: [
            "model = load monsters; dataset monsters split=test | first 4 | encode image | describe",
            "model = load monsters; \"a red dragon\" | encode text | describe",
        ], computes: ["encode"]
    ) { invocation in
        var table = try invocation.table()
        let name = invocation[column]
        let column = try invocation.column(name, of: table, slot: "column")
        let model = try invocation.model(), session = invocation.session
        switch column.kind {
        case .text:
            let texts = try TextEncoding(
                column.values.map(\.summary), model, session, name: "encode", isAuxiliary: false,
                naming: table.itemPhrase)
            let results = try texts.results(in: session)
            table = table.finished(results.finished)
            let embeddings = results.values.enumerated().compactMap { item, value in
                value.map { Value.embedding(texts.embedding(item, $0)) }
            }
            try invocation.add(Column(invocation[newName] ?? "embedding", embeddings), to: &table)
        case .image:
            let latents = try PictureEncoding(invocation, table, column: name, model).results(in: session)
            table = table.finished(latents.finished)
            try invocation.add(
                Column(invocation[newName] ?? "latent", latents.values.compactMap { $0.map { .latent($0) } }),
                to: &table)
        case .none where table.rowCount == 0:
            try invocation.add(Column(invocation[newName] ?? "latent", []), to: &table)
        default:
            throw Complaint(
                .wrongType, "`encode` takes texts or pictures, and `\(name)` is \(column.kind.phrase)",
                label: column.kind.phrase, slot: "column")
        }
        table.record(invocation.step(remark: "model \(model.name)"))
        return .table(table)
    }

    static let decode = VerbDeclaration(
        "decode", .diffusion, "Turns latents into pictures by the autoencoder.", input: .table,
        slots: [newName, LoadedModel.using],
        adds: ["generated"],
        notes: ["A latent that still has noise can be decoded too: it shows where the denoising stands."],
        columns: .kept, reads: [.latent],
        examples: [
            "model = load monsters; \"a red dragon\" | noise of=4 seed=1 | denoise | decode | show",
            """
            model = load monsters; dataset monsters split=test | first 2 | encode image | decode | grid \
            image,generated
            """,
        ], computes: ["decode"]
    ) { invocation in
        var table = try invocation.table()
        let model = try invocation.model()
        let latents = try invocation.latents(table, for: model)
        table.record(invocation.step(remark: "model \(model.name)"))
        let pictures = try PictureDecoding(latents, model, invocation, naming: table.itemPhrase).pictures(
            recipes: table.recipes)
        if let trace = invocation.session.trace {
            for (row, picture) in pictures.enumerated() {
                if let picture { trace.decoded(picture, item: table.items[row], tag: latents[row].tag) }
            }
        }
        table = table.finished(pictures.indices.filter { pictures[$0] != nil })
        let made = pictures.compactMap { $0.map { Value.picture($0) } }
        try invocation.add(Column(invocation[newName] ?? "generated", made), to: &table)
        return .table(table)
    }
}
