// The door of @odradek/coordinator: what other packages and users may import by name.
export {}
