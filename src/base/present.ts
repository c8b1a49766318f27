/** `Members` with every member that may be undefined made optional instead. */
type Present<Members> = {
  [Key in keyof Members as undefined extends Members[Key] ? never : Key]: Members[Key];
} & {
  [Key in keyof Members as undefined extends Members[Key] ? Key : never]?: Exclude<Members[Key], undefined>;
};

/**
 * The same object without the members that are undefined: a member that is absent and one that is `undefined` are
 * different things under `exactOptionalPropertyTypes`, and in JSON.
 */
export function present<Members extends object>(members: Members): Present<Members> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Present<Members>;
}
