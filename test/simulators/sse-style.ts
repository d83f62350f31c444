/**
 * Rewrites event streams: variants that the format allows (WHATWG HTML, "Server-sent events") and some servers or proxies
 * use, and deliberate errors.
 */

export interface SseStyle {
	lineEnd?: '\n' | '\r\n' | '\r';
	/** A byte order mark before the first byte. */
	bom?: boolean;
	/** `data:{…}` instead of `data: {…}`. */
	noSpace?: boolean;
	/** Lines before the data of every event: `event: message`, `id: 7`, `retry: 3000`. */
	fields?: readonly string[];
	/** Comment blocks before every event: `:`, `: keep-alive`. */
	comments?: readonly string[];
	/** Additional empty lines after every event. */
	blankLines?: number;
	/** Splits objects over several `data:` lines, which a reader joins with `\n`. */
	multiline?: boolean;
	/** Whether to omit an event, e.g. `[DONE]`. `index` counts from 0. */
	drop?: (data: string, index: number) => boolean;
	/** Raw bytes before and after the stream, unchanged by the other settings. */
	prepend?: string;
	append?: string;
}

export const hasSseStyle = (style: SseStyle | undefined): style is SseStyle =>
	style !== undefined && Object.values(style).some((value) => value !== undefined);

// As latin1, so that invalid UTF-8 passes unchanged.
const BOM = Buffer.from('\uFEFF', 'utf8').toString('latin1');
const latin1 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

const spread = (data: string): string[] => {
	if (!data.startsWith('{')) return [data];
	return JSON.stringify(JSON.parse(data), null, 1).split('\n');
};

const restyleBlock = (block: string, style: SseStyle, index: number): string => {
	const lineEnd = style.lineEnd ?? '\n';
	const lines = block.split('\n');
	const data = lines
		.filter((line) => line.startsWith('data: '))
		.map((line) => line.slice('data: '.length));
	const end = lineEnd.repeat(1 + (style.blankLines ?? 0));
	if (data.length === 0) return `${lines.join(lineEnd)}${lineEnd}${end}`;
	const text = data.join('\n');
	if (style.drop?.(Buffer.from(text, 'latin1').toString('utf8'), index)) return '';
	const prefix = style.noSpace ? 'data:' : 'data: ';
	const out = [
		...(style.fields ?? []).map(latin1),
		...lines.filter((line) => !line.startsWith('data: ')),
		...(style.multiline ? spread(text) : [text]).map((line) => `${prefix}${line}`),
	];
	const comments = (style.comments ?? [])
		.map((comment) => `${latin1(comment)}${lineEnd}${lineEnd}`)
		.join('');
	return `${comments}${out.join(lineEnd)}${lineEnd}${end}`;
};

/** Rewrites a stream event by event; each write stays one write. */
export async function* restyle(
	writes: AsyncIterable<Buffer>,
	style: SseStyle,
): AsyncGenerator<Buffer> {
	let pending = '';
	let index = 0;
	let lead = `${style.bom ? BOM : ''}${latin1(style.prepend ?? '')}`;
	for await (const write of writes) {
		const blocks = (pending + write.toString('latin1')).split('\n\n');
		pending = blocks.pop() ?? '';
		let out = lead;
		lead = '';
		for (const block of blocks) {
			out += restyleBlock(block, style, index);
			if (block.includes('data: ')) index += 1;
		}
		yield Buffer.from(out, 'latin1');
	}
	const rest = `${lead}${pending}${latin1(style.append ?? '')}`;
	if (rest !== '') yield Buffer.from(rest, 'latin1');
}
