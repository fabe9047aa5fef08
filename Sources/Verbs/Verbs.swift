import Interpreting

/// All verbs of the language: the only place where it meets the engine.
package enum Verbs {
    package static let registry = VerbRegistry(
        [LoadVerb.load, DatasetVerb.dataset, RetrieveVerb.retrieve.knowing(.kept)] + FileVerbs.all + diffusion + TableVerbs.all + measuring + ControlVerbs.all
            + BenchVerbs.all + LookingVerbs.all + [HelpVerb.help])

    private static let measuring = [ScoreVerb.score.knowing(.listed(["by", "metrics"])), CompareVerb.compare.knowing(.kept), ClaimVerb.claim]

    /// What these read and keep is said here and not in their files.
    private static let diffusion =
        [EncodeVerb.encode.knowing(.kept), EncodeVerb.decode.knowing(.kept, reads: [latent])] + NoiseVerb.all + [
            DenoiseVerb.denoise.knowing(.kept, reads: [latent]), PredictVerb.predict.knowing(.kept, reads: [latent]),
            PredictVerb.step.knowing(.kept, reads: [latent]),
        ]

    private static let latent = VerbDeclaration.Read("latent", cure: "put `encode COLUMN` or `noise of=N` before it")
}
