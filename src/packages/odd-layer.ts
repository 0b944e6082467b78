/** A layer that no engine would take, or that holds more than an image of packages does. */
export class OddLayer extends Error {}
