/** The offered tool that a written name means, without what families of models add: `functions.NAME:0`. */
export function offeredName(written: string, names: readonly string[]): string | undefined {
	const inner = written.replace(/^functions\./, '').replace(/:\d+$/, '');
	return [written, inner].find((name) => names.includes(name));
}
