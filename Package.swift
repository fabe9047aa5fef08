// swift-tools-version: 6.1
import PackageDescription

// The kernels use 256-bit vectors. The flags reach Swift's own code generation as well as imported C;
// `noisebook` checks the processor at start and says so where it lacks them.
#if arch(x86_64)
let vectorFlags: [SwiftSetting] = [.unsafeFlags(["-Xcc", "-mavx2", "-Xcc", "-mfma", "-Xcc", "-mf16c"])]
let wideVectorFlags: [SwiftSetting] = [
    .unsafeFlags([
        "-Xcc", "-mavx512f", "-Xcc", "-mavx512vl", "-Xcc", "-mavx512dq", "-Xcc", "-mavx512bw", "-Xcc",
        "-mfma",
    ])
]
#else
let vectorFlags: [SwiftSetting] = []
let wideVectorFlags: [SwiftSetting] = []
#endif

func module(
    _ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource] = [],
    swiftSettings: [SwiftSetting] = [],
    libraries: [String] = []
) -> Target {
    .target(
        name: name, dependencies: dependencies, resources: resources, swiftSettings: swiftSettings,
        linkerSettings: libraries.map { .linkedLibrary($0) })
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(
        name: name + "Tests", dependencies: [.byName(name: name), "TestSupport"] + dependencies,
        exclude: exclude)
}

