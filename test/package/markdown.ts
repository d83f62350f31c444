/** A heading of a Markdown document, with the text up to the next heading, without code blocks. */
export interface Heading {
	level: number;
	title: string;
	text: string;
}

const FENCE = /^\s*```/;

/** The lines of a document, and whether each is inside a code block. */
function linesOf(markdown: string) {
	let inCode = false;
	return markdown.split('\n').map((line) => {
		const isFence = FENCE.test(line);
		if (isFence) inCode = !inCode;
		return { line, isFence, isCode: inCode && !isFence };
	});
}

export function headingsOf(markdown: string): Heading[] {
	const headings: Array<{ level: number; title: string; lines: string[] }> = [];
	for (const { line, isFence, isCode } of linesOf(markdown)) {
		if (isFence || isCode) continue;
		const match = /^(#+) (.+)$/.exec(line);
		if (match === null) headings.at(-1)?.lines.push(line);
		else headings.push({ level: match[1]!.length, title: match[2]!, lines: [] });
	}
	return headings.map(({ level, title, lines }) => ({ level, title, text: lines.join('\n') }));
}

/** Contents of the code blocks. */
export function codeOf(markdown: string): string[] {
	const blocks: string[][] = [];
	let isNew = true;
	for (const { line, isFence, isCode } of linesOf(markdown)) {
		if (isCode && isNew) blocks.push([]);
		if (isCode) blocks.at(-1)!.push(line.trim());
		if (isFence || isCode) isNew = isFence;
	}
	return blocks.map((lines) => lines.join('\n'));
}

/** Targets of a document's links and images, outside of code. */
export function linksOf(markdown: string): string[] {
	const text = linesOf(markdown)
		.filter(({ isFence, isCode }) => !isFence && !isCode)
		.map(({ line }) => line.replace(/`[^`]*`/g, (code) => code.replace(/[()[\]]/g, '')))
		.join('\n');
	return [...text.matchAll(/\]\(([^)\s]+)\)|\ssrc="([^"]+)"/g)].map(
		([, link, source]) => (link ?? source)!,
	);
}

/**
 * GitHub's anchors of a document's headings: lower case, without punctuation, hyphens for spaces, repeated ones numbered.
 */
export function anchorsOf(markdown: string): string[] {
	const seen = new Map<string, number>();
	return headingsOf(markdown).map(({ title }) => {
		const anchor = title
			.toLowerCase()
			.replace(/[^\p{L}\p{N} _-]/gu, '')
			.replaceAll(' ', '-');
		const count = seen.get(anchor) ?? 0;
		seen.set(anchor, count + 1);
		return count === 0 ? anchor : `${anchor}-${count}`;
	});
}
