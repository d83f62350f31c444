import { UNSAFE_CHARACTERS } from '../values';

/** Text that is HTML. Only `markup` and `raw` make it, so nothing gets into a page that was not escaped. */
export class Html {
	constructor(readonly text: string) {}
}

type Value = Html | string | number | null | undefined | readonly Value[];

const ENTITIES: Record<string, string> = {
	'&': '&amp;',
	'<': '&lt;',
	'>': '&gt;',
	'"': '&quot;',
	"'": '&#39;',
};

/** A template whose values are escaped, but for those that are HTML already. Lists are joined. */
export function markup(parts: TemplateStringsArray, ...values: readonly Value[]): Html {
	return new Html(parts.reduce((whole, part, at) => whole + written(values[at - 1]) + part));
}

/** Our own text that is HTML already: not escaped. */
export function raw(text: string): Html {
	return new Html(text);
}

function written(value: Value): string {
	if (value instanceof Html) return value.text;
	if (Array.isArray(value)) return (value as readonly Value[]).map(written).join('');
	return String(value ?? '')
		.toWellFormed()
		.replace(UNSAFE_CHARACTERS, '')
		.replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}
