// The door of @odradek/broker: what other packages and users may import by name.
export {}
