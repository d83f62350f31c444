/** Text to be spoken, without Markdown and emoji. Pure. */

/** Emoji, flags, skin tones and joiners. Keeps digits and signs that are emoji only as keycaps. */
const EMOJI =
	/\p{Extended_Pictographic}|\p{Regional_Indicator}|\p{Emoji_Modifier}|\u200D|\uFE0F|\u20E3/gu;

/** Applied twice for nested emphasis: a pattern that crosses it would search for the end of each sign. */
const EMPHASIS = /(\*{1,3})(?=\S)([^*]*[^*\s])\1/g;

/** Removes emoji and Markdown, which many servers read aloud. */
export function stripMarkdown(text: string): string {
	return withPlainTables(text.replace(/```(?:[^\n`]*\n)?([\s\S]*?)```/g, '$1'))
		.replace(/!\[([^[\]]*)\]\([^()]*\)/g, '$1')
		.replace(/\[([^[\]]+)\]\([^()]*\)/g, '$1')
		.replace(/^[ \t]*(?:#{1,6}|>|[-*+])[ \t]+/gm, '')
		.replace(/^[ \t]*(?:[-*_][ \t]*){3,}$/gm, '')
		.replace(EMPHASIS, '$2')
		.replace(EMPHASIS, '$2')
		.replace(/~~(?=\S)([^~]*[^~\s])~~/g, '$1')
		.replace(/(?<![\p{L}\p{N}_])(__|_)(?=\S)([^_]*[^_\s])\1(?![\p{L}\p{N}_])/gu, '$2')
		.replace(/`([^`]*)`/g, '$1')
		.replace(EMOJI, '')
		.replace(/[ \t]{2,}/g, ' ')
		.replace(/[ \t]$/gm, '')
		.trim();
}

/** The cells of tables with commas between them, in place of their lines and bars. */
function withPlainTables(text: string): string {
	const lines = text.split('\n');
	const result: string[] = [];
	let isInTable = false;
	for (const [at, line] of lines.entries()) {
		const isRow = line.includes('|');
		const isDelimiter = isRow && isDelimiterRow(line) && lines[at - 1]?.includes('|') === true;
		const isHeader: boolean = isRow && !isInTable && isDelimiterRow(lines[at + 1] ?? '');
		isInTable = isRow && (isInTable || isHeader);
		if (!isDelimiter || !isInTable) result.push(isInTable ? toPlainRow(line) : line);
	}
	return result.join('\n');
}

/** The row below the header, `|---|:-:|`, which makes lines with bars a table. */
function isDelimiterRow(line: string): boolean {
	return line.includes('|') && splitRow(line).every((cell) => /^:?-+:?$/.test(cell));
}

function toPlainRow(line: string): string {
	return splitRow(line)
		.filter((cell) => cell !== '')
		.join(', ');
}

/** The cells of a row, without blanks. A bar behind a backslash is part of a cell. */
function splitRow(line: string): string[] {
	const row = line.trim().replace(/^\|/, '').replace(/\|$/, '');
	return row.split(/(?<!\\)\|/).map((cell) => cell.replaceAll('\\|', '|').trim());
}
