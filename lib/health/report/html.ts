import { UNSEEN } from '../../plain-text';

/** Text that is HTML. Only `markup` and `raw` make it, so nothing gets into a page that was not escaped. */
export class Html {
	constructor(readonly text: string) {}

	toString(): string {
		return this.text;
	}
}

type Value = Html | string | number | null | undefined | false | readonly Value[];

const ENTITIES: Record<string, string> = {
	'&': '&amp;',
	'<': '&lt;',
	'>': '&gt;',
	'"': '&quot;',
	"'": '&#39;',
};
const LONE_SURROGATES = /\p{Cs}/gu;

export function escaped(text: string): string {
	return text
		.replace(UNSEEN, '')
		.replace(LONE_SURROGATES, '\ufffd')
		.replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}

/** A template whose values are escaped, but for those that are HTML already. Lists are joined. */
export function markup(parts: TemplateStringsArray, ...values: readonly Value[]): Html {
	return new Html(parts.reduce((whole, part, at) => whole + written(values[at - 1]) + part));
}

/** Text in which options of a command line (`--ctx-size`) are not broken at their hyphens. */
export function withOptions(text: string): Html {
	return new Html(escaped(text).replace(/(?<=^|[\s(])--?[a-z][\w-]{0,40}/gi, '<code>$&</code>'));
}

/** Our own text that is HTML already: not escaped. */
export function raw(text: string): Html {
	return new Html(text);
}

function written(value: Value): string {
	if (value === null || value === undefined || value === false) return '';
	if (value instanceof Html) return value.text;
	if (Array.isArray(value)) return (value as readonly Value[]).map(written).join('');
	return escaped(String(value));
}
