/// Folders of the user and of the machine, by the conventions of the XDG base directories and of
/// huggingface_hub (`constants.py`). Nothing is opened here, and nothing need be there.
package enum Locations {
    /// `/` where nobody says.
    package static var home: String { EnvironmentVariable.home.value ?? "/" }

    package static var temporary: String { EnvironmentVariable.temporaryFolder.value ?? "/tmp" }

    /// What lasts from one prompt to the next.
    package static var state: String? {
        guard EnvironmentVariable.stateFolder.value != nil || EnvironmentVariable.home.value != nil else {
            return nil
        }
        return base(.stateFolder, ".local/state") + "/noisebook"
    }

    /// The user's own models, each in a folder of its name.
    package static var userModels: String { base(.dataFolder, ".local/share") + "/noisebook/models" }

    /// Folders of models that the user names.
    package static var namedModels: [String] {
        (EnvironmentVariable.models.value ?? "").split(separator: ":").map(String.init)
    }

    package static var huggingFace: String {
        EnvironmentVariable.huggingFace.value.map(expanded) ?? base(.cacheFolder, ".cache") + "/huggingface"
    }

    /// Models in the layout `models--OWNER--NAME/{refs,snapshots,blobs}`.
    package static var huggingFaceHub: String {
        (EnvironmentVariable.huggingFaceHub.value ?? EnvironmentVariable.huggingFaceHubBefore.value).map(
            expanded) ?? huggingFace + "/hub"
    }

    /// Where packages install the games whose monsters are a data set.
    package static let games = ["/usr/share/games", "/usr/share/crawl", "/usr/share/angband", "/etc/angband"]

    /// `~` and `~/…` with the home folder.
    package static func expanded(_ path: String) -> String {
        guard path == "~" || path.hasPrefix("~/"), let home = EnvironmentVariable.home.value else {
            return path
        }
        return home + path.dropFirst()
    }

    /// A base directory. One that is not absolute does not count, by the XDG specification.
    private static func base(_ variable: EnvironmentVariable, _ standard: String) -> String {
        if let folder = variable.value, folder.hasPrefix("/") { return folder }
        return (home.hasSuffix("/") ? home : home + "/") + standard
    }
}
