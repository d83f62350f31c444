const SAID: ReadonlyMap<unknown, boolean> = new Map<unknown, boolean>([
	...[true, 1, 'true', '1', 'yes', 'on'].map((value): [unknown, boolean] => [value, true]),
	...[false, 0, 'false', '0', 'no', 'off'].map((value): [unknown, boolean] => [value, false]),
]);

/** On or off, as expressions, forms and tables say it; undefined for what says neither. */
export function switchOf(value: unknown): boolean | undefined {
	return SAID.get(typeof value === 'string' ? value.trim().toLowerCase() : value);
}
