// The door of `odradek`, the package that users install.
export {}
