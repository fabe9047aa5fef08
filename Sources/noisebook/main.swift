import ArgumentParser
struct Main: ParsableCommand { @Option var x: Int = 3
 func run() throws { print(x) } }
Main.main()
