// The door of @odradek/consumer: what other packages and users may import by name.
export {}
