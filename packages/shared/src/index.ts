// The door of @odradek/shared: what other packages and users may import by name.
export {}
