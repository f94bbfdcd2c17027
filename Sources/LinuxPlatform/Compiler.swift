/// The compiler that the program was built with, as far as it tells.
public enum Compiler {
  public static var name: String {
    #if compiler(>=6.4)
    "Swift 6.4 or later"
    #elseif compiler(>=6.3)
    "Swift 6.3"
    #else
    "Swift 6.2"
    #endif
  }
}
