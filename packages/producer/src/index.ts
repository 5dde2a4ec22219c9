// The door of @odradek/producer: what other packages and users may import by name.
export {}
