/** Keywords of JSON schemas whose values are not schemas. */

/** They may look like one. */
export const NON_SCHEMA_KEYWORDS: ReadonlySet<string> = new Set([
	'const',
	'default',
	'enum',
	'examples',
	'required',
	'dependentRequired',
]);
