/** Keywords of JSON schemas. */
/** Keywords whose values are not schemas, although they may look like one. */
export const NON_SCHEMA_KEYWORDS: Set<string> = new Set([
	'const',
	'default',
	'enum',
	'examples',
	'required',
	'dependentRequired',
]);
