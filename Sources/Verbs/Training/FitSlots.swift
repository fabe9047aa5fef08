import Interpreting
import OpenedModels
import Training

/// The options of `fit`: those that all trainings share, and those of one part or two.
enum FitSlots {
    static let part = Slot("part", .choice(ModelPart.Kind.self), required: .positional, "what to train")
    static let on = Slot("on", .table, required: .named, "the rows to learn from, with `text` and `image`")

    /// In the order in which help lists them.
    static let all: [any DeclaresSlot] = [
        part, on, epochs, steps, minutes, batch, rate, schedule, warmup, decay, norm, average, keep, held,
        UNet.dropText, UNet.variants, dropout,
        UNet.smallestRatio, UNet.textNoise, flip, shift, recolour, VAE.tune, VAE.absolute, VAE.squared,
        VAE.edges, VAE.divergence, CLIP.start,
        CLIP.appearance, CLIP.pairs, CLIP.wordDropout, chunk, seed,
    ]

    // MARK: Whatever is trained

    static let epochs = trained(
        Slot(
            "epochs", .number, in: 0.001...1_000_000,
            "how often every row is seen; without `steps` or `minutes`, 30"))
    static let steps = trained(
        Slot(
            "steps", .whole, in: 0...1_000_000_000,
            "optimiser steps, in place of epochs; none leaves clip at its linear start"))
    static let minutes = trained(
        Slot(
            "minutes", .number, in: 0.001...100_000,
            "in place of epochs: made into steps once the first have been timed"))
    static let batch = trained(
        Slot(
            "batch", .whole, by: part, default: { $0 == .vae ? 16 : 128 }, in: 1...65_536,
            "rows per step; unet and clip 128, vae 16"))
    static let rate = trained(
        Slot(
            "rate", .number, by: part, default: { $0 == .unet ? 5e-4 : 1e-3 }, in: 0...1_000_000,
            "the highest learning rate; unet 0.0005, vae and clip 0.001"))
    static let schedule = trained(
        Slot("schedule", .choice(RateSchedule.Shape.self), default: .linear, "how the rate runs to the end"))
    static let warmup = trained(
        Slot("warmup", .whole, default: 100, in: 0...1_000_000, "steps in which the rate climbs from zero"))
    static let decay = trained(
        Slot(
            "decay", .number, by: part, default: { $0 == .clip ? 0.1 : 0.01 }, in: 0...10,
            "weight decay of AdamW; clip 0.1, else 0.01"))
    static let norm = trained(
        Slot(
            "norm", .number, default: 1, in: 0...1_000_000,
            "gradients of a greater norm are scaled down to it; 0 leaves them"))
    static let average = trained(
        Slot(
            "average", .list,
            """
            moving averages of the weights: decays such as 0.999, or `no`; from 0.05 and 0.1 of the \
            run's length the better is kept
            """))
    static let keep = trained(
        Slot(
            "keep", .choice(TrainingSettings.Keep.self), default: .training,
            "the weights of the lowest training loss, of the lowest loss over rows held out, or the last"))
    static let held = trained(
        Slot(
            "held", .number, default: 0.1, in: 0...0.9, "share of the captions held out for `keep=validation`"
        ))
    static let flip = trained(Slot("flip", .boolean, default: true, "half of the pictures mirrored"))
    static let chunk = trained(
        Slot(
            "chunk", .whole, in: 1...4096,
            "rows that go through the network at once; gradients add up over the batch"))
    static let seed = trained(
        Slot("seed", .whole, default: 0, in: 0...4_294_967_295, "of the order and of all draws"))

    /// A vocabulary is counted, not trained.
    private static func trained<Content>(_ slot: Slot<Content>) -> Slot<Content> {
        slot.only(with: part, .clip, .vae, .unet)
    }

    // MARK: Two parts

    static let dropout = Slot(
        "dropout", .number, default: 0, in: 0...0.9, "unet and clip: share of activations set to zero"
    ).only(with: part, .unet, .clip)
    static let shift = Slot(
        "shift", .whole, by: part, default: { $0 == .clip ? 2 : 0 }, in: 0...64,
        "vae and clip: pixels that pictures are moved at most; clip 2, vae 0"
    ).only(with: part, .vae, .clip)
    static let recolour = Slot(
        "recolour", .number, by: part, default: { $0 == .clip ? 0.5 : 0 }, in: 0...1,
        "vae and clip: share of pictures in other colours; clip 0.5, vae 0"
    ).only(with: part, .vae, .clip)

    // MARK: One part

    enum UNet {
        static let dropText = FitSlots.dropText.only(with: part, .unet)
        static let variants = Slot(
            "variants", .boolean, default: false,
            "unet: captions also as their name or their definition alone"
        ).only(with: part, .unet)
        static let smallestRatio = Slot(
            "min_snr", .number, in: 0.01...1000,
            "unet: cuts the weight of timesteps with little noise at this signal-to-noise ratio"
        ).only(with: part, .unet)
        static let textNoise = Slot(
            "text_noise", .number, default: 0, in: 0...10, "unet: noise on the encoder states"
        ).only(with: part, .unet)
    }

    /// `batches` has it too.
    static let dropText = Slot(
        "drop_text", .number, default: 0.1, in: 0...1,
        "unet: share of the captions replaced by the empty text")

    enum VAE {
        enum Tuned: String, CaseIterable, Sendable { case all, decoder }

        static let tune = Slot(
            "tune", .choice(Tuned.self), default: .all,
            "vae: what learns; with the decoder alone, latents made before keep their meaning"
        ).only(with: part, .vae)
        static let absolute = weight("absolute", 1, "the mean absolute difference")
        static let squared = weight("squared", 0.5, "the mean squared difference")
        static let edges = weight("edges", 0.5, "the difference of neighbouring pixels' differences")
        static let divergence = weight(
            "divergence", 0.000001, "the latents' divergence from a normal distribution")

        private static func weight(_ name: String, _ standard: Double, _ what: String) -> Slot<Double> {
            Slot(name, .number, default: standard, in: 0...1000, "vae: weight of \(what)").only(
                with: part, .vae)
        }
    }

    enum CLIP {
        enum Start: String, CaseIterable, Sendable {
            case asIs = "as_is"
            case linear
        }

        static let start = Slot(
            "start", .choice(Start.self), default: .asIs,
            """
            clip: what the training begins with: the weights as they are, or a ridge regression from \
            words to pictures (one patch per picture)
            """
        ).only(with: part, .clip)
        static let appearance = Slot(
            "appearance", .number, default: 1, in: 0...1000,
            "clip: weight of agreeing with thumbnails, colours and silhouettes"
        ).only(with: part, .clip)
        static let pairs = Slot(
            "pairs", .number, default: 0.5, in: 0...1000,
            "clip: weight of texts and pictures finding each other"
        ).only(with: part, .clip)
        static let wordDropout = Slot(
            "word_dropout", .number, default: 0.5, in: 0...0.95, "clip: share of words left out"
        ).only(with: part, .clip)
    }
}