let package = Package(
    name: "noisebook",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "noisebook", targets: ["noisebook"]),
        // For tests alone, which preload it into the program.
        .library(name: "Faults", type: .dynamic, targets: ["CFaults"]),
    ],
    dependencies: [.package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0")],
    targets: [
        // System libraries
        .systemLibrary(name: "CPictures", path: "Sources/CPictures"),
        // Opened when it is first used, see its shim.
        .systemLibrary(name: "COpenBLAS", path: "Sources/COpenBLAS"),
        .systemLibrary(name: "CProcessor", path: "Sources/CProcessor"),
        .systemLibrary(name: "CFileSystem", path: "Sources/CFileSystem"),
        .systemLibrary(name: "CPseudoTerminal", path: "Tests/CPseudoTerminal"),
        .target(name: "CFaults", path: "Tests/CFaults"),
        .systemLibrary(name: "CCrypto", path: "Sources/CCrypto"),
        .systemLibrary(name: "CZlib", path: "Sources/CZlib"),
        .systemLibrary(name: "CReadline", path: "Sources/CReadline"),
        .systemLibrary(name: "CMarkdown", path: "Sources/CMarkdown"),
        .systemLibrary(name: "CChafa", path: "Sources/CChafa", pkgConfig: "chafa"),

        // Text
        module("SourceText"),
        module("Syntax", ["SourceText"]),

        // Engine
        module("WideKernels", ["CProcessor"], swiftSettings: wideVectorFlags),
        module("Locations"),
        module(
            "Kernels", ["Locations", "WideKernels", "CProcessor", "COpenBLAS"], swiftSettings: vectorFlags),
        module("Tensors", ["Kernels"]),
        module("LinearAlgebra", ["Kernels", "Tensors"], swiftSettings: vectorFlags),
        module(
            "Files", ["Locations", "SourceText", "Tensors", "CPictures", "CCrypto", "CZlib", "CFileSystem"],
            libraries: ["png16", "jpeg"]),
        module("Networks", ["Kernels", "Tensors", "Files"]),
        module("Models", ["Kernels", "Tensors", "Files", "Networks"]),

        module(
            "Autodiff", ["Kernels", "LinearAlgebra", "Tensors", "Networks", "Models"],
            swiftSettings: vectorFlags),

        // Experiments
        module("Diffusion", ["Tensors", "Files"]),
        module("Retrieval", ["Tensors", "Kernels", "Files"], swiftSettings: vectorFlags),
        module(
            "Training", ["Kernels", "LinearAlgebra", "Tensors", "Files", "Models", "Diffusion", "Autodiff"]),
        module("Metrics", ["LinearAlgebra", "Tensors", "Files"]),
        module("Datasets", ["Tensors", "Files"], resources: [.embedInCode("Resources/crawl-atlas.tsv")]),

        // Results and language
        module("Results", ["Tensors", "Files", "Models", "Diffusion"]),
        module("Caching", ["Kernels", "Tensors", "Files"]),
        module(
            "Interpreting",
            ["Locations", "SourceText", "Syntax", "Kernels", "Tensors", "Files", "Results", "Caching"]),
        module("ItemWork", ["SourceText", "Tensors", "Results", "Caching", "Interpreting"]),
        module(
            "OpenedModels",
            [
                "ItemWork", "Locations", "SourceText", "Kernels", "Tensors", "Files", "Networks", "Models",
                "Diffusion", "Training", "Retrieval",
                "LinearAlgebra", "Metrics",
                "Results", "Caching", "Interpreting",
            ]),
        module(
            "Verbs",
            [
                "ItemWork", "OpenedModels", "Locations", "SourceText", "Syntax", "Kernels", "Tensors",
                "Files", "Networks", "Models", "Autodiff",
                "Diffusion", "Training", "Retrieval", "LinearAlgebra", "Metrics", "Datasets", "Results",
                "Caching", "Interpreting",
            ]),

        // Documents and front ends
        module("Rendering", ["Locations", "SourceText", "Tensors", "Files", "Results", "CChafa"]),
        module(
            "Notebooks",
            [
                "SourceText", "Syntax", "Tensors", "Files", "Results", "Caching", "Interpreting", "Rendering",
                "CMarkdown",
            ]),
        module(
            "Prompt",
            [
                "Locations", "SourceText", "Syntax", "Kernels", "Tensors", "Files", "Results", "Caching",
                "Interpreting", "Rendering", "Notebooks", "CReadline",
            ]),
        .executableTarget(
            name: "noisebook",
            dependencies: [
                "Locations", "SourceText", "Syntax", "Kernels", "Tensors", "Files", "Results", "Caching",
                "Interpreting", "Verbs", "Rendering", "Notebooks",
                "Prompt",
                "CProcessor",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),

        // Tests
        .target(
            name: "TestSupport",
            dependencies: ["Tensors", "Files", "Models", "Autodiff", "Results", "Rendering"],
            path: "Tests/TestSupport"),
        tests("SourceText", []),
        tests("Syntax", ["SourceText"]),
        tests("WideKernels", ["Tensors", "CProcessor"]),
        tests("Kernels", ["Tensors", "WideKernels"]),
        tests("Tensors", ["Files"]),
        tests("Files", ["Tensors"]),
        tests("Networks", ["Kernels", "Tensors", "Files"]),
        tests("Models", ["Kernels", "Tensors", "Files", "Networks", "Diffusion"]),
        tests("Autodiff", ["Kernels", "Tensors", "Files", "Models"]),
        tests("Diffusion", ["Tensors", "Files"]),
        tests("Training", ["Kernels", "Tensors", "Files", "Models", "Diffusion", "Autodiff"]),
        tests("Retrieval", ["Tensors", "Files"]),
        tests("LinearAlgebra", ["Kernels", "Tensors"]),
        tests("Metrics", ["LinearAlgebra", "Tensors", "Files"]),
        tests("Datasets", ["Tensors", "Files"], exclude: ["monsters.tsv"]),
        tests("Caching", ["Tensors", "Files"]),
        tests("Results", []),
        tests("Rendering", ["SourceText", "Files", "Results", "CMarkdown"]),
        tests("Interpreting", ["SourceText", "Syntax", "Tensors", "Results"]),
        tests(
            "Verbs",
            [
                "OpenedModels", "SourceText", "Syntax", "Tensors", "Files", "Models", "Diffusion",
                "Retrieval", "Results", "Caching", "Interpreting",
            ]),
        tests(
            "Notebooks",
            [
                "SourceText", "Syntax", "Caching", "Tensors", "Models", "Diffusion", "Results",
                "Interpreting", "Verbs", "Rendering", "Files", "CMarkdown",
            ]),
        tests(
            "Prompt",
            ["SourceText", "Files", "Results", "Interpreting", "Verbs", "Rendering", "CPseudoTerminal"]),
    ]
)
