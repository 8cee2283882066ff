/** The type of what `from` and `assign` take: an object form of which anything may be left out. */

/**
 * An object form of which any member may be left out, at every depth. `from` takes what is left out as 0, `assign`
 * leaves it as it is.
 *
 * @public
 */
export type WhvInit<T> = T extends number | bigint | boolean | string | Uint8Array
  ? T
  : T extends readonly (infer Entry)[]
    ? readonly WhvInit<Entry>[]
    : { readonly [Key in keyof T]?: WhvInit<T[Key]> };
